"""Business rules, and the only code that changes anything."""
