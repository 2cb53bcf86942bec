"""Live fields: the current state first, then changes, then completion."""
