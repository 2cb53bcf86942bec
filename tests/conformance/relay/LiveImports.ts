// Pages of imports, and live fields whose events update the records they name.
import { graphql } from 'relay-runtime';

export const imports = graphql`
  fragment LiveImports_imports on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "LiveImportsPaginationQuery") {
    bulkImports(first: $count, after: $cursor) @connection(key: "LiveImports_bulkImports") {
      edges {
        node {
          id
          ...LiveImports_state
        }
      }
    }
  }
`;

export const state = graphql`
  fragment LiveImports_state on BulkImport
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "LiveImportsStateQuery") {
    status
    progress
    errors(first: $count, after: $cursor) @connection(key: "LiveImports_errors") {
      edges {
        node {
          row
          message
        }
      }
    }
  }
`;

export const one = graphql`
  subscription LiveImportsOneSubscription($id: ID!) {
    bulkImportProgress(id: $id) {
      ...LiveImports_state
    }
  }
`;

export const all = graphql`
  subscription LiveImportsAllSubscription($seller: ID) {
    bulkImportsProgress(sellerId: $seller) {
      ...LiveImports_state
    }
  }
`;

export const events = graphql`
  subscription LiveImportsCustomersSubscription($customer: ID) {
    customerEvents(customerId: $customer) {
      id
      type
      changed
    }
  }
`;
