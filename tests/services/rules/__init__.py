"""The rules: pure functions that normalise what comes in and say what is wrong with it."""
