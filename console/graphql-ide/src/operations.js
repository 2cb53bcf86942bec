// The ready operations: what the files of examples/operations hold, as the service hands it out.

const OPERATION = /^(?:query|mutation|subscription)\s+(\w+)/m;

/** Every ready operation with the name that a tab shows, and the one after it in its flow. */
let all = [];

export const operations = () => all;

/** Fetch them; without any the page is an editor like others. */
export async function load() {
  try {
    const answer = await fetch('/graphql/ide/ready/operations.json');
    const found = answer.ok ? await answer.json() : [];
    all = found.map((one) => ({ ...one, operationName: one.query.match(OPERATION)[1] }));
  } catch {
    all = [];
  }
}

/** Flows with their operations, in their order. */
export function flows() {
  const found = new Map();
  for (const one of all) {
    found.set(one.flow, [...(found.get(one.flow) ?? []), one]);
  }
  return [...found];
}

/** What comes after the operation of this name in its flow, or nothing. */
export function after(operationName) {
  const at = all.findIndex((one) => one.operationName === operationName);
  const next = at < 0 ? undefined : all[at + 1];
  return next?.flow === all[at]?.flow ? next : undefined;
}

/** The operation of this name, or nothing. */
export const named = (operationName) => all.find((one) => one.operationName === operationName);
