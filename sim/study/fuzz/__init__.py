"""Scenarios drawn from a seed, each held to everything that must hold of any scenario."""
