"""Whether a run is what the specification says: a reading of the log and the tables of its own."""
