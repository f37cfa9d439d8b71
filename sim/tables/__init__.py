"""What happened: Arrow schemas, the run folder, provenance, and the audit that replays it."""
