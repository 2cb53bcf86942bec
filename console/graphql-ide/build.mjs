// Builds dist/ from src/: one script, one style sheet, the page.

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { bundle } from '../bundle.mjs';

/** GraphiQL's style sheet without the 290 KB of fonts in it: page.css names fonts of the machine. */
const withoutFonts = {
  name: 'without-fonts',
  setup(builder) {
    builder.onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/@font-face\s*\{[^}]*\}/g, ''),
      loader: 'css',
    }));
  },
};

await bundle(
  dirname(fileURLToPath(import.meta.url)),
  build,
  { entryPoints: ['src/main.jsx'], plugins: [withoutFonts] },
  { others: ['mit.txt'] },
);
