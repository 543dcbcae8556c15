"""Benchmarks: how fast the gate is, and how good its verdicts are."""
