"""Deciding: typed facts and reviewed rules give the verdict."""
