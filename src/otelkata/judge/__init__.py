"""Judge evidence: checks are pure functions of it."""
