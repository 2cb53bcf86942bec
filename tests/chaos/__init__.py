"""What imports survive, for longer than `make test` has time: `make chaos`."""
