"""Traps in the manifests of rollouts: settings by which a gate passes what it was asked to stop."""
