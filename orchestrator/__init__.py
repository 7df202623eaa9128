"""Lũy Tre: harden, watch and roll back the servers of a province, safely."""

__version__ = "0.1.0"
