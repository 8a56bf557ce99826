"""The parts of the command `kata-lint`."""
