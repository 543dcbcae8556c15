"""The ledger, with real files, processes and disks."""
