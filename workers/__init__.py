"""Background loops: each is one step and the shared loop that repeats it."""
