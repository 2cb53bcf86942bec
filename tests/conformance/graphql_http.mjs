// The audits of GraphQL over HTTP, all of them, as somebody with a token or as nobody.
import { serverAudits } from 'graphql-http';
import { given, tell } from './lines.mjs';

const headers = given.token ? { authorization: `Bearer ${given.token}` } : {};

for (const audit of serverAudits({
  url: given.url,
  fetchFn: (url, options = {}) => fetch(url, { ...options, headers: { ...options.headers, ...headers } }),
})) {
  const { id, name, status, reason = null, response = null } = await audit.fn();
  tell({ id, name, status, reason, answer: response?.status ?? null });
}
