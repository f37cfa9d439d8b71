"""Arms against each other on the same customers, paired."""
