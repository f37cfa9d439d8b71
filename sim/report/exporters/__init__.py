"""Formats of other programs a run is handed to; each file holds an ``EXPORTER``."""
