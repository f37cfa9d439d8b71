"""Which payments come: arrivals, payers and amounts of every stream, in chunks."""
