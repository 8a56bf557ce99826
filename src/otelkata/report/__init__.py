"""Say what a verdict is, to people and to programs."""
