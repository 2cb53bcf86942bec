import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphQLError, Kind, parse } from 'graphql';

import { remember } from './answers.js';

const URL_HERE = '/graphql';
const SOCKET_HERE = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${URL_HERE}`;

/**
 * Return how GraphiQL asks: by POST, and for subscriptions over graphql-transport-ws.
 *
 * *token* goes along with both, unless the headers of the tab name an authorization of their own.
 */
export function createFetcher(token) {
  const ask = createGraphiQLFetcher({ url: URL_HERE, subscriptionUrl: SOCKET_HERE, enableIncrementalDelivery: false });
  return (parameters, options) => {
    const { documentAST, operationName } = chosen(parameters);
    const answer = ask({ ...parameters, operationName }, { ...options, documentAST, headers: withToken(options?.headers, token) });
    return typeof answer.then === 'function' ? answer.then((result) => noted(operationName, result)) : answer;
  };
}

/** An answer, once it has been remembered. A subscription answers with a stream, which is left as it is. */
function noted(operationName, answer) {
  if (answer?.data) {
    remember(operationName, answer);
  }
  return answer;
}

/**
 * Say which operation is meant, by the text that is sent.
 *
 * GraphiQL looks at a tab a tenth of a second after it was opened; who runs it sooner would run what the last tab was about.
 */
function chosen({ query, operationName }) {
  try {
    const documentAST = parse(query);
    const operations = documentAST.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    const names = operations.map((one) => one.name?.value);
    return { documentAST, operationName: names.length === 1 ? names[0] : names.find((name) => name === operationName) };
  } catch (error) {
    if (error instanceof GraphQLError) {
      // The service says better what is wrong with it.
      return { operationName };
    }
    throw error;
  }
}

function withToken(headers = {}, token) {
  const named = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  return named || !token ? headers : { ...headers, authorization: `Bearer ${token}` };
}
