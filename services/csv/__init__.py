"""Reading and writing customer files as text: no I/O, no rules."""
