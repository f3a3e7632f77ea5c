"""The commands: up, down, status, reset, env, fault."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence

from sandbox import lifecycle
from sandbox.faults import MEANING, Fault, Faults
from sandbox.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status: 0 done, 1 it failed or nothing runs, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="AWS on loopback, without an account.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start it; returns when it is ready")
    commands.add_parser("down", help="stop it; everything in it stays")
    commands.add_parser("status", help="say whether it runs, and where").add_argument("--json", action="store_true")
    commands.add_parser("reset", help="stop it and delete everything in it").add_argument(
        "--yes", action="store_true", required=True, help="say that you mean it"
    )
    commands.add_parser("env", help="print the export lines that point a shell's AWS clients to it")
    fault = commands.add_parser("fault", help="make it misbehave as AWS sometimes does")
    fault.add_argument("name", nargs="?", choices=[name.value for name in Fault])
    fault.add_argument("--off", action="store_true")
    chosen = parser.parse_args(arguments)
    settings = Settings.read()
    match chosen.command:
        case "up":
            return _up(settings)
        case "down":
            print("stopped" if lifecycle.down(settings) else "it was not running")
        case "status":
            return _status(settings, as_json=chosen.json)
        case "reset":
            lifecycle.reset(settings)
            print(f"deleted everything in {settings.folder}")
        case "env":
            return _env(settings)
        case _:
            _fault(settings, chosen.name, on=not chosen.off)
    return 0


def _up(settings: Settings) -> int:
    try:
        running = lifecycle.up(settings)
    except lifecycle.NotStarted as err:
        print(err, file=sys.stderr)
        return 1
    print(f"The sandbox runs at {running.url} (runtime {running.runtime_url})")
    print('Point a shell to it:  eval "$(python -m sandbox env)"')
    return 0


def _status(settings: Settings, *, as_json: bool) -> int:
    running = lifecycle.find(settings)
    if as_json:
        facts = {"pid": running.pid, "url": running.url, "runtime_url": running.runtime_url} if running else None
        print(json.dumps({"running": running is not None, "folder": str(settings.folder), **(facts or {})}))
    elif running is None and (pid := lifecycle.holder(settings)) is not None:
        print(f"process {pid} has it and does not answer; its state is in {settings.folder}")
    elif running is None:
        print(f"not running; its state is in {settings.folder}")
    else:
        print(f"running at {running.url} (runtime {running.runtime_url}), account {running.account}, {running.region}")
        print(f"its state is in {settings.folder}")
    return 0 if running is not None else 1


def _env(settings: Settings) -> int:
    running = lifecycle.find(settings)
    if running is None:
        print("The sandbox is not running: python -m sandbox up", file=sys.stderr)
        return 1
    for name, value in running.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _fault(settings: Settings, name: str | None, *, on: bool) -> None:
    faults = Faults(settings.folder)
    if name is not None:
        faults.turn(Fault(name), on=on)
    active = faults.active()
    for fault, meaning in MEANING.items():
        print(f"{'on ' if fault in active else 'off'}  {fault:14} {meaning}")


if __name__ == "__main__":
    sys.exit(main())
