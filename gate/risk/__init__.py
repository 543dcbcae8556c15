"""How likely a change is to introduce a bug, told by its size, spread and history."""
