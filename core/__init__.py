"""Words every layer shares: errors, ids, clock, paging, text."""
