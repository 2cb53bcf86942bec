// How the console asks the API, and what it says when that goes wrong.

import type { Operation, RefusalFragment } from './operations';
import { bearer, refused, SignedOut } from './session/session';

const PATIENCE_MS = 30_000;

/** Something to tell the person. `detail` is for whoever is asked for help. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly code: string = 'UNREACHABLE',
    readonly detail?: string,
  ) {
    super(message);
  }
}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string; requestId?: string; retryAfter?: number } }[];
}

/** Run an operation as whoever is signed in. Throws a `Problem`, or `SignedOut`. */
export async function ask<Data, Variables>(operation: Operation<Data, Variables>, variables: Variables): Promise<Data> {
  const first = await send<Data>(operation, variables);
  if (!isUnauthenticated(first)) {
    return dataOf(first);
  }
  await refused();
  const second = await send<Data>(operation, variables);
  if (isUnauthenticated(second)) {
    throw new SignedOut();
  }
  return dataOf(second);
}

async function send<Data>(query: string, variables: unknown): Promise<Answer<Data>> {
  const token = await bearer();
  try {
    const answer = await fetch('/graphql', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return (await answer.json()) as Answer<Data>;
  } catch {
    throw new Problem('The service does not answer. Look at your connection, and try again.');
  }
}

const isUnauthenticated = (answer: Answer<unknown>): boolean =>
  answer.errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED') ?? false;

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  const error = errors?.[0];
  if (error) {
    throw problemOf(error.message, error.extensions);
  }
  if (!data) {
    throw new Problem('The service gave an answer that makes no sense. Try again.');
  }
  return data;
}

/** Turn an error of GraphQL into what a person is told. */
export function problemOf(message: string, extensions: { code?: string; requestId?: string } = {}): Problem {
  const { code = 'INTERNAL', requestId } = extensions;
  const told = code === 'FORBIDDEN' ? `You may not see or do this. ${message}` : message;
  return new Problem(told, code, requestId && `Request ${requestId}`);
}

/** Throw when a mutation was refused: with everything it said, a sentence each. */
export function accept<Payload extends { userErrors: RefusalFragment[] }>(payload: Payload): Payload {
  const { userErrors } = payload;
  if (userErrors.length > 0) {
    throw new Problem(userErrors.map((error) => error.message).join(' '), userErrors[0]?.code);
  }
  return payload;
}

/** What to show for anything that was thrown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (error instanceof SignedOut) {
    return new Problem('You are signed out.', 'UNAUTHENTICATED');
  }
  console.error(error);
  return new Problem('Something went wrong on this page. Load it again.', 'INTERNAL');
}
