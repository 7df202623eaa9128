"""Changes, without a host."""
