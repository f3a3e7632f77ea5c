"""What can go wrong between a plan and the account.

LaunchError
├── CloudError      AWS refused a call or did not answer it; `failure` says what to do
├── RefusedError    the confirmation does not match, or what was confirmed is there no more; nothing was done
├── NameTakenError  a stack or an endpoint of somebody else has the name; nothing was done
├── BusyError       an operation is under way on the stack; try again when it rests
├── StuckError      the stack rests in a state that an update can't leave
└── FailedError     what was asked for is not what runs; the message says why

Wrong input is a `fitness.errors.InputError`, as everywhere.
"""

from launch.failures import Failure


class LaunchError(Exception):
    """Root of every error that this package raises on purpose."""


class CloudError(LaunchError):
    """AWS refused a call or did not answer it."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{failure.said} {failure.to_do}".strip())


class RefusedError(LaunchError):
    """The confirmation does not match, or what was confirmed is there no more; nothing was done."""


class NameTakenError(LaunchError):
    """A stack or an endpoint of somebody else has the name; nothing was done."""


class BusyError(LaunchError):
    """An operation is under way on the stack; try again when it rests."""


class StuckError(LaunchError):
    """The stack rests in a state that an update can't leave."""


class FailedError(LaunchError):
    """What was asked for is not what runs."""
