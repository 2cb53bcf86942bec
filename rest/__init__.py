"""The REST facade: customers, addresses and sign-in for programs, tokens, health."""
