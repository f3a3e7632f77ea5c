"""What a person does to the account: looked up first, then confirmed once, and checked here whoever drew the button.

A tab looks up what an action would do and what it costs. What comes back can be confirmed once, by the same person, in
the same tab and account: a replayed click, another tab or an address confirms nothing.
"""

import math
import secrets
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import streamlit as st

from fitness.errors import InputError, Problem
from fitness.workload import Workload
from launch import models
from launch import plan as planning
from launch.launched import Launched, Phase
from launch.plan import Confirmation, Plan
from launch.proposals import Proposal
from launch.removal import Removal
from launch.request import Request, models_of
from launch.samples import PREFIX as SAMPLE
from launch.stacks import Stacks
from launch.sweep import Sweep, Swept
from ui import cloud, data, roles, scenario, state, uploads
from ui.cloud import Place
from ui.errors import SpentError
from ui.roles import Role
from ui.runs import Run, Runs

LAUNCH, REMOVE, SWEEP, JOB = "launch", "remove", "sweep", "job"

_PENDING, _BEGUN = "hostfit_pending", "hostfit_begun"
_SETTLE_S, _SETTLE_STEP_S = 0.5, 0.02
_AT_ONCE = 16  # actions of all visitors; each mostly waits for AWS

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending(Generic[Found]):
    """What is being looked up, or waits to be confirmed."""

    subject: Hashable  # what it is about; another one needs another look
    nonce: str
    place: Place
    by: str
    run: Run[Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a plan would change, and by which token the plan was made."""

    proposal: Proposal
    plan_token: Hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The last action of this tab on a launch."""

    run: Run[Any]
    change_set_id: str | None = None  # that the stack shows once the action has reached it

    def is_in(self, seen: Launched) -> bool:
        """Whether the account shows it: its change set, or another's of the same plan that was faster."""
        expected = {self.change_set_id, self.run.result} - {None}
        return self.change_set_id is None or seen.change_set_id in expected


def plan_of(request: Request, workload: Workload | None) -> Run[Plan]:
    """Give the run that makes the plan of a request; nothing is written anywhere.

    Raises: InputError for a folder of this machine that the person may not name.
    """
    check_sources(request)
    place = cloud.place()

    def work() -> Plan:
        resolved = models.resolve(request, cloud.clients(place), upload=False)
        return planning.plan(resolved, book=data.price_book(), workload=workload)

    return background(_plan_token(request, workload), work)


def forget_plan(request: Request, workload: Workload | None) -> None:
    """Let the plan be made anew, because what stood in its way may be gone."""
    _runs().forget(_plan_token(request, workload))


def review(request: Request, workload: Workload | None, plan: Plan) -> None:
    """Look up what a plan would change: a change set is made, which does nothing by itself.

    Raises: NotAllowedError, InputError.
    """
    check_sources(request)
    by, token = roles.person(), _plan_token(request, workload)
    look_up(LAUNCH, subject_of(plan), lambda stacks: Reviewed(proposal=stacks.propose(plan, by=by), plan_token=token))


def subject_of(plan: Plan) -> Hashable:
    """Give what a review of a plan is about: at another price it is another."""
    return plan.token, plan.to_confirm


def preview_removal(name: str, stack_id: str) -> None:
    """Look up what a removal would take away. Raises: NotAllowedError."""
    look_up(REMOVE, stack_id, lambda stacks: stacks.preview_removal(name))


def find_left_over() -> None:
    """Look for what launches left behind. Raises: NotAllowedError."""
    look_up(SWEEP, SWEEP, Stacks.sweep)


def preview_run(one: Launched) -> None:
    """Look up what a further run of a batch launch costs. Raises: NotAllowedError."""
    book = data.price_book()
    look_up(JOB, one.stack_id, lambda stacks: stacks.preview_run(one.name, book=book))


def look_up(purpose: str, subject: Hashable, work: Callable[[Stacks], Any]) -> None:
    """Begin to look up what an action would do. Raises: NotAllowedError."""
    roles.require(Role.OPERATIONS)
    nonce, place = secrets.token_hex(16), cloud.place()
    stacks = cloud.stacks(place)
    run = background((purpose, nonce), lambda: work(stacks))
    _all_pending()[purpose] = Pending(subject=subject, nonce=nonce, place=place, by=roles.person(), run=run)


def pending(purpose: str, subject: Hashable) -> Pending[Any] | None:
    """Give what is being looked up or waits, if it is about this subject in this account."""
    found = _all_pending().get(purpose)
    return found if found and found.subject == subject and found.place == cloud.place() else None


def drop(purpose: str) -> None:
    """Confirm nothing."""
    _all_pending().pop(purpose, None)


def launch(nonce: str) -> None:
    """Begin what was reviewed, in the background: models are uploaded, then the change set is executed.

    A job that this asks for is started then.
    Raises: NotAllowedError, SpentError.
    """
    one, reviewed = _take(LAUNCH, nonce)
    stacks, clients, proposal = cloud.stacks(one.place), cloud.clients(one.place), reviewed.proposal
    asked, price = proposal.plan.request, proposal.price
    _runs().forget(reviewed.plan_token)  # what lies in a folder may be something else the next time
    confirmation = Confirmation(token=proposal.plan.token, usd_per_hour=price.usd_per_hour, by=one.by)

    def work() -> str | None:
        models.upload(asked, clients)
        executed = stacks.execute(proposal, confirmation)
        cloud.forget()
        if proposal.starts_job:
            found = stacks.follow(proposal.stack_id, change_set_id=executed)
            if found.phase is Phase.LIVE and not found.is_rolled_back:
                stacks.start_job(found)
        return executed

    run = background((LAUNCH, nonce, "begun"), work)
    _all_begun()[asked.name] = Begun(run=run, change_set_id=proposal.change_set_id)


def remove(nonce: str, *, gives_up: bool = False) -> None:
    """Begin the removal that was previewed; what could not be deleted before is tried again, or given up.

    Raises: NotAllowedError, SpentError.
    """
    one, removal = _take(REMOVE, nonce)
    stacks, confirmation = cloud.stacks(one.place), _confirmation(removal, one.by)
    given_up = [lost.logical_id for lost in removal.stuck] if gives_up else []

    def work() -> None:
        stacks.remove(removal.name, confirmation, give_up=given_up)
        cloud.forget()

    _all_begun()[removal.name] = Begun(run=background((REMOVE, nonce, "begun"), work))


def sweep(nonce: str) -> Run[Swept]:
    """Begin to remove what a sweep found. Raises: NotAllowedError, SpentError."""
    one, found = _take(SWEEP, nonce)
    stacks, confirmation = cloud.stacks(one.place), _confirmation(found, one.by)
    return background((SWEEP, nonce, "begun"), lambda: stacks.remove_orphans(confirmation))


def run_job(nonce: str) -> None:
    """Begin another run of a batch launch. Raises: NotAllowedError, SpentError."""
    one, shown = _take(JOB, nonce)
    stacks, book = cloud.stacks(one.place), data.price_book()
    confirmation = Confirmation(token=shown.token, usd_per_hour=shown.price.usd_per_hour, by=one.by)
    run = background((JOB, nonce, "begun"), lambda: stacks.run_again(shown.name, confirmation, book=book))
    _all_begun()[shown.name] = Begun(run=run)


def begun(name: str) -> Begun | None:
    """Give the last action of this tab on a launch; None where it did nothing to it."""
    return _all_begun().get(name)


def check_sources(request: Request) -> None:
    """Let only the local user of an installation without sign-in name folders of this machine; others upload.

    Raises: InputError.
    """
    if not roles.has_sign_in():
        return
    wrong = [
        Problem(path=f"$.{place}.source", message="is a path of the server; upload the model instead")
        for place, model in models_of(request).items()
        if not model.source.startswith((SAMPLE, "s3://")) and not uploads.is_upload(model.source)
    ]
    if wrong:
        raise InputError(wrong)


def background(token: Hashable, work: Callable[[], Found]) -> Run[Found]:
    """Give the run of a piece of work, after waiting a moment for it, since most are over at once."""
    run: Run[Found] = _runs().ask(token, lambda _: work(), watcher=state.tab_id())
    deadline = time.monotonic() + _SETTLE_S
    while not run.is_over and time.monotonic() < deadline:
        time.sleep(_SETTLE_STEP_S)
    return run


def _confirmation(shown: Removal | Sweep, by: str) -> Confirmation:
    return Confirmation(token=shown.token, usd_per_hour=shown.usd_per_hour, by=by)


def _take(purpose: str, nonce: str) -> tuple[Pending[Any], Any]:
    """Give what may be done now, and never again."""
    roles.require(Role.OPERATIONS)
    one = _all_pending().get(purpose)
    if one is None or not secrets.compare_digest(one.nonce, nonce):
        raise SpentError("this was confirmed before, or something else is asked now; look again, and confirm that")
    if one.run.result is None:
        raise SpentError("what it would do is not known yet; look again, and confirm that")
    drop(purpose)
    if one.by != roles.person():
        raise SpentError("somebody else had asked for it; look again, and confirm that")
    return one, one.run.result


def _plan_token(request: Request, workload: Workload | None) -> Hashable:
    link = None if workload is None else scenario.encode(workload)
    return ("plan", cloud.place(), repr(request), link, data.price_book().as_of)


def _all_pending() -> dict[str, Pending[Any]]:
    return cast("dict[str, Pending[Any]]", st.session_state.setdefault(_PENDING, {}))


def _all_begun() -> dict[str, Begun]:
    return cast("dict[str, Begun]", st.session_state.setdefault(_BEGUN, {}))


@st.cache_resource(max_entries=1, show_spinner=False)
def _runs() -> Runs[Any]:
    """Work that ends whether or not somebody watches it: half a removal helps nobody."""
    return Runs(at_once=_AT_ONCE, forgotten_s=math.inf)
