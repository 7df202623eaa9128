"""What scans on a host, and what publishes signatures on their mirror; standard library only."""
