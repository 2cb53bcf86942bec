import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The development server stands in front of the service, as your own proxy would: one origin for the page, the API and the
// sign-in. What it passes on comes from the service's own origin, which is the one that signing in holds for.
const service = process.env.SERVICE ?? 'http://127.0.0.1:8084';
const proxy = Object.fromEntries(['/graphql', '/auth'].map((path) => [path, { target: service, headers: { origin: service } }]));

export default defineConfig({
  plugins: [react()],
  server: { host: '127.0.0.1', proxy, fs: { allow: ['../..'] } },
  preview: { host: '127.0.0.1', proxy },
  // The client is a folder beside this one and has copies of its own.
  resolve: { dedupe: ['graphql', 'graphql-sse', '@graphql-typed-document-node/core'] },
});
