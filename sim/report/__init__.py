"""Show it: tables in every format, the same for every command."""
