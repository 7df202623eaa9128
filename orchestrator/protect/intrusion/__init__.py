"""Intrusion alerts: what servers saw, brought home, judged, and kept until somebody looked."""
