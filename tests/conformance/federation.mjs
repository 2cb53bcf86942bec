// Composes this service with another subgraph, and plans nothing by hand: what gateways would be given, or why not.
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { given, tell } from './lines.mjs';

const { supergraphSdl, schema, errors = [], hints = [] } = composeServices(
  Object.entries(given.subgraphs).map(([name, sdl]) => ({ name, url: `http://${name}.test/graphql`, typeDefs: parse(sdl) })),
);

for (const error of errors) tell({ what: 'error', message: error.message, code: error.extensions?.code ?? null });
for (const hint of hints) tell({ what: 'hint', code: hint.definition.code, level: hint.definition.level.name, message: hint.message });
if (supergraphSdl) {
  const fields = (type) => schema.type(type).fields().map((field) => field.name);
  tell({ what: 'supergraph', sdl: supergraphSdl, customer: fields('Customer'), query: fields('Query') });
}
