"""Composition root: settings, container, schema assembly, ASGI app, observability and the command line."""
