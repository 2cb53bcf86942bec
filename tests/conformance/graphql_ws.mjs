// graphql-ws, the client: what its users do, and what they see when something is refused.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { bearer, CREATE, customer, EVENTS, PROGRESS, rename, socketUrl, start, uploaded, VIEWER } from './api.mjs';
import { given, play, tell } from './lines.mjs';

const open = (more = {}) =>
  createClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: { authorization: bearer }, retryAttempts: 0, ...more });

async function query() {
  const client = open();
  const results = [];
  for await (const result of client.iterate({ query: VIEWER })) results.push(result);
  await client.dispose();
  tell({ results });
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
  await client.dispose();
  tell({ id, seen });
}

async function parallel() {
  let sockets = 0;
  const client = open({ lazy: false, on: { connected: () => (sockets += 1) } });
  const ids = await Promise.all([uploaded(), uploaded(given.other)]);
  const last = await Promise.all(
    ids.map(async (id) => {
      let latest = null;
      for await (const { data } of client.iterate({ query: PROGRESS, variables: { id } })) {
        if (latest === null) await start(id);
        latest = data.bulkImportProgress;
      }
      return { asked: id, told: latest };
    }),
  );
  await client.dispose();
  tell({ sockets, last });
}

async function early() {
  let sockets = 0;
  const client = open({ lazy: false, on: { connected: () => (sockets += 1) } });
  const id = await uploaded();
  const operation = client.iterate({ query: PROGRESS, variables: { id } });
  const first = await operation.next();
  await operation.return();
  // The same connection serves the next operation; nothing more comes of the one that was completed.
  const after = await client.iterate({ query: VIEWER }).next();
  await client.dispose();
  tell({ first: first.value.data.bulkImportProgress.status, after: after.value.data, sockets });
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
  await client.dispose();
  tell({ result: latest });
}

async function reconnect() {
  // Between client and server, so that the line can be cut as networks and restarting servers do.
  const { hostname, port } = new URL(given.url);
  const lines = new Set();
  const between = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      one.pipe(other);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      lines.add(one);
    }
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');

  let sockets = 0;
  const client = open({
    url: `ws://127.0.0.1:${between.address().port}/graphql`,
    retryAttempts: 5,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
    on: { connected: () => (sockets += 1) },
  });
  const id = await uploaded();
  const seen = [];
  for await (const { data } of client.iterate({ query: PROGRESS, variables: { id } })) {
    seen.push({ ...data.bulkImportProgress, socket: sockets });
    if (seen.length === 1) for (const line of lines) line.destroy();
    else if (seen.length === 2) await start(id);
  }
  await client.dispose();
  between.close();
  tell({ sockets, seen });
}

async function refused() {
  for (const params of [{ authorization: 'Bearer nonsense' }, {}]) {
    const client = open({ connectionParams: params });
    const reason = await client.iterate({ query: VIEWER }).next().then(() => null, (error) => error);
    await client.dispose();
    tell({ code: reason?.code ?? null, reason: reason?.reason ?? null });
  }
}

async function errors() {
  const client = open();
  const told = {};
  for (const [name, operation] of Object.entries({
    invalid: { query: '{ nothing }' },
    malformed: { query: '{' },
    mutation: { query: CREATE, variables: { input: { email: 'socket@example.com' } } },
    missing: { query: PROGRESS, variables: { id: 'imp_none' } },
  })) {
    // An error message of the protocol ends the operation and nothing else: the client throws it, or hands over a result.
    const outcome = await client.iterate(operation).next().then(({ value }) => value?.errors ?? value, (error) => error);
    told[name] = Array.isArray(outcome) ? outcome.map(({ extensions }) => extensions?.code) : outcome;
  }
  const after = await client.iterate({ query: VIEWER }).next();
  await client.dispose();
  tell({ told, after: after.value.data });
}

async function frames() {
  // Frames that no client of ours would send, as they are.
  const init = { type: 'connection_init', payload: { authorization: bearer } };
  const subscribe = { type: 'subscribe', id: '1', payload: { query: 'subscription { bulkImportsProgress { id } }' } };
  const rows = {
    'no JSON': ['{"type":'],
    'no message': [[1, 2, 3]],
    'unknown type': [init, { type: 'hello' }],
    'before init': [subscribe],
    'init twice': [init, init],
    'same id twice': [init, subscribe, subscribe],
  };
  for (const [name, messages] of Object.entries(rows)) {
    const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
    const closed = once(socket, 'close');
    await once(socket, 'open');
    for (const message of messages) {
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      // Each after the answer to the one before, where there is one.
      if (message === init) await Promise.race([once(socket, 'message'), closed]);
    }
    const [code, reason] = await closed;
    tell({ name, code, reason: String(reason) });
  }
}

await play({ query, follow, parallel, early, events, reconnect, errors, refused, frames });
