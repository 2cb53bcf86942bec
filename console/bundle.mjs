// How the pages of this folder are built: sources in, dist/ out, with the licences of what is inside and a manifest that says
// from which sources it was made, so that a test can tell when somebody forgot to build.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const LICENCE = /^(licen[cs]e|copying|notice)/i;
const OURS = ['build.mjs', 'index.html', 'package-lock.json', 'package.json'];

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** One checksum over the sources: of "<name>\n<checksum of content>\n" for each, in the order of their names. */
async function checksum(home, others) {
  const names = [...OURS, ...others, ...(await readdir(join(home, 'src'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))];
  const lines = await Promise.all(names.sort().map(async (name) => `${name}\n${sha256(await readFile(join(home, name)))}\n`));
  return sha256(...lines);
}

/** The licence texts of every package that gave a byte to *metafile*'s outputs. */
async function licences(home, metafile) {
  const inside = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = new Set(inside.map((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const texts = await Promise.all([...folders].map((folder) => licence(home, folder)));
  return texts.sort().join(`\n${'-'.repeat(80)}\n\n`);
}

async function licence(home, folder) {
  const { name, version, license, author, repository } = JSON.parse(await readFile(join(home, folder, 'package.json'), 'utf8'));
  const files = (await readdir(join(home, folder))).filter((file) => LICENCE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(home, folder, file), 'utf8')));
  if (files.length === 0 && license === 'MIT') {
    // Five packages of GraphiQL declare it and leave the text out.
    const holder = author?.name ?? author ?? `the authors of ${repository.url}`;
    texts.push(`Copyright (c) ${holder}\n\n${await readFile(join(home, 'mit.txt'), 'utf8')}`);
  }
  if (texts.length === 0) {
    throw new Error(`${name} (${license}) has no licence file: find its text before you ship it.`);
  }
  return `${name} ${version} (${license})\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}`;
}

/**
 * Build the page in the folder *home* with esbuild's *build* and *options*. Files in *assets* are taken as they are; *others*
 * are sources beside src/ and what every page has.
 */
export async function bundle(home, build, options, { assets = [], others = [] } = {}) {
  const dist = join(home, 'dist');
  const { metafile, outputFiles } = await build({
    absWorkingDir: home,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none', // they are in licences.txt, whole
    metafile: true,
    write: false,
    outdir: 'dist',
    ...options,
  });
  const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [path.slice(dist.length + 1), contents]));
  for (const name of ['index.html', ...assets]) {
    files[name] = await readFile(join(home, name));
  }
  files['licences.txt'] = Buffer.from(await licences(home, metafile));
  const checksums = Object.entries(files).map(([name, content]) => [name, sha256(content)]);
  const manifest = { sources: await checksum(home, [...assets, ...others]), files: Object.fromEntries(checksums.sort()) };
  files['manifest.json'] = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);

  await rm(dist, { recursive: true, force: true });
  await mkdir(dist);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(dist, name), content);
    console.log(`${name.padEnd(16)}${(content.length / 1024).toFixed(0).padStart(6)} KB`);
  }
}
