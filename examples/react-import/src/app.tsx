import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { WhoAmIDocument } from 'customer-service-client/operations';

import { NewImport } from './new-import';
import { renew, SIGN_IN, signOut } from './operator';
import { RunningImport } from './running-import';

export function App() {
  const [signedIn, setSignedIn] = useState<boolean>();
  useEffect(() => {
    void renew().then(setSignedIn);
  }, []);

  if (signedIn === undefined) {
    return <main aria-busy="true" />;
  }
  return signedIn ? <Imports onLeave={() => void signOut().then(() => setSignedIn(false))} /> : <SignIn onBack={setSignedIn} />;
}

/** In a tab of its own, so that this works without changing where the service sends people after they have signed in. */
function SignIn({ onBack }: { onBack: (signedIn: boolean) => void }) {
  const [tried, setTried] = useState(false);
  const goOn = async () => {
    const signedIn = await renew();
    setTried(!signedIn);
    onBack(signedIn);
  };
  return (
    <main>
      <h1>Import customers</h1>
      <p>
        <a className="button" href={SIGN_IN} target="_blank" rel="noreferrer">
          Sign in
        </a>{' '}
        in the tab that opens, then come back.
      </p>
      <button type="button" onClick={() => void goOn()}>
        I have signed in
      </button>
      {tried && <p role="alert">Nobody is signed in yet.</p>}
    </main>
  );
}

function Imports({ onLeave }: { onLeave: () => void }) {
  const [id, setId] = useState<string>();
  const [{ data }] = useQuery({ query: WhoAmIDocument, variables: {} });
  return (
    <main>
      <header>
        <h1>Import customers</h1>
        <p>
          {data?.viewer.sellerId}{' '}
          <button type="button" onClick={onLeave}>
            Sign out
          </button>
        </p>
      </header>
      {id === undefined ? <NewImport onStarted={setId} /> : <RunningImport key={id} id={id} onAgain={() => setId(undefined)} onRetried={setId} />}
    </main>
  );
}
