"""The command line: `python -m fitness COMMAND`. A screen is a thin view of what a command does.

The edge of the package: it reads files, standard input and the price cache, and writes to the terminal.
Exit status: 0 done, 2 bad input, 3 no option is feasible, 130 stopped by Ctrl-C, 1 anything else.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from fitness import answer, document, flips, limits, offers, presets, record, usage, workload_file
from fitness.analytic import settings
from fitness.errors import FitnessError, InputError, Problem, both
from fitness.options import OPTIONS
from fitness.prices import Price, PriceBook, load_book
from fitness.priors import with_fixed
from fitness.simulation import compiled, play, report, streams, sweep
from fitness.simulation.policy_settings import configured
from fitness.study import SEED, Study, study
from fitness.terminal import Line
from fitness.trace import UNITS, Trace, read_trace
from fitness.verdict import bill_of, recommend
from fitness.workload import Workload

DONE, FAILED, BAD_INPUT, INFEASIBLE = 0, 1, 2, 3
NOT_PRICED = "no priced configuration of it exists in this Region"
MOST_BYTES = 1_000_000  # of a document on standard input; the reader's own limit is lower and says so


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give its exit status."""
    args = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = args.run
    if sys.stdout is None:  # closed by the shell, as in `>&-`
        print("the answer can't be written: standard output is closed", file=sys.stderr)
        return FAILED
    try:
        status = run(args)
        sys.stdout.flush()
    except InputError as error:
        print(f"{len(error.problems)} wrong:", *error.problems, sep="\n  ", file=sys.stderr)
        return BAD_INPUT
    except FitnessError as error:
        print(error, file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader of a pipe has seen enough
        _discard_output()
        return DONE
    except OSError as error:  # of what was read all errors are known by now: a full disk behind the output
        print(f"the answer can't be written: {error.strerror}", file=sys.stderr)
        _discard_output()
        return FAILED
    return status


def _discard_output() -> None:
    """Let what is still buffered go nowhere, so that the end of the process meets no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def price_cache() -> Path:
    """Where refreshed prices are kept: `hostfit/prices` in the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "hostfit" / "prices"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fitness",
        description="Compare ways to host machine-learning models: ranked, priced and explained.",
        epilog="Exit status: 0 done, 2 bad input, 3 no option is feasible, 130 stopped by Ctrl-C, 1 anything else.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    ranking = command("recommend", _recommend, "Rank the ten hosting options of a workload.")
    bill = command("bill", _bill, "The bill of one configuration, line by line, with the origin of every price.")
    for one in (ranking, bill):
        one.add_argument("workload", metavar="WORKLOAD", help="workload file, YAML or JSON; - is standard input")
        one.add_argument("--limits", choices=("current", "article"), help="which dated profile of limits gates")
        one.add_argument("--config", metavar="JSON", help='settings to fix, e.g. {"min_instances": 2}')
        one.add_argument("--priors", metavar="JSON", help='priors to fix, e.g. {"invoke_overhead_ms": 0}')
    form = ranking.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the answer as JSON")
    form.add_argument("--csv", action="store_true", help="the options as CSV")
    form.add_argument("--record", action="store_true", help="the decision on one page of Markdown")
    bill.add_argument("--json", action="store_true", help="the answer as JSON")
    bill.add_argument("--option", required=True, choices=tuple(OPTIONS))
    bill.add_argument("--instance", metavar="TYPE", help="instance type, e.g. ml.c5.xlarge")

    price = command("price", _price, "The bill of a stated usage, without any workload.")
    price.add_argument("usage", metavar="USAGE", help="usage file, YAML or JSON; - is standard input")
    price.add_argument("--json", action="store_true", help="the answer as JSON")

    playing = command("simulate", _simulate, "Play a month's requests through one option, request by request.")
    playing.add_argument("workload", metavar="WORKLOAD", help="workload file, YAML or JSON; - is standard input")
    playing.add_argument("--option", required=True, choices=tuple(OPTIONS))
    playing.add_argument("--instance", metavar="TYPE", help="instance type, e.g. ml.c5.xlarge")
    playing.add_argument("--config", metavar="JSON", help='settings to fix, e.g. {"routing": "RANDOM"}')
    playing.add_argument("--priors", metavar="JSON", help='priors to fix, e.g. {"invoke_overhead_ms": 0}')
    playing.add_argument(
        "--spread",
        choices=("poisson", "even"),
        default="poisson",
        help="where the requests of a recorded count lie in its minute: at random (poisson) or evenly",
    )
    playing.add_argument(
        "--requests", type=int, metavar="N", help="requests to play (100,000; of a recording all, up to 10,000,000)"
    )
    playing.add_argument("--seed", type=int, default=SEED, metavar="S", help="the same seed gives the same answer")
    playing.add_argument("--limits", choices=("current", "article"), help="which dated profile of limits gates")
    playing.add_argument("--json", action="store_true", help="the answer as JSON")

    turning = command("flips", _flips, "The values at which the recommendation changes.")
    turning.add_argument("workload", metavar="WORKLOAD", help="workload file, YAML or JSON; - is standard input")
    turning.add_argument("--field", action="append", metavar="PATH", help="e.g. traffic.rps_mean; all by default")
    turning.add_argument("--limits", choices=("current", "article"), help="which dated profile of limits gates")
    turning.add_argument("--json", action="store_true", help="the answer as JSON")
    for one in (ranking, bill, playing, turning):
        one.add_argument("--trace", metavar="FILE", help="recorded arrivals instead of the declared traffic")
        one.add_argument("--trace-unit", choices=tuple(UNITS), help="of its timestamps where they are numbers")
        one.add_argument("--trace-zone", metavar="ZONE", help="of its timestamps without one, e.g. Europe/Berlin")
        one.add_argument("--trace-columns", metavar="JSON", help='names of its columns, e.g. {"timestamp": "at"}')

    register = command("limits", _limits, "The limit register, with source and date.")
    register.add_argument("--option", choices=tuple(OPTIONS))

    prices = command("prices", _prices, "The price book.")
    prices.add_argument("--region", help="one Region, e.g. eu-west-1")
    prices.add_argument("--refresh", action="store_true", help="read the public offer files; no account is needed")

    command("presets", _presets, "Workloads that people recognise, to start from.").add_argument(
        "preset", nargs="?", help="print this one as a workload file"
    )
    return parser


@contextmanager
def _first_time() -> Iterator[None]:
    """Say on the terminal what takes so long, the first time after an installation."""
    with Line(sys.stderr) as line:
        if compiled.is_on() and not compiled.is_kept():
            line.show("compiling the simulator, once: some ten seconds")
        yield


def _recommend(args: argparse.Namespace) -> int:
    (workload, trace), (config, priors) = both(lambda: _workload(args), lambda: _settings(args))
    with _first_time():
        verdict = recommend(workload, book=_book(), config=config, priors=priors, trace=trace)
    if args.json:
        print(answer.as_json(verdict))
    elif args.csv:
        print(answer.as_csv(verdict), end="")
    elif args.record:
        print(record.decision_record(verdict))
    else:
        print(answer.as_text(verdict))
    return DONE if verdict.best is not None else INFEASIBLE


def _bill(args: argparse.Namespace) -> int:
    work, _ = _study(args)
    with _first_time():
        work = sweep.as_settled(work, args.option)
    played = work.configured(args.option)
    failed = [gate.reason for gate in played.gates if gate.passes is False]
    if played.outcome is None:
        _note(f"{args.option} has no bill: {'; '.join(failed) or NOT_PRICED}")
        return INFEASIBLE
    found = bill_of(work, played.outcome)
    if failed:
        found = replace(found, notes=(*found.notes, *(f"Not feasible: {reason}." for reason in failed)))
    fixed = configured(played.outcome, work.config)
    if args.json:
        print(_json({"option": args.option, "configuration": fixed, **found.as_dict()}))
    else:
        print(f"{args.option}: {', '.join(f'{name} {value}' for name, value in fixed.items())}\n")
        print(found.as_text())
    return INFEASIBLE if failed else DONE


def _simulate(args: argparse.Namespace) -> int:
    (work, trace), _ = both(lambda: _study(args, exact=True), lambda: _numbers(args))
    proposed = work.configured(args.option)
    failed = [gate.reason for gate in proposed.gates if gate.passes is False]
    if proposed.outcome is None:
        _note(f"{args.option} has no configuration: {'; '.join(failed) or NOT_PRICED}")
        return INFEASIBLE
    with Line(sys.stderr) as line:
        work = sweep.as_settled(work, args.option)
        recorded = play.REQUESTS if trace is None else max(play.FEWEST_REQUESTS, math.ceil(trace.counts.sum()))
        requests = min(recorded, play.MOST_REQUESTS) if args.requests is None else args.requests
        done = play.simulate(
            work,
            args.option,
            requests=requests,
            seed=args.seed,
            spread=streams.Spread(args.spread),
            progress=line.ratio("playing requests"),
        )
    print(_json(report.as_dict(work, done)) if args.json else report.as_text(work, done))
    for reason in failed:
        _note(f"not feasible: {reason}")
    return INFEASIBLE if failed else DONE


def _numbers(args: argparse.Namespace) -> None:
    """Refuse a seed and a number of requests out of range."""
    problems = [] if args.requests is None else play.out_of_range(args.requests)
    if args.seed < 0:
        problems = [*problems, Problem(path="--seed", message=f"must be >= 0, got {args.seed}")]
    if problems:
        raise InputError(problems)


def _study(args: argparse.Namespace, *, exact: bool = False) -> tuple[Study, Trace | None]:
    """The study of one option, with the settings and priors of the arguments, and its recording."""
    (workload, trace), (config, priors) = both(lambda: _workload(args, exact=exact), lambda: _settings(args))
    return study(workload, book=_book(), config=config, priors=priors, options=(args.option,), trace=trace), trace


def _settings(args: argparse.Namespace) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """The settings and the priors of the arguments; where an option is named, the settings are its own."""
    config, priors = both(lambda: _config(args), lambda: _mapping(args.priors, "--priors"))
    option = getattr(args, "option", None)
    both(
        lambda: both(lambda: settings.checked(config), lambda: _refuse_foreign(config, option)),
        lambda: with_fixed(priors),
    )
    return config, priors


def _config(args: argparse.Namespace) -> Mapping[str, object]:
    config = _mapping(args.config, "--config")
    instance = getattr(args, "instance", None)
    if instance is None:
        return config
    if config.get("instance_type", instance) != instance:
        _refuse("--instance", f"must be the instance_type of --config, got {document.shown(instance)}")
    return {**config, "instance_type": instance}


def _refuse_foreign(config: Mapping[str, object], option: str | None) -> None:
    if option is not None and (problems := settings.foreign(config, option)):
        raise InputError(problems)


def _flips(args: argparse.Namespace) -> int:
    workload, trace = _workload(args)
    work = study(workload, book=_book(), trace=trace)
    paths = args.field or flips.searchable(work)
    flips.refuse(work, paths)
    with _first_time():
        swept = sweep.sweep(work)
    found: list[flips.Flip] = []
    for path in paths:
        axis = flips.along(work, path, swept)
        found += axis.flips
        if not args.json:
            unit = f" {axis.unit}" if axis.unit else ""
            print(f"{path}: {axis.best[axis.values.index(axis.value)] or answer.NONE} at {axis.value:g}{unit}")
            for flip in axis.flips:
                print(f"  from {flip.at:g}{unit}: {flip.after or answer.NONE} instead of {flip.before or answer.NONE}")
    if args.json:
        rows = [answer.rounded(answer.flip_as_dict(flip)) for flip in found]
        print(_json({"workload": workload.name, "flips": rows}))
    return DONE


def _price(args: argparse.Namespace) -> int:
    found = usage.bill(_document(args.usage), _book())
    print(_json(found.as_dict()) if args.json else found.as_text())
    return DONE


def _limits(args: argparse.Namespace) -> int:
    print(limits.as_text(args.option))
    return DONE


def _prices(args: argparse.Namespace) -> int:
    if args.refresh:
        regions = [args.region] if args.region else list(load_book().regions)
        for refreshed in offers.refresh(price_cache(), regions, progress=_show_progress):
            skipped = sum(refreshed.skipped.values())
            _note(f"{refreshed.region}: {refreshed.prices} prices of {refreshed.as_of}, {skipped} records left out")
    book = _book()
    if args.region is not None and args.region not in book.regions:
        message = f"must be a Region of the price book ({', '.join(book.regions)}), got {document.shown(args.region)}"
        raise InputError([Problem(path="--region", message=message)])
    print(f"Price book as of {book.as_of}")
    for price in book.table(args.region):
        print(_price_row(price))
    return DONE


def _show_progress(progress: offers.Progress) -> None:
    if progress.stage == "read":
        _note(f"{progress.region}: reading {progress.received_bytes / 1e6:.1f} MB")


def _note(text: str) -> None:
    """Progress and remarks go to standard error, so that the answer can be piped."""
    print(text, file=sys.stderr)


def _presets(args: argparse.Namespace) -> int:
    if args.preset is not None:
        print(workload_file.write(presets.load(args.preset)), end="")
        return DONE
    for preset in presets.PRESETS:
        print(f"{preset.id:<24}{preset.title}: {preset.summary}")
    return DONE


def _workload(args: argparse.Namespace, *, exact: bool = False) -> tuple[Workload, Trace | None]:
    """The workload, and its recording: the one of the arguments, else the one that the workload names."""
    workload = workload_file.read(_document(args.workload))
    if args.limits is not None:
        workload = workload.replace({"limits": args.limits})
    if args.trace is not None:
        workload = workload.replace({"traffic.trace": args.trace})
    name = workload.traffic.trace
    if name is None:
        return workload, None
    folder = Path() if args.workload == "-" or args.trace is not None else Path(args.workload).parent
    with Line(sys.stderr) as line:
        line.show(f"reading {document.shown(name)}")
        columns = _mapping(args.trace_columns, "--trace-columns")
        trace = read_trace(
            folder / name,
            exact=exact,
            unit=args.trace_unit,
            zone=args.trace_zone,
            columns={kind: str(column) for kind, column in columns.items()} or None,
        )
    for note in () if exact else trace.notes:  # a simulation has them in its answer
        _note(f"note: {note}")
    return workload, trace


def _document(name: str) -> bytes:
    if name == "-":
        if sys.stdin is None:
            _refuse("-", "can't be read: standard input is closed")
        return sys.stdin.buffer.read(MOST_BYTES)
    try:
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        _refuse(name, f"can't be read: {error.strerror or error}")
    except ValueError as error:  # a null byte in the name
        _refuse("file", f"can't be read: {error}")


def _mapping(text: str | None, argument: str) -> Mapping[str, object]:
    if text is None:
        return {}
    try:
        found = document.load(text)
    except InputError as error:
        raise InputError(replace(problem, path=argument) for problem in error.problems) from error
    if not isinstance(found, dict):
        _refuse(argument, f"must be a mapping of names to values, got {document.shown(found)}")
    return {str(name): value for name, value in found.items()}


def _refuse(path: str, message: str) -> NoReturn:
    raise InputError([Problem(path=path, message=message)])


def _book() -> PriceBook:
    return load_book(price_cache())


def _price_row(price: Price) -> str:
    amount = f"{price.usd_per_unit:>16f} per {price.unit:<20}"
    return f"{price.region:<16}{price.item:<48}{amount}{price.grade:<16}{price.as_of}"


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False)
