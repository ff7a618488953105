"""Listening: a core without I/O under a synchronous and an asynchronous shell."""
