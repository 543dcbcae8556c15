"""What a decision leaves on GitHub: statuses, a check run, one comment."""
