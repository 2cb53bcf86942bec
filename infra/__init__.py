"""One module per remote system: the only code that speaks its protocol."""
