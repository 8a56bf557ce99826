"""What was observed of one submission: plain data, written to a file and read back."""
