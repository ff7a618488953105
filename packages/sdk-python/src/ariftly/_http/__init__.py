"""Requests without I/O: what the two shells of `_base_client` share."""
