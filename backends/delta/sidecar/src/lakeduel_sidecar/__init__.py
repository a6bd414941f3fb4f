"""The delta-rs command line of lakeduel: JSON requests in, JSON answers out, rows only by reference."""

__version__ = "0.1.0"
