// urql with the two things that are ours: a token that renews itself, and subscriptions as an event stream.

import { authExchange } from '@urql/exchange-auth';
import { createClient as createStreams } from 'graphql-sse';
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from 'urql';

import { accessToken, isAboutToEnd, renew } from './operator';

const URL_HERE = '/graphql';

const bearer = (): Record<string, string> => {
  const token = accessToken();
  return token ? { authorization: `Bearer ${token}` } : {};
};

const streams = createStreams({
  url: URL_HERE,
  // Asked for at every connection, so that one that comes back has a token that holds.
  headers: async () => {
    if (isAboutToEnd()) {
      await renew();
    }
    return bearer();
  },
  retryAttempts: Number.POSITIVE_INFINITY,
});

export const client = new Client({
  url: URL_HERE,
  // What stands in an address ends up in the logs of proxies.
  preferGetMethod: false,
  exchanges: [
    cacheExchange,
    authExchange(async ({ appendHeaders }) => ({
      addAuthToOperation: (operation) => appendHeaders(operation, bearer()),
      willAuthError: isAboutToEnd,
      didAuthError: ({ graphQLErrors }) => graphQLErrors.some((error) => error.extensions['code'] === 'UNAUTHENTICATED'),
      refreshAuth: async () => void (await renew()),
    })),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: streams.subscribe({ query: query ?? '', variables: { ...variables } }, sink) }),
      }),
    }),
  ],
});
