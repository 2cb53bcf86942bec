// The API as plain calls, for what a script needs beside the client it is about.
import { text } from 'node:stream/consumers';
import { given } from './lines.mjs';

export const bearer = `Bearer ${given.token}`;
export const socketUrl = given.url.replace(/^http/, 'ws');

export const VIEWER = 'query Viewer { viewer { kind sellerId } }';
export const PROGRESS = 'subscription Progress($id: ID!) { bulkImportProgress(id: $id) { id status progress processedRows } }';
export const EVENTS = 'subscription Events($customer: ID) { customerEvents(customerId: $customer) { id type changed } }';
export const CREATE = `mutation Create($input: CustomerInput!) {
  createCustomer(input: $input) { customer { id fullName } userErrors { code field } } }`;

const UPDATE = 'mutation($id: ID!, $name: String!) { updateCustomer(id: $id, patch: { firstName: $name }) { userErrors { code } } }';
const ANNOUNCE = `mutation($size: Int) { createBulkImport(input: { fileName: "customers.csv", size: $size }) {
  bulkImport { id } upload { url method headers { name value } } } }`;
const START = 'mutation($id: ID!) { startBulkImport(id: $id) { userErrors { code message } } }';

/** Run an operation that has to go well. */
export async function call(query, variables) {
  const answer = await fetch(given.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: bearer },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Create an import and send its file; return its id. */
export async function uploaded(csv = given.csv) {
  const content = Buffer.from(csv);
  const { bulkImport, upload } = (await call(ANNOUNCE, { size: content.length })).createBulkImport;
  const headers = Object.fromEntries(upload.headers.map(({ name, value }) => [name, value]));
  const sent = await fetch(upload.url, { method: upload.method, headers, body: content });
  if (!sent.ok) throw new Error(`The file was refused: ${sent.status} ${await text(sent.body)}`);
  return bulkImport.id;
}

export async function start(id) {
  const { userErrors } = (await call(START, { id })).startBulkImport;
  if (userErrors.length) throw new Error(JSON.stringify(userErrors));
}

export async function customer() {
  return (await call(CREATE, { input: { email: `${crypto.randomUUID()}@example.com`, firstName: 'Ada' } })).createCustomer.customer.id;
}

/** Change a customer: what is the same as before is no change, and nobody would be told. */
export async function rename(id) {
  await call(UPDATE, { id, name: `Grace ${crypto.randomUUID()}` });
}
