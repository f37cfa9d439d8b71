"""Run it: the reference engine, the compiled kernel, and the integer arithmetic both share."""
