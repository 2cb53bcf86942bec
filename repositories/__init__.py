"""Every MongoDB query, and the unit of work that commits them."""
