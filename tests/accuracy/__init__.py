"""Holds the simulator to theory, to other simulators and to measured cold starts: `make accuracy`."""
