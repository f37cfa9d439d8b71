"""The load at which a promise breaks, and what breaks it."""
