"""What clients see of GraphQL: types, inputs, payloads, enums; `schema.graphql` is the committed SDL."""
