import { render } from 'preact';

import { App } from './app';
import './style/colours.css';
import './style/base.css';
import './style/frame.css';
import './style/parts.css';
import './style/tables.css';
import './style/imports.css';
import './style/records.css';
import { go } from './router';
import { begin, current, listen, returnPath } from './session/session';

const stopWaiting = listen(() => {
  if (current().state === 'in') {
    stopWaiting();
    const path = returnPath();
    if (path !== null && path !== location.pathname + location.search) {
      go(path.slice('/console'.length), { replace: true });
    }
  }
});

// Somebody opens the link with a token again, in a tab that shows this page already.
addEventListener('hashchange', () => void begin());
// A file that misses the place for it would otherwise replace the page.
for (const kind of ['dragover', 'drop']) {
  addEventListener(kind, (event) => event.preventDefault());
}

const place = document.getElementById('console');
if (place) {
  render(<App />, place);
}
void begin();
