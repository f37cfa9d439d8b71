"""payroute: a discrete-event simulator of cross-border payment routing around Cambodia."""

__version__ = "0.1.0"
