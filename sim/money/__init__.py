"""Integer money: the arithmetic of fees and foreign exchange."""
