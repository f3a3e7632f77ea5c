"""`python -m fitness`."""

import sys

from fitness.cli import main

if __name__ == "__main__":
    sys.exit(main())
