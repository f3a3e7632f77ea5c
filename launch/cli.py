"""The command line: `python -m launch COMMAND`. A screen is a thin view of what a command does.

Exit status: 0 done, 2 bad input, 3 refused or not confirmed, 130 stopped by Ctrl-C, 1 anything else.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from fitness.errors import FitnessError, InputError
from launch import commands, showing
from launch.errors import CloudError, LaunchError, RefusedError
from launch.measure import Bounds
from launch.request import OPTIONS_TO_LAUNCH
from launch.terminal import Terminal, note

DONE, FAILED, BAD_INPUT, REFUSED, STOPPED = 0, 1, 2, 3, 130
USUAL = Bounds()  # of a load test


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give its exit status."""
    terminal = Terminal(_parser().parse_args(arguments))
    run: Callable[[Terminal], None] = terminal.args.run
    try:
        run(terminal)
        sys.stdout.flush()
    except InputError as error:
        print(f"{len(error.problems)} wrong:", *error.problems, sep="\n  ", file=sys.stderr)
        return BAD_INPUT
    except RefusedError as error:
        note(str(error))
        return REFUSED
    except CloudError as error:
        note(showing.failure_text(error.failure))
        return FAILED
    except (LaunchError, FitnessError) as error:
        note(str(error))
        return FAILED
    except KeyboardInterrupt:
        note(f"stopped. {terminal.goes_on}")
        return STOPPED
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m launch",
        description="Launch hosting options as CloudFormation stacks: planned, confirmed, verified, removable.",
        epilog="Exit status: 0 done, 2 bad input, 3 refused or not confirmed, 130 stopped by Ctrl-C, 1 anything else.",
    )
    added = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Terminal], None], text: str) -> argparse.ArgumentParser:
        one = added.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one

    new = command("new", commands.new, "Write a launch file from the verdict on a workload.")
    new.add_argument("workload", metavar="WORKLOAD", help="workload file, YAML or JSON; - is standard input")
    new.add_argument("--option", required=True, choices=OPTIONS_TO_LAUNCH)
    new.add_argument("--name", required=True, help="of the stack and the endpoint")
    new.add_argument(
        "--model",
        required=True,
        action="append",
        metavar="SOURCE",
        help="sample:iris, an S3 address, or a folder; repeated for several",
    )

    planning = command("plan", commands.show_plan, "What would be made, what it costs, what it takes. Changes nothing.")
    template = command("template", commands.template, "The CloudFormation template, or what else goes with it.")
    up = command("up", commands.up, "Launch, or change what is launched, after the price is confirmed.")
    update = command("update", commands.up, "Change what is launched; refused where nothing is.")
    for one in (planning, template, up, update):
        one.add_argument("file", metavar="FILE", help="launch file, YAML or JSON; - is standard input")
        one.add_argument("--workload", metavar="WORKLOAD", help="workload file: the month's bill with its traffic")
    template.add_argument(
        "--format",
        choices=("yaml", "script", "parameters", "policy"),
        default="yaml",
        help="the template, a script with boto3, the parameters, or the policy that a launch takes",
    )
    up.set_defaults(changes_only=False, continue_rollback=False)
    update.set_defaults(changes_only=True)
    update.add_argument(
        "--continue-rollback",
        action="store_true",
        help="first let a rollback that failed go on (UPDATE_ROLLBACK_FAILED)",
    )

    status = command("status", commands.status, "What is launched; with a name, whether it runs as it was asked for.")
    status.add_argument("name", nargs="?")
    ask = command(
        "invoke", commands.ask, "Send one request, without a body a sample's own; of a batch launch, run its job again."
    )
    ask.add_argument("--variant", metavar="NAME", help="of an endpoint with variants; without it, one by weight")
    measure = command(
        "measure", commands.measure, "Load an endpoint for a while, and put what it does into a workload."
    )
    measure.add_argument("--workload", metavar="WORKLOAD", help="workload file to print with what was measured")
    measure.add_argument("--requests", type=int, default=USUAL.requests, help="at most; %(default)s")
    measure.add_argument("--seconds", type=float, default=USUAL.seconds, help="at most; %(default)g")
    for one in (ask, measure):
        one.add_argument("name")
        one.add_argument("--body", metavar="FILE", help="the request; - is standard input")
        one.add_argument("--content-type", default="text/csv")
        one.add_argument("--accept")
        one.add_argument("--target-model", metavar="ARCHIVE", help="of a multi-model endpoint")
        one.add_argument("--target-container", metavar="NAME", help="of a multi-container endpoint")
    down = command("down", commands.down, "Remove a launch and all that is its own, after it is confirmed.")
    down.add_argument("name")
    down.add_argument(
        "--give-up",
        action="append",
        default=[],
        metavar="LOGICAL_ID",
        help="let go of a resource that could not be deleted; `sweep` finds it",
    )
    sweep = command("sweep", commands.sweep, "Find and remove what belongs to no stack, and launches past their end.")
    sweep.add_argument("--look", action="store_true", help="only look")
    for one in (status, ask, measure, down, sweep):
        one.add_argument("--region", help="the Region to ask; otherwise that of the AWS configuration")
    for one in (up, update, ask, down, sweep):
        one.add_argument("--confirm", metavar="USD", help="the price per hour, instead of being asked for it")
        one.add_argument("--by", metavar="NAME", help="who confirms; otherwise the user of this machine")
    for one in (planning, up, update, status):
        one.add_argument("--json", action="store_true", help="the answer as JSON")
    return parser
