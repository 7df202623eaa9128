"""Findings and runs become documents."""
