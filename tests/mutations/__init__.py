"""Faults planted into copies of the program, one at a time: a test has to notice each of them."""
