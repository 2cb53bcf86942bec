// What answers on this page have named: ids by their kind, other values by their name. The next operation begins with them.

const ID = /^(cus|adr|doc|imp|ses)_[0-9a-z]+$/;
const PLACEHOLDER = /^<(.+?)( before)?>$/;

/** Newest first, by the name of a placeholder: "cus_…", "endCursor". In memory only. */
const seen = new Map();
const listeners = new Set();
let latest = { operationName: undefined, upload: undefined, accessToken: undefined };

/** The last answer: which operation it was of, where it says that a file goes, and the token of a sign-in. */
export const latestAnswer = () => latest;

export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Remember what is in the answer of an operation. */
export function remember(operationName, answer) {
  const named = [...scalars(answer.data)];
  // What an answer names first is what it is about, so it is taken last.
  for (const [name, value] of named.reverse()) {
    note(name, value);
  }
  const root = Object.values(answer.data ?? {}).find((one) => one?.upload || one?.tokens);
  latest = { operationName: answer.errors ? undefined : operationName, upload: root?.upload, accessToken: root?.tokens?.accessToken };
  for (const listener of listeners) {
    listener();
  }
}

/** *variables* with what has been seen in the place of "<…>"; what has not been seen yet stays as it is. */
export function filled(variables) {
  if (Array.isArray(variables)) {
    return variables.map(filled);
  }
  if (variables !== null && typeof variables === 'object') {
    return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, filled(value)]));
  }
  const [, name, before] = (typeof variables === 'string' && variables.match(PLACEHOLDER)) || [];
  return seen.get(name)?.[before ? 1 : 0] ?? variables;
}

function note(name, value) {
  const key = typeof value === 'string' && ID.test(value) ? `${value.slice(0, 4)}…` : name;
  seen.set(key, [value, ...(seen.get(key) ?? []).filter((one) => one !== value)]);
}

function* scalars(value, name = '') {
  if (Array.isArray(value)) {
    for (const one of value) {
      yield* scalars(one, name);
    }
  } else if (value !== null && typeof value === 'object') {
    for (const [key, one] of Object.entries(value)) {
      yield* scalars(one, key);
    }
  } else if (value !== null && value !== undefined) {
    yield [name, value];
  }
}
