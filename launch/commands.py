"""What each command of the command line does."""

import getpass
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from fitness import workload_file
from fitness.cli import price_cache
from fitness.errors import FitnessError, InputError, Problem
from fitness.prices import load_book
from fitness.verdict import recommend
from fitness.workload import Workload
from launch import export, invoke, job_commands, models, showing
from launch import measure as measuring
from launch.clients import Clients
from launch.errors import BusyError, FailedError, LaunchError
from launch.launched import Event, Launched, Phase
from launch.measure_report import as_text
from launch.measured import into
from launch.permissions import policy
from launch.plan import Plan, plan
from launch.proposals import UPDATE, Proposal
from launch.proposing import check
from launch.request import Model, Request, as_document, from_verdict, read_request, with_models
from launch.stacks import Stacks
from launch.template_batch import is_job_now
from launch.terminal import Terminal, note

MOST_BYTES: Final = 6_000_000  # of a request to an endpoint: the limit of InvokeEndpoint, read 2026-11-21


def new(terminal: Terminal) -> None:
    """Write a launch file from a verdict."""
    args = terminal.args
    workload = _workload(args.workload)
    verdict = recommend(workload, book=load_book(price_cache()), options=(args.option,), draws=0)
    request = from_verdict(
        workload,
        verdict.option(args.option),
        name=args.name,
        models=[Model(source=source) for source in args.model],
    )
    print(yaml.safe_dump(as_document(request), sort_keys=False, allow_unicode=True), end="")


def show_plan(terminal: Terminal) -> None:
    """Show a plan."""
    found = _plan(terminal)[0]
    print(showing.as_json(showing.plan_dict(found)) if terminal.args.json else showing.plan_text(found))


def template(terminal: Terminal) -> None:
    """Print the template of a plan, or what else goes with it."""
    found = _plan(terminal)[0]
    match terminal.args.format:
        case "yaml":
            print(export.as_yaml(found), end="")
        case "script":
            print(export.as_script(found), end="")
        case "parameters":
            print(export.as_parameters(found), end="")
        case _:
            print(showing.as_json(policy(found.permissions, account="*")))


def up(terminal: Terminal) -> None:
    """Launch, or change what is launched, after a person has confirmed the price."""
    found, request, clients = _plan(terminal)
    stacks = Stacks(clients)
    before = stacks.look(request.name)
    if terminal.args.changes_only and (before is None or before.phase is Phase.PROPOSED):
        message = f"is not launched; `python -m launch up {terminal.args.file}` launches it"
        raise InputError([Problem(path="$.name", message=message)])
    if terminal.args.continue_rollback:
        stacks.continue_rollback(request.name)
        with terminal.doing(f"The rollback of {request.name} goes on; python -m launch status {request.name}"):
            _follow(stacks, request.name)
    note(showing.plan_text(found) + "\n")
    proposal = _propose(terminal, stacks, found)
    note(showing.proposal_text(proposal))
    if not proposal.is_empty:
        _execute(terminal, stacks, clients, proposal)
    launched = stacks.look(request.name)
    differences = stacks.verify(found)
    if differences or launched is None:
        told = "\n".join(f"  {one}" for one in differences)
        raise FailedError(f"what runs is not what was asked for:\n{told}")
    if is_job_now(request) and (proposal.is_empty or proposal.starts_job):
        job_commands.first_run(terminal, stacks, launched)
    _show(terminal, launched)


def _propose(terminal: Terminal, stacks: Stacks, found: Plan) -> Proposal:
    """Propose a plan; one that was begun already, by another terminal or before a lost answer, is followed first."""
    by = terminal.args.by or getpass.getuser()
    try:
        return stacks.propose(found, by=by)
    except BusyError:
        launched = stacks.look(found.request.name)
        if launched is None or launched.token != found.token:
            raise
    note(f"{launched.name} was begun already by {launched.by}.")
    with terminal.doing(_ways(launched.name)):
        _check_is_live(_follow(stacks, launched.stack_id))
    return stacks.propose(found, by=by)


def _ways(name: str) -> str:
    ways = f"`python -m launch status {name}` shows it, `python -m launch down {name}` ends it"
    return f"{name} goes on in the account: {ways}."


