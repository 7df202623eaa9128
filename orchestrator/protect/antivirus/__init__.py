"""Antivirus: scans, signatures, quarantine and proofs of many hosts, and the mirror inside."""
