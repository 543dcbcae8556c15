"""Seeing: what was asked of the sources, what they answered, and what stayed unseen."""
