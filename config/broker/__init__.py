"""Templates for the broker, with the reason for each setting."""
