"""Recordings: series in a file, the formats they come in, and how selectors pick among them."""
