"""How good verdicts are: simulated rollouts, and judges that look at them minute by minute."""
