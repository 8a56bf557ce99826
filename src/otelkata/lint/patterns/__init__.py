"""What several rules of a group look for."""
