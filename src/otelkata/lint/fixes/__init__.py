"""Change source without changing what it does otherwise."""
