"""Stored shapes: Beanie documents and their indexes."""
