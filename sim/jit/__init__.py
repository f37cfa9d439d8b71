"""How a function becomes machine code, and where the code is kept."""
