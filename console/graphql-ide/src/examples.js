import { Kind, parse } from 'graphql';

import source from './examples.graphql';

/**
 * Every operation of examples.graphql as GraphiQL wants a tab: its text with the comments above, the first of which is its
 * title, and variables to fill in.
 */
export const EXAMPLES = separated(source);

function separated(text) {
  let start = 0;
  return parse(text).definitions.map((operation) => {
    const query = text.slice(start, operation.loc.end).trim();
    start = operation.loc.end;
    return { title: query.match(/^# (.*)/)[1], query, variables: blanks(operation) };
  });
}

/** Variables without a default, as JSON with nothing in them yet. */
function blanks(operation) {
  const names = operation.variableDefinitions
    .filter((one) => one.type.kind === Kind.NON_NULL_TYPE && !one.defaultValue)
    .map((one) => [one.variable.name.value, '']);
  return names.length ? JSON.stringify(Object.fromEntries(names), null, 2) : '';
}
