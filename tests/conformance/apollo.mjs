// Apollo Client without React: HttpLink behind automatic persisted queries, and GraphQLWsLink for subscriptions.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createHash } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { bearer, CREATE, PROGRESS, socketUrl, start, uploaded } from './api.mjs';
import { given, play, tell } from './lines.mjs';

const sent = [];
const sha256 = (document) => createHash('sha256').update(document).digest('hex');

function open() {
  const socket = createClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: { authorization: bearer } });
  const http = new HttpLink({
    uri: given.url,
    headers: { authorization: bearer },
    fetch: async (url, options) => {
      const { query, extensions } = JSON.parse(options.body);
      const answer = await fetch(url, options);
      sent.push({ method: options.method ?? "GET", query: query !== undefined, hash: extensions?.persistedQuery !== undefined, status: answer.status });
      return answer;
    },
  });
  const link = ApolloLink.split(
    ({ operationType }) => operationType === 'subscription',
    new GraphQLWsLink(socket),
    new PersistedQueryLink({ sha256 }).concat(http),
  );
  const client = new ApolloClient({ cache: new InMemoryCache(), link });
  return { client, close: () => (client.stop(), socket.dispose()) };
}

// An alias that nobody else has, so that the server cannot know the document yet.
const unknown = gql(`query Mine { ${given.alias}: viewer { kind sellerId } customers(first: 5) { nodes { id fullName } totalCount } }`);

async function persisted() {
  const { client, close } = open();
  const first = await client.query({ query: unknown, fetchPolicy: 'network-only' });
  const missed = sent.splice(0);
  await close();
  const another = open();
  const second = await another.client.query({ query: unknown, fetchPolicy: 'network-only' });
  await another.close();
  tell({ missed, found: sent.splice(0), first: first.data[given.alias], second: second.data[given.alias] });
}

async function mutation() {
  const { client, close } = open();
  const made = await client.mutate({ mutation: gql(CREATE), variables: { input: { email: given.email, firstName: 'Ada' } } });
  const again = await client.mutate({ mutation: gql(CREATE), variables: { input: { email: given.email } } });
  const { nodes } = (await client.query({ query: unknown, fetchPolicy: 'network-only' })).data.customers;
  await close();
  tell({ made: made.data.createCustomer, again: again.data.createCustomer, nodes });
}

async function error() {
  const { client, close } = open();
  const query = gql('query { customers(first: 100000) { nodes { id } } }');
  const reason = await client.query({ query }).then(() => null, (thrown) => thrown);
  await close();
  tell({
    graphql: CombinedGraphQLErrors.is(reason),
    errors: CombinedGraphQLErrors.is(reason) ? reason.errors.map(({ message, extensions }) => ({ message, extensions })) : String(reason),
  });
}

async function subscription() {
  const { client, close } = open();
  const id = await uploaded();
  const seen = [];
  await new Promise((resolve, reject) => {
    client.subscribe({ query: gql(PROGRESS), variables: { id } }).subscribe({
      next: ({ data, error: failed }) => {
        if (failed) reject(failed);
        seen.push(data?.bulkImportProgress);
        if (seen.length === 1) start(id).catch(reject);
      },
      error: reject,
      complete: resolve,
    });
  });
  await close();
  tell({ id, seen });
}

await play({ persisted, mutation, error, subscription });