def _execute(terminal: Terminal, stacks: Stacks, clients: Clients, proposal: Proposal) -> None:
    """Confirm a proposal, upload what it needs and follow it to its end. Raises: FailedError, RefusedError."""
    found = proposal.plan
    name = found.request.name
    verb = "change" if proposal.kind == UPDATE else "launch"
    try:
        price = proposal.price
        confirmation = terminal.confirmation(
            f"{verb} {name}", token=found.token, usd_per_hour=price.usd_per_hour, when=price.when
        )
        check(confirmation, token=found.token, usd_per_hour=price.usd_per_hour)
        models.upload(found.request, clients)
    except (LaunchError, FitnessError, KeyboardInterrupt):
        stacks.withdraw(proposal)
        raise
    with terminal.doing(_ways(name)):
        begun = stacks.execute(proposal, confirmation)
        launched = _follow(stacks, proposal.stack_id, change_set_id=begun)
    _check_is_live(launched)


def _check_is_live(launched: Launched) -> None:
    """Say why an operation did not come to its end. Raises: FailedError."""
    if launched.phase is Phase.LIVE and not launched.is_rolled_back:
        return
    name = launched.name
    left = "what ran before runs again" if launched.is_rolled_back else "nothing was left running"
    if launched.phase is Phase.GONE:
        raise FailedError(f"{name} was removed meanwhile.")
    if launched.is_stuck:
        left = f"it is in {launched.status}; `python -m launch down {name}` removes it"
    raise FailedError(f"{name} failed, and {left}.\n{showing.reason_text(launched)}")


def status(terminal: Terminal) -> None:
    """Show one launch, or all."""
    stacks = terminal.stacks()
    if terminal.args.name is None:
        found = stacks.launched()
        rows = [showing.launched_dict(one) for one in found]
        print(showing.as_json(rows) if terminal.args.json else showing.table_text(found, stacks.now()))
        return
    launched = stacks.look(terminal.args.name)
    if launched is None:
        raise LaunchError(f"there is no launch called {terminal.args.name}")
    _show(terminal, launched)
    differences = stacks.verify(launched.name) if launched.phase is Phase.LIVE else ()
    if differences:
        raise FailedError("\n".join(["what runs is not what was asked for:", *(f"  {one}" for one in differences)]))


def ask(terminal: Terminal) -> None:
    """Send one request to a launch and print the answer; a batch launch runs its job once more."""
    clients = terminal.clients()
    launched, request = _launched(clients, terminal.args.name)
    if request.option == "batch":
        job_commands.run_again(terminal, launched.name)
        return
    variant = terminal.args.variant
    if terminal.args.body is None:
        call = invoke.own_request(clients, request, variant)
    else:
        call = replace(_call(terminal, launched), target_variant=variant)
    answer = invoke.answer_of(clients, request, call)
    of = f", variant {answer.variant}" if request.variants else ""
    note(f"{answer.content_type}, {answer.latency_s * 1000:.1f} ms{of}")
    sys.stdout.buffer.write(answer.body)
    if not answer.body.endswith(b"\n"):
        sys.stdout.write("\n")


def measure(terminal: Terminal) -> None:
    """Load a launched endpoint for a while; print the workload with what was measured, or the measurement alone."""
    args = terminal.args
    clients = terminal.clients()
    workload = None if args.workload is None else _workload(args.workload)
    launched, request = _launched(clients, args.name)
    call = invoke.own_request(clients, request) if args.body is None else _call(terminal, launched)
    found = measuring.measure(
        clients,
        launched.name,
        call,
        bounds=measuring.Bounds(
            requests=args.requests, seconds=args.seconds, objective_ms=measuring.objective_ms(workload)
        ),
        progress=lambda what, share: note(f"{share:4.0%}  {what}"),
    )
    if workload is None:
        print(as_text(found))
    else:
        note(as_text(found))
        print(workload_file.write(into(workload, found)), end="")


def _launched(clients: Clients, name: str) -> tuple[Launched, Request]:
    """A launch that can be asked. Raises: LaunchError."""
    launched = Stacks(clients).look(name)
    if launched is None or launched.request is None:
        raise LaunchError(f"there is no launch called {name}")
    return launched, launched.request


