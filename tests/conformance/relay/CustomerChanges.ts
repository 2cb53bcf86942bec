// Mutations that tell the store what became of it.
import { graphql } from 'relay-runtime';

export const create = graphql`
  mutation CustomerChangesCreateMutation($input: CustomerInput!, $connections: [ID!]!) {
    createCustomer(input: $input) {
      customer @prependNode(connections: $connections, edgeTypeName: "CustomerEdge") {
        id
        ...CustomerListPage_row
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`;

export const update = graphql`
  mutation CustomerChangesUpdateMutation($id: ID!, $patch: CustomerPatch!, $version: Int) {
    updateCustomer(id: $id, patch: $patch, expectedVersion: $version) {
      customer {
        ...CustomerPage_profile
      }
      userErrors {
        code
        currentVersion
      }
    }
  }
`;

export const remove = graphql`
  mutation CustomerChangesDeleteMutation($id: ID!, $connections: [ID!]!) {
    deleteCustomer(id: $id) {
      deletedId @deleteRecord @deleteEdge(connections: $connections)
      userErrors {
        message
      }
    }
  }
`;

export const address = graphql`
  mutation CustomerChangesAddressMutation($customer: ID!, $input: AddressFields!) {
    createAddress(customerId: $customer, input: $input) {
      address {
        ...CustomerPage_address
        customer {
          ...CustomerPage_addresses
        }
      }
    }
  }
`;
