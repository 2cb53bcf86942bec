"""What earlier versions stored."""
