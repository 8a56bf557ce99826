"""Find tracing faults in source code without running it."""
