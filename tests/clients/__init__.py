"""Clients of the service, against the service."""
