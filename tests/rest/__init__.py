"""Tests of the REST facade."""
