"""Tests of compiled_graphql."""
