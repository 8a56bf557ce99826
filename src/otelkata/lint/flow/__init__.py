"""What runs after what, and what becomes of a span on the way."""
