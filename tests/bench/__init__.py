"""Measured speed and memory: `make bench` prints them; no test depends on them."""
