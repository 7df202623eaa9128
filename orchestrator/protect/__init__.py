"""Backups that are proved: clients, vault, drill."""
