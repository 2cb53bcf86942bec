"""Tests that mirror the source, with the same stems; each reads as a sentence."""
