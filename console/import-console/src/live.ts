// Subscriptions, over one socket for the whole page that comes back by itself.

import { createClient } from 'graphql-ws';

import { type Problem, problemOf } from './api';
import type { Operation } from './operations';
import { bearer, refused } from './session/session';

const FORBIDDEN = 4403;
const LONGEST_WAIT_MS = 10_000;
const AGAIN_MS = 3_000;

export type Line = 'connecting' | 'live' | 'broken';

let line: Line = 'connecting';
const watchers = new Set<(line: Line) => void>();

function become(next: Line): void {
  line = next;
  for (const watcher of watchers) {
    watcher(line);
  }
}

const client = createClient({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
  connectionParams: async () => ({ authorization: `Bearer ${await bearer()}` }),
  lazyCloseTimeout: 2_000,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  retryWait: async (retries) => {
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(retries, 5));
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
  },
  on: {
    connected: () => become('live'),
    closed: (event) => {
      become('broken');
      if ((event as CloseEvent).code === FORBIDDEN) {
        void refused();
      }
    },
  },
});

/** Say how the line is, now and whenever it changes. */
export function watchLine(watcher: (line: Line) => void): () => void {
  watchers.add(watcher);
  watcher(line);
  return () => watchers.delete(watcher);
}

interface Follower<Data> {
  next: (data: Data) => void;
  /** The service refuses for good. */
  failed: (problem: Problem) => void;
}

/** Follow a subscription until it ends or the returned function is called; a line that breaks is taken up again. */
export function follow<Data, Variables extends Record<string, unknown>>(
  operation: Operation<Data, Variables>,
  variables: Variables,
  { next, failed }: Follower<Data>,
): () => void {
  let stop = (): void => undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  const start = (): void => {
    stop = client.subscribe<Data>(
      { query: operation, variables },
      {
        next: ({ data, errors }) => {
          const error = errors?.[0];
          if (error && error.extensions?.code !== 'UNAVAILABLE') {
            failed(problemOf(error.message, error.extensions as { code?: string }));
          } else if (data) {
            next(data);
          }
        },
        error: (error) => {
          if (Array.isArray(error) && error[0]) {
            failed(problemOf(error[0].message, error[0].extensions));
          } else if (!over) {
            // A way to close that the client takes for final, such as an unanswered ping.
            become('broken');
            again = setTimeout(start, AGAIN_MS);
          }
        },
        complete: () => undefined,
      },
    );
  };
  start();
  return () => {
    over = true;
    clearTimeout(again);
    stop();
  };
}
