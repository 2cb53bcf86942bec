"""DataLoaders: what belongs together is loaded together."""
