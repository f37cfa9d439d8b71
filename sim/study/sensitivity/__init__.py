"""Which assumption decides the answer, and what to measure first."""
