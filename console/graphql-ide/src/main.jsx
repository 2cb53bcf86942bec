import { setNonce } from 'get-nonce';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { CallerBar } from './caller-bar.jsx';
import { EXAMPLES } from './examples.js';
import { EXAMPLES_PLUGIN } from './examples-plugin.jsx';
import { createFetcher } from './fetcher.js';
import './page.css';
import * as tokens from './tokens.js';
import { isWide } from './wide.js';

// Dialogs put a style element into the page to hold it still; the content security policy knows it by this number.
setNonce(document.querySelector('script[nonce]').nonce);

const PLUGINS = [EXAMPLES_PLUGIN];

function Page() {
  const [token, setToken] = useState(tokens.load);
  const fetcher = useMemo(() => createFetcher(token), [token]);

  const change = useCallback((given) => setToken(tokens.save(given)), []);
  useEffect(() => {
    // Somebody opens the printed link again, in a tab that shows this page already.
    const renew = () => setToken(tokens.load());
    window.addEventListener('hashchange', renew);
    return () => window.removeEventListener('hashchange', renew);
  }, []);

  return (
    <>
      <CallerBar fetcher={fetcher} token={token} onToken={change} />
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={EXAMPLES}
        defaultEditorToolsVisibility={isWide() && 'variables'}
        plugins={PLUGINS}
        // Headers may hold a token, and storage outlives the tab.
        shouldPersistHeaders={false}
        showPersistHeadersSettings={false}
        schemaDescription
      >
        <GraphiQL.Logo>
          <span className="name">GraphQL</span>
        </GraphiQL.Logo>
      </GraphiQL>
    </>
  );
}

createRoot(document.getElementById('page')).render(<Page />);
