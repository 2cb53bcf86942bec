"""The REST facade of the brief over the same services: public, internal, auth and health."""
