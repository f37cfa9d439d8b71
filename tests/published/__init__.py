"""Published figures that scenarios must reproduce, each with its source, tolerance and control."""
