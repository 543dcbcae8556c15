"""The systems evidence comes from, one file each."""
