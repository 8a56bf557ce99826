"""What a run of the linter found, in the forms that people and programs read."""
