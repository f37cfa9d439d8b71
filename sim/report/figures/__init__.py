"""Figures: what is drawn, from which table, and how it becomes a picture."""
