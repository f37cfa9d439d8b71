"""The same scenario again and again, as often as a precision asks for."""
