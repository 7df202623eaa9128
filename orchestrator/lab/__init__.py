"""Throwaway Debian hosts for rehearsal, demo and tests."""
