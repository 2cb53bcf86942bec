// urql without React: fetchExchange behind automatic persisted queries, and subscriptions by graphql-ws and by graphql-sse.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient as createStreams } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import WebSocket from 'ws';
import { bearer, CREATE, PROGRESS, socketUrl, start, uploaded } from './api.mjs';
import { given, play, tell } from './lines.mjs';

const sent = [];
const headers = { authorization: bearer };
const socket = createSocket({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: headers });
const streams = createStreams({ url: given.url, headers, retryAttempts: 0 });

const open = (live) =>
  new Client({
    url: given.url,
    fetchOptions: { headers },
    fetch: async (url, options) => {
      // Short queries come by GET: that is how urql does it when nobody says otherwise.
      const address = new URL(url).searchParams;
      const { query, extensions } = options.body
        ? JSON.parse(options.body)
        : { query: address.get('query') ?? undefined, extensions: JSON.parse(address.get('extensions')) };
      const answer = await fetch(url, options);
      sent.push({ method: options.method, query: query !== undefined, hash: extensions?.persistedQuery !== undefined, status: answer.status });
      return answer;
    },
    exchanges: [
      persistedExchange({}),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (operation) => ({
          subscribe: (sink) => ({ unsubscribe: live.subscribe({ ...operation, query: operation.query ?? '' }, sink) }),
        }),
      }),
    ],
  });

const unknown = `query Mine { ${given.alias}: viewer { kind sellerId } customers(first: 5) { nodes { id fullName } totalCount } }`;

async function persisted() {
  const first = await open(socket).query(unknown, {}).toPromise();
  const missed = sent.splice(0);
  const second = await open(socket).query(unknown, {}).toPromise();
  for (const { error } of [first, second]) if (error) throw error;
  tell({ missed, found: sent.splice(0), first: first.data[given.alias], second: second.data[given.alias] });
}

async function mutation() {
  const client = open(socket);
  const made = await client.mutation(CREATE, { input: { email: given.email, firstName: 'Ada' } }).toPromise();
  const again = await client.mutation(CREATE, { input: { email: given.email } }).toPromise();
  const found = await client.query(unknown, {}, { requestPolicy: 'network-only' }).toPromise();
  for (const { error } of [made, again, found]) if (error) throw error;
  tell({ made: made.data.createCustomer, again: again.data.createCustomer, nodes: found.data.customers.nodes });
}

async function error() {
  const { error: reason } = await open(socket).query('query { customers(first: 100000) { nodes { id } } }', {}).toPromise();
  tell({
    graphql: reason.networkError === undefined,
    errors: reason.graphQLErrors.map(({ message, extensions }) => ({ message, extensions })),
  });
}

async function subscription() {
  await follow(socket, given.csv);
  await follow(streams, given.other);
}

async function follow(live, csv) {
  const id = await uploaded(csv);
  const seen = [];
  await new Promise((resolve, reject) => {
    const { unsubscribe } = open(live).subscription(PROGRESS, { id }).subscribe(({ data, error: failed }) => {
      if (failed) reject(failed);
      seen.push(data?.bulkImportProgress);
      if (seen.length === 1) start(id).catch(reject);
      if (data?.bulkImportProgress.status.startsWith('COMPLETED')) {
        unsubscribe();
        resolve();
      }
    });
  });
  tell({ id, seen });
}

await play({ persisted, mutation, error, subscription });
await socket.dispose();
streams.dispose();
