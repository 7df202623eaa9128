"""Audit a fleet and follow the lifecycle of its findings."""
