"""Statistics against published examples and closed forms."""
