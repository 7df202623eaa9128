"""Frozen data and the tree of errors. Imports nothing of ours."""
