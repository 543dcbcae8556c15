"""Remembering: every decision, append-only and hash-chained."""
