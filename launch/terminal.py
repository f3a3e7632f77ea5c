"""What the commands share: the arguments, the account, the question for the price, and remarks."""

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from fitness.bill import plain
from fitness.document import shown
from launch.clients import Clients, from_environment
from launch.errors import RefusedError
from launch.plan import Confirmation
from launch.price import When
from launch.stacks import Stacks


@dataclass
class Terminal:
    """What the commands share: the arguments, and what goes on in the account if a person stops here."""

    args: argparse.Namespace
    goes_on: str = "Nothing was begun."

    def clients(self, region: str | None = None) -> Clients:
        """Give the clients of the account that the environment chooses."""
        return from_environment(region=region or getattr(self.args, "region", None))

    def stacks(self) -> Stacks:
        """Give the launches of that account."""
        return Stacks(self.clients())

    def confirmation(self, what: str, *, token: str, usd_per_hour: Decimal, when: When = When.IDLE) -> Confirmation:
        """Ask for the price of such an hour, or take it from the arguments. Raises: RefusedError."""
        given = self.args.confirm
        if given is None:
            hour = "" if when is When.IDLE else f" {when}"
            note(f"Type the price per hour{hour}, {plain(usd_per_hour)}, to {what}; anything else leaves it as it is.")
            sys.stderr.write("> ")
            sys.stderr.flush()
            given = sys.stdin.readline().strip()
        try:
            price = Decimal(given.removesuffix("USD").strip())
        except InvalidOperation:
            raise RefusedError(f"{shown(given)} is no price; nothing was done") from None
        return Confirmation(token=token, usd_per_hour=price, by=self.args.by or getpass.getuser())

    @contextmanager
    def doing(self, goes_on: str) -> Iterator[None]:
        """Know what goes on in the account while something is done."""
        before, self.goes_on = self.goes_on, goes_on
        yield
        self.goes_on = before


def note(text: str) -> None:
    """Progress and remarks go to standard error, so that the answer can be piped."""
    print(text, file=sys.stderr)
