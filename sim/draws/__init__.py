"""Random numbers: keyed counter-based draws and the tables that give them their shape."""
