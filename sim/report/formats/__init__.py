"""One file per format, named as ``--format`` names it; see :mod:`sim.report.rendering`."""
