"""What the layers promise each other: the meaning of a run, and plain data without behaviour."""