def _call(terminal: Terminal, launched: Launched) -> invoke.Call:
    """The request of the arguments."""
    args = terminal.args
    return invoke.Call(
        body=_read(args.body, MOST_BYTES),
        content_type=args.content_type,
        accept=args.accept,
        target_model=args.target_model,
        target_container=args.target_container,
        component=launched.outputs.get("ComponentName"),
    )


def down(terminal: Terminal) -> None:
    """Remove a launch after a person has confirmed what goes."""
    stacks, name = terminal.stacks(), terminal.args.name
    removal = stacks.preview_removal(name)
    if removal is None:
        note(f"There is no launch called {name}: nothing to remove.")
        return
    note(showing.removal_text(removal))
    confirmation = terminal.confirmation(f"remove {name}", token=removal.token, usd_per_hour=removal.usd_per_hour)
    stacks.remove(name, confirmation, give_up=terminal.args.give_up)
    with terminal.doing(f"The removal of {name} goes on in the account; `python -m launch down {name}` follows it."):
        found = _follow(stacks, removal.stack_id)
    if found.phase is not Phase.GONE:
        stuck = ", ".join(event.logical_id for event in found.events if event.status == "DELETE_FAILED")
        raise FailedError(
            f"{name} could not be removed whole ({stuck}); run it again, or with --give-up for what may stay.\n"
            + showing.reason_text(found)
        )
    note(f"{name} is removed.")


def sweep(terminal: Terminal) -> None:
    """Find and remove what belongs to no stack, and launches past their end."""
    stacks = terminal.stacks()
    found = stacks.sweep()
    print(showing.sweep_text(found))
    if found.is_clean or terminal.args.look:
        return
    confirmation = terminal.confirmation("sweep", token=found.token, usd_per_hour=found.usd_per_hour)
    with terminal.doing("What was begun is removed in the account; `python -m launch sweep` finds the rest."):
        swept = stacks.remove_orphans(confirmation)
        followed = [_follow(stacks, stack) for stack in swept.removing]
    stuck = [one for one in followed if one.phase is not Phase.GONE]
    note(f"{len(swept.removed)} removed, {len(followed) - len(stuck)} launches ended.")
    told = [f"  {orphan.arn}: {failure.said} {failure.to_do}" for orphan, failure in swept.failed]
    told += [f"  {one.name} is in {one.status}: {showing.reason_text(one)}" for one in stuck]
    if told:
        raise FailedError("\n".join([f"{len(told)} could not be removed:", *told]))


def _plan(terminal: Terminal) -> tuple[Plan, Request, Clients]:
    """The plan of a launch file; nothing is uploaded for it."""
    args = terminal.args
    request = read_request(_read(args.file, 1_000_000))
    if args.file != "-":  # folders are meant from where the file lies
        request = with_models(request, lambda one: _beside(Path(args.file), one))
    clients = terminal.clients(request.region)
    resolved = models.resolve(request, clients, upload=False)
    workload = None if args.workload is None else _workload(args.workload)
    return plan(resolved, book=load_book(price_cache()), workload=workload), resolved, clients


def _beside(file: Path, model: Model) -> Model:
    path = file.parent / model.source
    is_address = ":" in model.source or Path(model.source).is_absolute()
    return model if is_address or not path.exists() else replace(model, source=str(path))


def _follow(stacks: Stacks, stack: str, **more: Any) -> Launched:
    return stacks.follow(stack, _tell, **more)


def _tell(event: Event) -> None:
    note(showing.event_line(event))


def _show(terminal: Terminal, launched: Launched) -> None:
    if terminal.args.json:
        print(showing.as_json(showing.launched_dict(launched)))
    else:
        print(showing.launched_text(launched, Stacks(terminal.clients()).now()))


def _workload(name: str) -> Workload:
    return workload_file.read(_read(name, 1_000_000))


def _read(name: str, most: int) -> bytes:
    found = sys.stdin.buffer.read(most + 1) if name == "-" else _content(name, most + 1)
    if len(found) > most:
        raise InputError([Problem(path=name, message=f"is larger than {most:,} bytes")])
    return found


def _content(name: str, most: int) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(most)
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else str(err)
        raise InputError([Problem(path=name, message=f"can't be read: {reason}")]) from err
