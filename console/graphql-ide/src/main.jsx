import { setNonce } from 'get-nonce';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { CallerBar } from './caller-bar.jsx';
import { createFetcher } from './fetcher.js';
import { NextStep } from './next-step.jsx';
import { textOf } from './open-operation.js';
import { load, operations } from './operations.js';
import { OPERATIONS_PLUGIN } from './operations-plugin.jsx';
import './page.css';
import * as tokens from './tokens.js';
import { isWide } from './wide.js';

// Dialogs put a style element into the page to hold it still; the content security policy knows it by this number.
setNonce(document.querySelector('script[nonce]').nonce);

const PLUGINS = [OPERATIONS_PLUGIN];
const AT_FIRST = 3;

/** What a first visit has open: who one is, what there is, and the beginning of the first flow. */
const firstTabs = () => operations().slice(0, AT_FIRST).map(({ query, variables }) => ({ query, variables: textOf(variables) }));

function Page() {
  const [token, setToken] = useState(tokens.load);
  const [tabs] = useState(firstTabs);
  const fetcher = useMemo(() => createFetcher(token), [token]);

  const [before, setBefore] = useState('');

  const change = useCallback((given) => setToken(tokens.save(given)), []);
  const goOnAs = (given) => {
    setBefore(token);
    change(given);
  };
  useEffect(() => {
    // Somebody opens the printed link again, in a tab that shows this page already.
    const renew = () => setToken(tokens.load());
    window.addEventListener('hashchange', renew);
    return () => window.removeEventListener('hashchange', renew);
  }, []);

  return (
    <>
      <CallerBar fetcher={fetcher} token={token} before={before} onToken={change} />
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={tabs.length > 0 ? tabs : undefined}
        defaultEditorToolsVisibility={isWide() && 'variables'}
        plugins={PLUGINS}
        // Headers may hold a token, and storage outlives the tab.
        shouldPersistHeaders={false}
        showPersistHeadersSettings={false}
        schemaDescription
      >
        <GraphiQL.Logo>
          <span className="name">Customer Service</span>
        </GraphiQL.Logo>
        <GraphiQL.Footer>
          <NextStep token={token} onToken={goOnAs} />
        </GraphiQL.Footer>
      </GraphiQL>
    </>
  );
}

load().then(() => createRoot(document.getElementById('page')).render(<Page />));
