// A paged list, as usePaginationFragment reads it: the connection on Query, its rows in fragments of their own.
import { graphql } from 'relay-runtime';

export const page = graphql`
  query CustomerListPageQuery($filter: CustomerFilter, $count: Int = 20) {
    ...CustomerListPage_customers @arguments(filter: $filter, count: $count)
    viewer {
      ...CustomerListPage_viewer
    }
  }
`;

export const list = graphql`
  fragment CustomerListPage_customers on Query
  @argumentDefinitions(filter: { type: "CustomerFilter" }, count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "CustomerListPagePaginationQuery") {
    customers(filter: $filter, sort: NAME_ASC, first: $count, after: $cursor)
      @connection(key: "CustomerListPage_customers", filters: ["filter"]) {
      totalCount
      edges {
        node {
          id
          ...CustomerListPage_row
        }
      }
    }
  }
`;

export const both = graphql`
  fragment CustomerListPage_backwards on Query
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  )
  @refetchable(queryName: "CustomerListPageBackwardsQuery") {
    customers(first: $first, after: $after, last: $last, before: $before) @connection(key: "CustomerListPage__backwards_customers") {
      edges {
        node {
          id
        }
      }
    }
  }
`;

export const row = graphql`
  fragment CustomerListPage_row on Customer {
    fullName
    status
    email
    tags
  }
`;

export const viewer = graphql`
  fragment CustomerListPage_viewer on Viewer @refetchable(queryName: "CustomerListPageViewerQuery") {
    subject
    scopes
  }
`;
