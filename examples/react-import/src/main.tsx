import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'urql';

import { App } from './app';
import './style.css';
import { client } from './urql';

const page = document.getElementById('page');
if (page) {
  createRoot(page).render(
    <StrictMode>
      <Provider value={client}>
        <App />
      </Provider>
    </StrictMode>,
  );
}
