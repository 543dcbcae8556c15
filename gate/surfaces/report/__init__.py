"""A decision told: the same content as text, markdown or JSON."""
