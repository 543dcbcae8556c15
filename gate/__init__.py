"""Gate: promote, hold or roll back? The release gate for progressive delivery."""

__version__ = "0.1.0"
