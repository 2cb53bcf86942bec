// Builds dist/ from src/: the script, a small one that runs before anything is drawn, one style sheet, the page.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { bundle } from '../bundle.mjs';

await bundle(
  dirname(fileURLToPath(import.meta.url)),
  build,
  {
    entryPoints: { main: 'src/main.tsx', theme: 'src/theme-first.ts' },
    jsxImportSource: 'preact',
    // The first of each to know light-dark(), which the two colour schemes are written with.
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
  },
  { assets: ['icon.svg'], others: ['tsconfig.json', 'types.mjs'] },
);
