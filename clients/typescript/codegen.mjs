// Types of the ready operations, and each operation as a document that knows its types. For your own operations name your own
// folder in `documents`.
export default {
  schema: '../../schema/schema.graphql',
  // What gateways ask is not for front ends.
  documents: ['../../examples/operations/**/*.graphql', '!../../examples/operations/7-federation/*'],
  generates: {
    './src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        strictScalars: true,
        scalars: { Date: 'string', DateTime: 'string', ID: 'string' },
        enumsAsTypes: true,
      },
    },
  },
};
