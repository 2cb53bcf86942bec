"""Facts about customers: frozen, versioned, keyed."""
