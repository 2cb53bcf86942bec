// Builds dist/ from src/: one script, one style sheet, the page, the licences of what is inside, and a manifest that says
// from which sources it was made, so that a test can tell when somebody forgot to build.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
const LICENCE = /^(licen[cs]e|copying|notice)/i;

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

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** One checksum over the sources: of "<name>\n<checksum of content>\n" for each, in the order of their names. */
async function sources() {
  const names = ['build.mjs', 'index.html', 'mit.txt', 'package-lock.json', 'package.json'];
  names.push(...(await readdir(join(HERE, 'src'))).map((name) => `src/${name}`));
  const lines = await Promise.all(names.sort().map(async (name) => `${name}\n${sha256(await readFile(join(HERE, name)))}\n`));
  return sha256(...lines);
}

/** The licence texts of every package that gave a byte to *metafile*'s outputs. */
async function licences(metafile) {
  const inside = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = new Set(inside.map((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const texts = await Promise.all([...folders].map(licence));
  return texts.sort().join(`\n${'-'.repeat(80)}\n\n`);
}

async function licence(folder) {
  const { name, version, license, author, repository } = JSON.parse(await readFile(join(HERE, folder, 'package.json'), 'utf8'));
  const files = (await readdir(join(HERE, folder))).filter((file) => LICENCE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(HERE, folder, file), 'utf8')));
  if (files.length === 0 && license === 'MIT') {
    // Five packages declare it and leave the text out.
    const holder = author?.name ?? author ?? `the authors of ${repository.url}`;
    texts.push(`Copyright (c) ${holder}\n\n${await readFile(join(HERE, 'mit.txt'), 'utf8')}`);
  }
  if (texts.length === 0) {
    throw new Error(`${name} (${license}) has no licence file: find its text before you ship it.`);
  }
  return `${name} ${version} (${license})\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}`;
}

const { metafile, outputFiles } = await build({
  absWorkingDir: HERE,
  entryPoints: ['src/main.jsx'],
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  loader: { '.graphql': 'text' },
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none', // they are in licences.txt, whole
  plugins: [withoutFonts],
  metafile: true,
  write: false,
  outdir: 'dist',
});
const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [path.slice(DIST.length + 1), contents]));
files['index.html'] = await readFile(join(HERE, 'index.html'));
files['licences.txt'] = Buffer.from(await licences(metafile));
const checksums = Object.entries(files).map(([name, content]) => [name, sha256(content)]);
const manifest = { sources: await sources(), files: Object.fromEntries(checksums.sort()) };
files['manifest.json'] = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST);
for (const [name, content] of Object.entries(files)) {
  await writeFile(join(DIST, name), content);
  console.log(`${name.padEnd(16)}${(content.length / 1024).toFixed(0).padStart(6)} KB`);
}
