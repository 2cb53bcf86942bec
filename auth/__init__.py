"""Who calls and what they may do: principals, tokens, one-time codes; no I/O."""
