// Writes src/operations.ts from src/operations.graphql and the committed SDL: the types of every operation, and its text.

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { codegen } from '@graphql-codegen/core';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { buildSchema, Kind, parse, printSchema, stripIgnoredCharacters, visit } from 'graphql';

const HERE = dirname(fileURLToPath(import.meta.url));
const HEAD = `// Made by types.mjs from operations.graphql and schema/schema.graphql: change those, and \`make console\`.

/** The text of an operation, which knows what it answers and what it wants. */
export type Operation<Answer, Variables> = string & { readonly answer?: Answer; readonly variables?: Variables };
`;

const sdl = await readFile(join(HERE, '../../schema/schema.graphql'), 'utf8');
const source = await readFile(join(HERE, 'src/operations.graphql'), 'utf8');
const schema = buildSchema(sdl);
const document = parse(source, { noLocation: true });

const types = await codegen({
  filename: 'operations.ts',
  schema: parse(printSchema(schema)),
  schemaAst: schema,
  documents: [{ location: 'operations.graphql', document }],
  plugins: [{ types: {} }],
  pluginMap: { types: typescriptOperations },
  config: {
    enumType: 'string-literal',
    scalars: { Date: 'string', DateTime: 'string' },
    strictScalars: true,
    skipTypename: true,
    useTypeImports: true,
  },
});

const fragments = new Map(
  document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
);
const texts = new Map(splitByDefinition(source).map((text) => [parse(text).definitions[0].name.value, text]));

/** The names of the fragments that *definition* spreads, itself or by way of others. */
function spread(definition, found = new Set()) {
  visit(definition, {
    FragmentSpread({ name }) {
      if (!found.has(name.value)) {
        found.add(name.value);
        spread(fragments.get(name.value), found);
      }
    },
  });
  return found;
}

function splitByDefinition(text) {
  return parse(text).definitions.map(({ loc }) => text.slice(loc.start, loc.end));
}

const constants = document.definitions
  .filter((one) => one.kind === Kind.OPERATION_DEFINITION)
  .map((one) => {
    const name = one.name.value;
    const kind = one.operation[0].toUpperCase() + one.operation.slice(1);
    const text = stripIgnoredCharacters([name, ...spread(one)].map((part) => texts.get(part)).join('\n'));
    return `export const ${name}: Operation<${name}${kind}, ${name}${kind}Variables> =\n  ${JSON.stringify(text)};\n`;
  });

await writeFile(join(HERE, 'src/operations.ts'), [HEAD, `${types.trim()}\n`, ...constants].join('\n'));
