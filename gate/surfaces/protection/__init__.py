"""GitHub's deployment protection rule: environments that wait for the gate."""
