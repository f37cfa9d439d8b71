"""How each payment system works: one file per kind of rail, its configuration and its stages."""
