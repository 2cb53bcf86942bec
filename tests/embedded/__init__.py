"""Tests of the development stack, on real child processes."""
