"""The error budget: what an objective allows, how much of it is used, and how fast it goes."""
