"""Servers that do the same work, to measure ours against."""
