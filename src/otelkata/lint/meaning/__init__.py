"""What the names of a file stand for."""
