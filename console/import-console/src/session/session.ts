// Who is signed in. The refresh token is in a cookie that no script can read; the access token is here, in memory, and is
// asked for again when it is about to expire or the page is loaded anew. Nothing of either is ever stored.

const TOKEN_PATH = '/auth/operator/token';
const LOGOUT_PATH = '/auth/operator/logout';
export const LOGIN_PATH = '/auth/operator/login';

const EARLY_MS = 45_000;
const RETURN_KEY = 'customer-service:return-to';
const OURS = { method: 'POST', credentials: 'include', headers: { 'X-Requested-With': 'console' } } as const;

export type Session =
  | { state: 'unknown' }
  | { state: 'out'; provider: boolean; notice?: string }
  | { state: 'elsewhere' }
  | { state: 'unreachable' }
  | { state: 'in'; renewable: boolean };

let session: Session = { state: 'unknown' };
let token = '';
let expiresAt = 0;
let renewing: Promise<void> | null = null;
const listeners = new Set<() => void>();

export const current = (): Session => session;

export function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function become(next: Session): void {
  session = next;
  for (const listener of listeners) {
    listener();
  }
}

function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="console:${name}"]`)?.content ?? '';
}

/** The address under which the service says that browsers reach it; empty when it does not say. */
export const ownAddress = (): string => meta('address');

/** Whether a token may be given by hand: in development only. */
export const takesTokens = (): boolean => meta('tokens') === 'accepted';

/** Find out who is here: by a token behind the address, which `make run` prints a link with, or by the cookie. */
export async function begin(): Promise<void> {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    // Out of the address at once, so that nobody copies it along.
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  if (given && takesTokens()) {
    useToken(given);
    return;
  }
  await renew();
}

/** Use a token that somebody has given by hand, until the page is left. */
export function useToken(given: string): void {
  token = given.trim().replace(/^bearer\s+/i, '');
  expiresAt = Number.POSITIVE_INFINITY;
  become({ state: 'in', renewable: false });
}

/** Return an access token that holds, or throw when nobody is signed in any more. */
export async function bearer(): Promise<string> {
  if (session.state === 'in' && Date.now() > expiresAt - EARLY_MS) {
    await renew();
  }
  if (session.state !== 'in') {
    throw new SignedOut();
  }
  return token;
}

export class SignedOut extends Error {}

/** The service does not believe the token any more: get another one, or be signed out. */
export async function refused(): Promise<void> {
  if (session.state !== 'in') {
    return;
  }
  if (session.renewable) {
    await renew();
  } else {
    token = '';
    become({ state: 'out', provider: false, notice: 'The token does not hold any more. Give another one.' });
  }
}

/** Ask for the next access token; whoever asks meanwhile shares the answer. */
function renew(): Promise<void> {
  renewing ??= ask().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function ask(): Promise<void> {
  const before = session.state;
  let answer: Response;
  try {
    answer = await fetch(TOKEN_PATH, OURS);
  } catch {
    unreachable(before);
    return;
  }
  if (answer.ok) {
    const { accessToken, expiresIn } = (await answer.json()) as { accessToken: string; expiresIn: number };
    token = accessToken;
    expiresAt = Date.now() + expiresIn * 1000;
    if (before !== 'in') {
      become({ state: 'in', renewable: true });
    }
    return;
  }
  token = '';
  switch (answer.status) {
    case 401:
      become({ state: 'out', provider: true, ...(before === 'in' && { notice: 'Your session is over. Sign in again.' }) });
      break;
    case 404:
      become({ state: 'out', provider: false });
      break;
    case 403:
      become({ state: 'elsewhere' });
      break;
    default:
      unreachable(before);
  }
}

/** A moment without the service signs nobody out: what is on the screen stays, and calls say what is wrong. */
function unreachable(before: Session['state']): void {
  if (before !== 'in') {
    become({ state: 'unreachable' });
  }
}

/** Go to the company's own sign-in, and come back to the page that is open now. */
export function signIn(): void {
  sessionStorage.setItem(RETURN_KEY, location.pathname + location.search);
  location.assign(LOGIN_PATH);
}

/** The page that somebody wanted to see before signing in, once. */
export function returnPath(): string | null {
  const path = sessionStorage.getItem(RETURN_KEY);
  sessionStorage.removeItem(RETURN_KEY);
  return path?.startsWith('/console') ? path : null;
}

/** End the session. Returns false when the service could not be told. */
export async function signOut(): Promise<boolean> {
  const provider = session.state === 'in' && session.renewable;
  if (provider) {
    try {
      if (!(await fetch(LOGOUT_PATH, OURS)).ok) {
        return false;
      }
    } catch {
      return false;
    }
  }
  token = '';
  become({ state: 'out', provider, notice: 'You are signed out.' });
  return true;
}
