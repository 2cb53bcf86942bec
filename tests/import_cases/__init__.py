"""The files that shops, spreadsheets and attackers send, and what becomes of them."""
