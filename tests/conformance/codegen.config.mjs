// Types for the sample operations, by the client preset (typescript, typescript-operations and typed-document-node).
export default {
  schema: './schema.graphql',
  documents: './operations/*.graphql',
  generates: {
    './generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { useTypeImports: true, strictScalars: true, scalars: { Date: 'string', DateTime: 'string' } },
    },
  },
};
