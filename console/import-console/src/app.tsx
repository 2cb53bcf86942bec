import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { CustomerPage } from './customers/customer';
import { CustomerSearch } from './customers/search';
import { DocumentList } from './documents/list';
import { DocumentPage } from './documents/review';
import { ImportPage } from './imports/import';
import { ImportList } from './imports/list';
import { NewImport } from './imports/new';
import { person } from './format';
import { WhoAmI } from './operations';
import { Empty, Link, Notice } from './parts/basics';
import { Icon, type IconName } from './parts/icons';
import { Page } from './parts/page';
import { usePlace } from './router';
import { current, listen, signOut } from './session/session';
import { SignIn } from './session/sign-in';
import { ThemeSwitch } from './theme-switch';
import { useAsk } from './use-ask';

const SECTIONS: { name: string; text: string; icon: IconName }[] = [
  { name: 'imports', text: 'Imports', icon: 'upload' },
  { name: 'customers', text: 'Customers', icon: 'people' },
  { name: 'documents', text: 'Documents', icon: 'paper' },
];

export function App(): JSX.Element {
  const [session, setSession] = useState(current);
  useEffect(() => {
    const show = (): void => setSession(current());
    // It may have changed since the first drawing.
    show();
    return listen(show);
  }, []);
  return session.state === 'in' ? <Signed /> : <SignIn session={session} />;
}

function Signed(): JSX.Element {
  const { path } = usePlace();
  const [section = 'imports'] = path;
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <Link to="/imports" class="brand">
          <img src="/console/assets/icon.svg" alt="" width="28" height="28" />
          <span>Customer Service</span>
        </Link>
        <nav aria-label="Sections">
          {SECTIONS.map(({ name, text, icon }) => (
            <Link key={name} to={`/${name}`} aria-current={name === section ? 'page' : undefined}>
              <Icon name={icon} /> {text}
            </Link>
          ))}
        </nav>
        <Account />
      </header>
      <main id="content" tabIndex={-1}>
        <Content path={path} />
      </main>
    </>
  );
}

/** The address stays what it is: "#content" is no page. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function Content({ path }: { path: string[] }): JSX.Element {
  const [section = 'imports', id, ...rest] = path;
  if (rest.length === 0) {
    switch (section) {
      case 'imports':
        return id === undefined ? <ImportList /> : id === 'new' ? <NewImport /> : <ImportPage key={id} id={id} />;
      case 'customers':
        return id === undefined ? <CustomerSearch /> : <CustomerPage key={id} id={id} />;
      case 'documents':
        return id === undefined ? <DocumentList /> : <DocumentPage key={id} id={id} />;
      default:
    }
  }
  return (
    <Page title="There is no such page">
      <Empty icon="search" title="Nothing is at this address">
        <p>
          <Link to="/imports">Imports</Link>
        </p>
      </Empty>
    </Page>
  );
}

function Account(): JSX.Element {
  const { data } = useAsk(WhoAmI, {});
  const [failed, setFailed] = useState(false);
  const viewer = data?.viewer;
  return (
    <div class="account">
      {viewer && (
        <p title={viewer.subject}>
          <span class="who">{person(viewer.subject)}</span>
          <span class="small muted">{viewer.sellerId ?? 'every seller'}</span>
        </p>
      )}
      <ThemeSwitch />
      <button
        type="button"
        class="button quiet only-icon"
        aria-label="Sign out"
        title="Sign out"
        onClick={() => void signOut().then((done) => setFailed(!done))}
      >
        <Icon name="leave" />
      </button>
      {failed && (
        <div class="toast">
          <Notice tone="bad">
            <p>You are still signed in: the service does not answer. Try again.</p>
          </Notice>
        </div>
      )}
    </div>
  );
}
