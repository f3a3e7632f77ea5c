"""`python -m launch`."""

import sys

from fitness.terminal import late_interrupt

STOPPED = 130  # by Ctrl-C, as shells have it: 128 and the number of the signal

if __name__ == "__main__":
    try:
        with late_interrupt():
            from launch.cli import main

        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(STOPPED)
