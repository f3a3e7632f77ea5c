"""Follow an operation to its end: for the command line, which may wait; a page looks again instead."""

from collections.abc import Callable
from typing import Final

from launch.errors import CloudError, LaunchError
from launch.launched import Event, Launched, Phase
from launch.looking import Looking

_PAUSE_S: Final = 1.0  # CloudFormation allows some calls a second, for all who ask
_MOST_FAILED_LOOKS: Final = 10  # one after the other, each already repeated by the client


class Following(Looking):
    """Operations under way."""

    def follow(
        self, name: str, progress: Callable[[Event], None] | None = None, *, change_set_id: str | None = None
    ) -> Launched:
        """Wait until nothing is under way with a launch, telling each event once; gives it as it is then.

        Given the id of its stack, a launch that is removed ends as `Phase.GONE`. With `change_set_id` it does not
        end before that change set was begun.
        Raises: CloudError if it can't be looked at for long, LaunchError if there is no such launch.
        """
        told: set[str] = set()
        failed = 0
        while True:
            try:
                found = self.look(name)
                failed = 0
            except CloudError as err:
                failed += 1
                if failed == _MOST_FAILED_LOOKS or not err.failure.is_passing:
                    raise
                self.pause(_PAUSE_S)
                continue
            if found is None:
                raise LaunchError(f"there is no launch called {name}")
            has_begun = change_set_id is None or found.change_set_id == change_set_id
            for event in found.events if has_begun else ():
                if event.id not in told and progress is not None:
                    progress(event)
                told.add(event.id)
            if has_begun and (found.is_at_rest or found.phase is Phase.GONE):
                return found
            self.pause(_PAUSE_S)
