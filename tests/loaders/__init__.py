"""The GraphQL API, through the real ASGI application and real servers."""
