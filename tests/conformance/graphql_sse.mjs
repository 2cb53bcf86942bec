// graphql-sse, the client, in distinct connections mode: one HTTP request for each operation.
import { createClient } from 'graphql-sse';
import { bearer, CREATE, customer, EVENTS, PROGRESS, rename, start, uploaded, VIEWER } from './api.mjs';
import { given, play, tell } from './lines.mjs';

const requests = [];
const open = (more = {}) =>
  createClient({
    url: given.url,
    singleConnection: false,
    headers: () => ({ authorization: bearer }),
    retryAttempts: 0,
    fetchFn: (url, options) => {
      requests.push({ method: options.method, accept: options.headers.accept });
      return fetch(url, options);
    },
    ...more,
  });

async function query() {
  const client = open();
  const results = [];
  for await (const result of client.iterate({ query: VIEWER })) results.push(result);
  client.dispose();
  tell({ results, requests: requests.splice(0) });
}

async function follow() {
  const client = open();
  const id = await uploaded();
  const seen = [];
  for await (const { data, errors } of client.iterate({ query: PROGRESS, variables: { id } })) {
    if (errors) throw new Error(JSON.stringify(errors));
    seen.push(data.bulkImportProgress);
    if (seen.length === 1) await start(id);
  }
  client.dispose();
  tell({ id, seen });
}

async function early() {
  const client = open();
  const id = await uploaded();
  const operation = client.iterate({ query: PROGRESS, variables: { id } });
  const first = await operation.next();
  await operation.return();
  const after = await client.iterate({ query: VIEWER }).next();
  client.dispose();
  tell({ first: first.value.data.bulkImportProgress.status, after: after.value.data });
}

async function events() {
  const client = open();
  const id = await customer();
  const operation = client.iterate({ query: EVENTS, variables: { customer: id } });
  // There is no present state of events: they are told from the subscription on, and it may take a moment to begin.
  const again = setInterval(() => rename(id).catch(() => {}), 300);
  let latest = null;
  for await (latest of operation) if (latest.errors || latest.data.customerEvents.type === 'UPDATED') break;
  clearInterval(again);
  await operation.return();
  client.dispose();
  tell({ result: latest });
}

async function errors() {
  const client = open();
  const told = {};
  for (const [name, operation] of Object.entries({
    invalid: { query: '{ nothing }' },
    malformed: { query: '{' },
    mutation: { query: CREATE, variables: { input: { email: 'stream@example.com' } } },
    missing: { query: PROGRESS, variables: { id: 'imp_none' } },
  })) {
    told[name] = await outcome(client.iterate(operation));
  }
  client.dispose();
  const badToken = open({ headers: { authorization: 'Bearer nonsense' } });
  told['bad token'] = await outcome(badToken.iterate({ query: VIEWER }));
  badToken.dispose();
  const nobody = open({ headers: {} });
  told.nobody = await outcome(nobody.iterate({ query: PROGRESS, variables: { id: 'imp_none' } }));
  nobody.dispose();
  tell({ told });
}

/** What comes of an operation that is refused: an HTTP status, or errors in an event. */
async function outcome(operation) {
  try {
    const { value } = await operation.next();
    return { status: 200, codes: (value?.errors ?? []).map(({ extensions }) => extensions?.code), data: value?.data ?? null };
  } catch (error) {
    const body = error.response ? await error.response.json().catch(() => ({})) : {};
    return { status: error.response?.status ?? null, codes: (body.errors ?? []).map(({ extensions }) => extensions?.code), message: error.message };
  }
}

await play({ query, follow, early, events, errors });
