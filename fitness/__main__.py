"""`python -m fitness`."""

import io
import sys

from fitness.terminal import Interruptible, late_interrupt

STOPPED = 130  # by Ctrl-C, as shells have it: 128 and the number of the signal

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where the shell closed it
            stream.reconfigure(encoding="utf-8")  # as the files that are read are, whatever the locale
    try:
        with Interruptible():
            with late_interrupt():
                from fitness.cli import main

            sys.exit(main())
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(STOPPED)
