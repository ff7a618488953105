"""Sending: a core without I/O, and what drives it."""
