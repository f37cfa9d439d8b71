"""One file per study: its result as a document of blocks, in words, tables and bars."""
