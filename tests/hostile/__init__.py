"""Input as damage and malice make it, in any number: scenarios, codes, traces, run folders."""
