"""Run scenarios: one run from file to run folder, and its result."""
