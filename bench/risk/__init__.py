"""Fitting and measuring the shipped model of change risk."""
