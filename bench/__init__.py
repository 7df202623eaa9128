"""Measurements on real lab hosts; see README.md for how to read them."""
