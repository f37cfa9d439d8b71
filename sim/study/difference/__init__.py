"""In what two scenarios, or two runs, differ."""
