"""Judging: pure numbers in, findings out."""
