"""Doors: one file per command group; parse, call one use case, render."""
