// A customer's sign-in with a one-time code, and the tokens that come of it.

import { Client } from './client.ts';
import { accepted } from './errors.ts';
import { RefreshTokensDocument, RequestCodeDocument, SignInDocument, SignOutDocument } from './generated/graphql.ts';
import type { OtpChannel } from './generated/graphql.ts';

/** What is kept between visits. Where no other program can read it: in a browser behind a server of yours, rather than in storage. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly expiresAt: number;
}

export interface SessionOptions {
  url: string;
  sellerId: string;
  /** Tokens from an earlier visit. */
  tokens?: Tokens;
  /** Called with every new pair, and with nothing when the session is over. Keep the newest: a refresh token is good once. */
  keep?: (tokens: Tokens | undefined) => void;
}

// Sooner than the token ends, so that no call is on its way when it does.
const EARLY = 45_000;

export class Session {
  private readonly nobody: Client;
  private tokens: Tokens | undefined;
  private renewing: Promise<void> | undefined;

  constructor(private readonly options: SessionOptions) {
    this.nobody = new Client({ url: options.url });
    this.tokens = options.tokens;
  }

  get isSignedIn(): boolean {
    return this.tokens !== undefined;
  }

  /** A client that calls as the customer, with a token that holds as long as the session does. */
  client(): Client {
    return new Client({ url: this.options.url, token: () => this.token(), refused: () => this.refused() });
  }

  /** Have a code sent; returns what `signIn` needs with it. Throws `Refused`, with TOO_MANY_ATTEMPTS when it was too soon. */
  async requestCode(channel: OtpChannel, destination: string): Promise<string> {
    const { sellerId } = this.options;
    const { requestOtp } = await this.nobody.ask(RequestCodeDocument, { sellerId, channel, destination });
    return accepted(requestOtp).challengeId ?? '';
  }

  /** Sign in with the code. Throws `Refused`: INVALID_CODE, CODE_EXPIRED, TOO_MANY_ATTEMPTS. */
  async signIn(challengeId: string, code: string): Promise<void> {
    const { login } = await this.nobody.ask(SignInDocument, { challengeId, code });
    this.take(accepted(login).tokens);
  }

  /** An access token that holds, or nothing when nobody is signed in any more. */
  async token(): Promise<string | undefined> {
    if (this.tokens && Date.now() > this.tokens.expiresAt - EARLY) {
      await this.renew();
    }
    return this.tokens?.accessToken;
  }

  /** End the session everywhere it is used. */
  async signOut(): Promise<void> {
    await this.client().ask(SignOutDocument, { everywhere: false });
    this.take(undefined);
  }

  private async refused(): Promise<boolean> {
    await this.renew();
    return this.isSignedIn;
  }

  /** Exchange the refresh token; whoever asks meanwhile shares the answer, since each is good once. */
  private renew(): Promise<void> {
    this.renewing ??= this.exchange().finally(() => {
      this.renewing = undefined;
    });
    return this.renewing;
  }

  private async exchange(): Promise<void> {
    if (this.tokens) {
      const { refreshTokens } = await this.nobody.ask(RefreshTokensDocument, { refreshToken: this.tokens.refreshToken });
      this.take(refreshTokens.tokens);
    }
  }

  private take(pair: { accessToken: string; refreshToken: string; expiresIn: number } | null | undefined): void {
    this.tokens = pair
      ? { accessToken: pair.accessToken, refreshToken: pair.refreshToken, expiresAt: Date.now() + pair.expiresIn * 1000 }
      : undefined;
    this.options.keep?.(this.tokens);
  }
}
