import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';

import { Button, Notice } from '../parts/basics';
import { ThemeSwitch } from '../theme-switch';
import { begin, ownAddress, type Session, signIn, takesTokens, useToken } from './session';

/** What is shown as long as nobody is signed in. */
export function SignIn({ session }: { session: Exclude<Session, { state: 'in' }> }): JSX.Element {
  useEffect(() => {
    document.title = 'Sign in · Customer Service';
  }, []);
  return (
    <main class="sign-in">
      <div class="panel">
        <img src="/console/assets/icon.svg" alt="" width="48" height="48" />
        <h1>Customer Service</h1>
        <Way session={session} />
      </div>
      <ThemeSwitch />
    </main>
  );
}

function Way({ session }: { session: Exclude<Session, { state: 'in' }> }): JSX.Element {
  switch (session.state) {
    case 'unknown':
      return (
        <p class="muted" role="status">
          <span class="spinner" aria-hidden="true" /> One moment …
        </p>
      );
    case 'unreachable':
      return (
        <>
          <Notice tone="bad" title="The service does not answer">
            <p>Look at your connection, and try again.</p>
          </Notice>
          <Button look="main" icon="again" onClick={() => void begin()}>
            Try again
          </Button>
        </>
      );
    case 'elsewhere':
      return <Elsewhere />;
    default:
      return (
        <>
          {session.notice && (
            <Notice>
              <p>{session.notice}</p>
            </Notice>
          )}
          {session.provider ? (
            <>
              <p class="muted">You sign in with the account of your company.</p>
              <Button look="main" icon="arrow" onClick={signIn}>
                Sign in
              </Button>
            </>
          ) : (
            <WithoutProvider />
          )}
        </>
      );
  }
}

/** Opened under another name of the same machine: sign-in holds for one address only. */
function Elsewhere(): JSX.Element {
  const address = ownAddress();
  return (
    <Notice tone="warn" title="This is not the address for signing in">
      {address ? (
        <p>
          Go on at <a href={`${address.replace(/\/$/, '')}/console`}>{address}</a>.
        </p>
      ) : (
        <p>Ask whoever runs the service for its address.</p>
      )}
    </Notice>
  );
}

function WithoutProvider(): JSX.Element {
  const [token, setToken] = useState('');
  const id = useId();
  if (!takesTokens()) {
    return (
      <Notice tone="warn" title="Nobody can sign in yet">
        <p>Whoever runs the service has to name an identity provider first (security.operatorSignIn).</p>
      </Notice>
    );
  }
  return (
    <form
      class="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim()) {
          useToken(token);
        }
      }}
    >
      <p class="muted">No identity provider is configured. In development a token will do, as long as this page is open.</p>
      <div class="field">
        <label for={id}>Access token of an operator</label>
        <input id={id} type="password" autocomplete="off" value={token} onInput={(event) => setToken(event.currentTarget.value)} />
      </div>
      <Button type="submit" look="main">
        Go on
      </Button>
    </form>
  );
}
