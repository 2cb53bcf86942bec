"""GraphQL operations, compiled once and executed a whole level at a time. Knows graphql-core, and nothing of this service."""
