// Who is signed in. The refresh token is in a cookie that no script can read; the access token is here, in memory.

const OURS = { method: 'POST', credentials: 'include', headers: { 'X-Requested-With': 'react-import' } } as const;
const EARLY_MS = 45_000;

/** Leads to the company's own sign-in, and back to where `security.operatorSignIn.afterSignIn` says. */
export const SIGN_IN = '/auth/operator/login';

let token: string | undefined;
let expiresAt = 0;
let renewing: Promise<boolean> | undefined;

export const accessToken = (): string | undefined => token;
export const isAboutToEnd = (): boolean => Date.now() > expiresAt - EARLY_MS;

/** Ask for the next access token; whoever asks meanwhile shares the answer. Answers whether somebody is signed in. */
export function renew(): Promise<boolean> {
  renewing ??= ask().finally(() => {
    renewing = undefined;
  });
  return renewing;
}

export async function signOut(): Promise<void> {
  await fetch('/auth/operator/logout', OURS);
  token = undefined;
}

async function ask(): Promise<boolean> {
  const answer = await fetch('/auth/operator/token', OURS);
  if (!answer.ok) {
    token = undefined;
    return false;
  }
  const pair = (await answer.json()) as { accessToken: string; expiresIn: number };
  token = pair.accessToken;
  expiresAt = Date.now() + pair.expiresIn * 1000;
  return true;
}
