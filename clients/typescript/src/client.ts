// Asks and follows. Each call is one operation; what it answers is what its document selects, and nothing of it is kept.

import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient } from 'graphql-sse';

import { Failure } from './errors.ts';

export interface ClientOptions {
  /** Where the service is: https://customers.example.com/graphql. */
  url: string;
  /** An access token that holds, or nothing for what works without one. `Session.token` is one of these. */
  token?: () => string | undefined | Promise<string | undefined>;
  /** The service does not believe the last token: get another one. Answers whether there is one. */
  refused?: () => Promise<boolean>;
  /** Milliseconds to wait for an answer. */
  patience?: number;
}

interface Answer<Data> {
  data?: Data | null;
  errors?: readonly { message: string; extensions?: { code?: string; requestId?: string; retryAfter?: number } }[];
}

const PATIENCE = 30_000;
const LONGEST_PAUSE = 15_000;
// What a stream may end with that is no answer to the operation: it goes on once there is another token, or another moment.
const PASSING = new Set(['UNAUTHENTICATED', 'UNAVAILABLE']);

export class Client {
  constructor(private readonly options: ClientOptions) {}

  /** Run a query or a mutation. Throws `Failure`; what a mutation refuses is in its payload, see `accepted`. */
  async ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const answer = await this.post(document, variables);
    const unauthenticated = answer.errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED') ?? false;
    if (unauthenticated && (await this.options.refused?.())) {
      return dataOf(await this.post(document, variables));
    }
    return dataOf(answer);
  }

  /**
   * Follow a subscription: every answer, until it ends, or until *signal* or leaving the loop ends it. A line that breaks is taken
   * up again with another token, and the subscription then begins with the present state, so a loop sees nothing of it.
   */
  async *follow<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): AsyncGenerator<Data, void, undefined> {
    const stream = createClient({
      url: this.options.url,
      headers: () => this.headers(),
      retryAttempts: Number.POSITIVE_INFINITY,
      retry: pause,
    });
    const stop = (): void => stream.dispose();
    signal?.addEventListener('abort', stop);
    try {
      for (let interrupted = true, round = 0; interrupted && !signal?.aborted; round += 1) {
        interrupted = false;
        await pause(round);
        for await (const answer of stream.iterate<Data>({ query: print(document), variables })) {
          const code = (answer as Answer<Data>).errors?.[0]?.extensions?.code ?? '';
          interrupted = PASSING.has(code) && (code !== 'UNAUTHENTICATED' || ((await this.options.refused?.()) ?? false));
          if (!interrupted) {
            round = 0;
            yield dataOf(answer as Answer<Data>);
          }
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      stream.dispose();
    }
  }

  private async post<Data>(document: TypedDocumentNode<Data, never>, variables: unknown): Promise<Answer<Data>> {
    const headers = { ...(await this.headers()), 'content-type': 'application/json', accept: 'application/json' };
    try {
      const answer = await fetch(this.options.url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ query: print(document), variables }),
        signal: AbortSignal.timeout(this.options.patience ?? PATIENCE),
      });
      return (await answer.json()) as Answer<Data>;
    } catch (error) {
      throw new Failure(`The service does not answer: ${String(error)}`, 'UNREACHABLE');
    }
  }

  private async headers(): Promise<Record<string, string>> {
    const token = await this.options.token?.();
    return token ? { authorization: `Bearer ${token}` } : {};
  }
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  const error = errors?.[0];
  if (error) {
    const { code = 'INTERNAL', requestId, retryAfter } = error.extensions ?? {};
    throw new Failure(error.message, code, requestId, retryAfter);
  }
  if (!data) {
    throw new Failure('This is no answer of GraphQL: look at the address.', 'UNREACHABLE');
  }
  return data;
}

/** Wait longer with each time in a row, and never all at the same time. */
async function pause(times: number): Promise<void> {
  if (times > 0) {
    const longest = Math.min(LONGEST_PAUSE, 500 * 2 ** Math.min(times, 5));
    await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
  }
}
