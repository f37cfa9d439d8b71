"""A page for people to look at: its parts, its style, and what it may do."""
