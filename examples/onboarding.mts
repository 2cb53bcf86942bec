// The onboarding of a customer with the typed client, against the stack that `make run` has started:
//
//     npm --prefix clients/typescript ci && npm --prefix clients/typescript run onboarding
//
// Every step says what it does; the first surprise ends it with exit status 1. RUN_DIR names another stack than the one in .run.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { accepted, announced, Client, Refused, send, Session } from '../clients/typescript/src/index.ts';
import {
  AddAddressDocument,
  ApproveDocumentDocument,
  ChangeCustomerDocument,
  CompleteUploadDocument,
  CreateCustomerDocument,
  DocumentWithFileDocument,
  FileDocumentDocument,
  FollowCustomersDocument,
  MeDocument,
  OnboardingOfCustomerDocument,
  SessionsDocument,
} from '../clients/typescript/src/generated/graphql.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PATIENCE_MS = 30_000;

interface Stack {
  graphql: string;
  seller_id: string;
  tokens: { operator: string };
  otp_outbox: string;
}

const stack = await findStack();
const run = randomUUID().slice(0, 8);
const operator = new Client({ url: stack.graphql, token: () => stack.tokens.operator });

step('The shop creates a customer with what it knows.');
const email = `katherine-${run}@example.com`;
const input = { externalId: `onboarding-${run}`, email, firstName: 'Katherine', lastName: 'Johnson' };
const created = accepted((await operator.ask(CreateCustomerDocument, { input, idempotencyKey: run })).createCustomer);
const customer = present(created.customer, 'a customer');
tell(`${customer.fullName} is ${customer.id}`);

step('The same call again answers the same customer, because it has the same idempotency key.');
const again = accepted((await operator.ask(CreateCustomerDocument, { input, idempotencyKey: run })).createCustomer);
same(customer.id, again.customer?.id);

step('Without the key it is refused, with everything that is wrong at once.');
try {
  accepted((await operator.ask(CreateCustomerDocument, { input })).createCustomer);
  fail('a second customer with the same e-mail address was accepted');
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  for (const { code, field, message } of error.userErrors) tell(`${code} at ${field?.join('.')}: ${message}`);
}

step('The customer asks for a code and signs in with it. From here on the customer calls, with tokens that renew themselves.');
const session = new Session({ url: stack.graphql, sellerId: stack.seller_id });
const challenge = await session.requestCode('EMAIL', email);
await session.signIn(challenge, await codeOf(challenge));
const me = session.client();
const { sessions } = await me.ask(SessionsDocument, {});
tell(`signed in, ${sessions.length} session`);

step('It adds an address.');
const home = { kind: 'SHIPPING', line1: '100 NASA Road', city: 'Hampton', region: 'VA', postalCode: '23666', countryCode: 'US' } as const;
const { address } = accepted((await me.ask(AddAddressDocument, { customerId: customer.id, input: home })).createAddress);
tell(present(address, 'an address').formatted.join(', '));

step('It files a passport: announced, sent to the object store, checked.');
const scan = new File([new Uint8Array(await readFile(join(HERE, 'passport.png')))], 'passport.png', { type: 'image/png' });
const filed = accepted(
  (
    await me.ask(FileDocumentDocument, {
      customerId: customer.id,
      input: { type: 'PASSPORT', number: `K${run}`.toUpperCase(), issuingCountry: 'US', file: await announced(scan) },
    })
  ).createDocument,
);
const document = present(filed.document, 'a document');
await send(present(filed.upload, 'a place for the file'), scan);
const complete = accepted((await me.ask(CompleteUploadDocument, { id: document.id })).completeDocumentUpload);
same('PENDING_REVIEW', complete.document?.status);
tell(`${complete.document?.file?.name}, ${complete.document?.file?.size} bytes, waits for review`);

step('The shop changes what it wants to know; an old version is refused, so nobody overwrites what they have not seen.');
const { customer: read } = await operator.ask(OnboardingOfCustomerDocument, { id: customer.id });
const stale = await operator.ask(ChangeCustomerDocument, { id: customer.id, patch: { tags: ['vip'] }, expectedVersion: customer.version });
const conflict = present(stale.updateCustomer.userErrors[0], 'a conflict');
same('CONFLICT', conflict.code);
tell(`${read?.fullName} is at version ${conflict.currentVersion} by now, not ${customer.version}`);

step('The malware scanner looks at the file. Until it has, nobody can read it or approve the document.');
tell(`it is ${await verdictOf(operator, document.id)}`);

step('The staff approves the document, and the customer hears of it.');
const heard = nextChange(me, customer.id, conflict.currentVersion ?? 0);
accepted((await operator.ask(ApproveDocumentDocument, { id: document.id })).reviewDocument);
tell(`${await heard} changed`);

step('The onboarding is complete.');
const done = present((await me.ask(MeDocument, {})).me, 'oneself');
same(true, done.onboarding.complete);
tell(done.documents.map((one) => `${one.type} ${one.status}`).join(', '));

await session.signOut();
console.log('\nEverything went as it should.');

/** What the scanner says of a document's file, once it has said anything. */
async function verdictOf(client: Client, id: string): Promise<string> {
  for (;;) {
    const { document: found } = await client.ask(DocumentWithFileDocument, { id });
    const verdict = present(found?.scan, 'a file').verdict;
    if (verdict !== 'PENDING') return verdict;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The names of what changed in the next event after *version*. */
async function nextChange(client: Client, customerId: string, version: number): Promise<string> {
  for await (const { customerEvents } of client.follow(FollowCustomersDocument, { customerId }, AbortSignal.timeout(PATIENCE_MS))) {
    if (customerEvents.version > version) return customerEvents.changed.join(', ');
  }
  return fail('nothing was heard');
}

/** On a laptop a code goes into a file and not to anybody's telephone. */
async function codeOf(challengeId: string): Promise<string> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const lines = (await readFile(stack.otp_outbox, 'utf8').catch(() => '')).split('\n').filter(Boolean);
    const sent = lines.map((line) => JSON.parse(line) as { id: string; code: string }).find(({ id }) => id === challengeId);
    if (sent) return sent.code;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return fail('no code was sent');
}

async function findStack(): Promise<Stack> {
  const file = join(process.env['RUN_DIR'] ?? join(HERE, '..', '.run'), 'stack.json');
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Stack;
  } catch {
    console.error('Nothing is running here. Start it with `make run`, in another terminal.');
    process.exit(1);
  }
}

function step(text: string): void {
  console.log(`\n${text}`);
}

function tell(text: string): void {
  console.log(`  ${text}`);
}

function present<Value>(value: Value | null | undefined, what: string): Value {
  return value ?? fail(`the answer has no ${what}`);
}

function same(expected: unknown, actual: unknown): void {
  if (expected !== actual) fail(`expected ${String(expected)}, got ${String(actual)}`);
}

function fail(text: string): never {
  throw new Error(text);
}
