"""The server, through Flask's client and as a process of its own."""
