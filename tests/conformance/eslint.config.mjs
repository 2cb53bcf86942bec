// What @graphql-eslint asks of the schema. Every departure from its recommended and Relay rules says why.
import plugin from '@graphql-eslint/eslint-plugin';

// Parts of an answer or of something that has an id: nobody finds them again, and no cache needs their names.
const VALUES = [
  'Attribute',
  'BulkImportColumn',
  'BulkImportError',
  'BulkImportFailure',
  'BulkImportFormat',
  // What a file would become is worked out anew each time it is asked for, and stored nowhere.
  'BulkImportPreview',
  'BulkImportPreviewAddress',
  'BulkImportPreviewCustomer',
  'BulkImportPreviewDocument',
  'BulkImportPreviewProblem',
  'BulkImportPreviewRow',
  'CustomerMatch',
  // Entries of a ledger, which is asked for as a whole.
  'Consent',
  'DocumentFile',
  'DocumentScan',
  'DocumentUpload',
  'DownloadTarget',
  // There is one for a customer that was erased, and it is asked for by that customer's id.
  'ErasureReceipt',
  'ErasureSwept',
  'Header',
  'Onboarding',
  'PageInfo',
  'TokenPair',
  'UploadTarget',
  'UserError',
  'Viewer', // whoever the token names; there is one for each token
  'CustomerRetention',
  'DocumentRead',
  'EventOrigin',
  'FieldChange',
  'LegalHold',
  'MergeAddress',
  'MergeBlock',
  'MergeConflict',
  'MergePreview',
  'MergeTakeOver',
  'PossibleDuplicate',
];

export default [
  {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': plugin },
    languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: process.env.SCHEMA } } },
    rules: {
      ...plugin.configs['flat/schema-recommended'].rules,
      ...plugin.configs['flat/schema-relay'].rules,

      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          acceptedIdNames: ['id'],
          acceptedIdTypes: ['ID'],
          // What became of a mutation, a page of a list and a place in it are made for one answer.
          exceptions: { types: VALUES, suffixes: ['Payload', 'Connection', 'Edge'] },
        },
      ],
      '@graphql-eslint/relay-edge-types': [
        'error',
        {
          withEdgeSuffix: true,
          // Rows of an import and entries of a history are read with what they belong to, never alone: they are no Nodes.
          shouldImplementNode: false,
          // A connection has `nodes` beside `edges`, and lists that are bounded (tags, an address's lines) are plain lists.
          listTypeCanWrapOnlyEdgeType: false,
        },
      ],
      '@graphql-eslint/relay-arguments': [
        'error',
        // Only `customers` can be walked backwards; the names of the others' arguments are the contract's.
        { includeBoth: false },
      ],
      '@graphql-eslint/require-description': [
        'error',
        // As far as it goes, and further; but @oneOf is GraphQL's own, printed for tools that do not know it yet.
        {
          types: true,
          rootField: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
        },
      ],
    },
  },
];
