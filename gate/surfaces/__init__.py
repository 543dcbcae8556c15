"""The doors: translate a question in, decide, translate the answer out."""
