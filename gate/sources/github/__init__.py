"""GitHub: the change, and the facts around it, over its REST API through github3.py."""
