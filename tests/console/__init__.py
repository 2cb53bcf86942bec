"""Pages in a real browser, against the served application."""
