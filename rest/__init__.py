"""The REST facade: so far, health."""
