// The caller's access token: it arrives in the fragment of the address, which no browser sends to a server, and lives as long
// as this tab.

const KEY = 'customer-service:token';
const FRAGMENT = 'token';

/** Return the token of this tab, or an empty text. One in the address is taken out of it, so that nobody copies it along. */
export function load() {
  const given = new URLSearchParams(location.hash.slice(1)).get(FRAGMENT);
  if (given === null) {
    return sessionStorage.getItem(KEY) ?? '';
  }
  history.replaceState(history.state, '', location.pathname + location.search);
  return save(given);
}

/** Keep *given* for this tab, with or without "Bearer" in front; nothing means to forget. Returns what is kept. */
export function save(given) {
  const token = given.trim().replace(/^bearer\s+/i, '');
  if (token) {
    sessionStorage.setItem(KEY, token);
  } else {
    sessionStorage.removeItem(KEY);
  }
  return token;
}
