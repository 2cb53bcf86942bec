"""GraphQL on every wire: the schema put together, what guards it, and how requests and answers travel."""
