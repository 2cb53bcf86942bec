// One customer with its parts: fragments that refetch through node(id:), and a connection inside an entity.
import { graphql } from 'relay-runtime';

export const page = graphql`
  query CustomerPageQuery($id: ID!) {
    customer(id: $id) {
      ...CustomerPage_profile
      ...CustomerPage_addresses
      ...CustomerPage_documents
      ...CustomerPage_history
    }
    node(id: $id) {
      __typename
      ...CustomerPage_profile @alias(as: "profile")
    }
  }
`;

export const profile = graphql`
  fragment CustomerPage_profile on Customer @refetchable(queryName: "CustomerPageProfileQuery") {
    fullName
    dateOfBirth
    attributes {
      key
      value
    }
    onboarding {
      complete
      remaining
    }
    version
  }
`;

export const addresses = graphql`
  fragment CustomerPage_addresses on Customer
  @argumentDefinitions(kind: { type: "AddressKind" })
  @refetchable(queryName: "CustomerPageAddressesQuery") {
    addresses(kind: $kind) {
      ...CustomerPage_address
    }
    defaultAddress(kind: SHIPPING) {
      ...CustomerPage_address
    }
  }
`;

export const address = graphql`
  fragment CustomerPage_address on Address @refetchable(queryName: "CustomerPageAddressQuery") {
    formatted
    isDefault
    customer {
      id
    }
  }
`;

export const documents = graphql`
  fragment CustomerPage_documents on Customer {
    documents(status: VERIFIED) {
      type
      number
      file {
        name
        downloadUrl
      }
    }
  }
`;

export const history = graphql`
  fragment CustomerPage_history on Customer
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "CustomerPageHistoryQuery") {
    history(first: $count, after: $cursor) @connection(key: "CustomerPage_history") {
      edges {
        node {
          id
          type
          occurredAt
        }
      }
    }
  }
`;
