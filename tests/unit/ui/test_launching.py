"""What a person does to the account is done once, by whoever may, and only as it was shown."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
import streamlit as st

from fitness.errors import InputError
from launch.launched import Phase
from launch.plan import Confirmation
from launch.price import Hourly, When
from launch.request import Model, Request, Variant
from ui import cloud, launching, uploads
from ui.errors import NotAllowedError, SpentError

ADA = {"is_logged_in": True, "email": "ada@example.org"}
EVE = {"is_logged_in": True, "email": "eve@example.org"}
PRICE = Decimal("0.115")
HOUR = Hourly(when=When.IDLE, usd_per_hour=PRICE)
REQUEST = Request(
    name="iris",
    option="real_time",
    region="us-east-1",
    configuration={"instance_type": "ml.m5.large"},
    models=(Model(source="s3://models/iris/model.tar.gz"),),
)
PLAN = SimpleNamespace(token="t", to_confirm=HOUR, request=REQUEST)  # noqa: S106 (of a plan, not of a person)


class Account:
    """Stacks that note what is done to them."""

    def __init__(self):
        self.done = []
        self.error = None
        self.executed = "c"

    def propose(self, plan, *, by):
        return SimpleNamespace(
            plan=plan, price=plan.to_confirm, starts_job=False, stack_id="s", change_set_id="c", asked_by=by
        )

    def execute(self, proposal, confirmation):
        if self.error:
            raise self.error
        self.done.append(("execute", confirmation.token, confirmation.usd_per_hour, confirmation.by))
        return self.executed

    def preview_removal(self, name):
        return SimpleNamespace(name=name, token="r", usd_per_hour=PRICE, stuck=())  # noqa: S106 (as above)

    def remove(self, name, confirmation, *, give_up):
        self.done.append(("remove", name, confirmation.by))

    def sweep(self):
        return SimpleNamespace(token="w", usd_per_hour=PRICE)  # noqa: S106 (as above)

    def remove_orphans(self, confirmation):
        self.done.append(("sweep", confirmation.token, confirmation.usd_per_hour))


@pytest.fixture
def tab(monkeypatch):
    """One tab of Ada, who may launch, and the account that it talks to."""
    accounts = {"": Account(), "prod": Account()}
    chosen = SimpleNamespace(profile="", accounts=accounts)
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "user", ADA)
    monkeypatch.setattr(st, "secrets", {"roles": {"operations": [ADA["email"]]}})
    monkeypatch.setattr(cloud, "place", lambda: cloud.Place(chosen.profile, None))
    monkeypatch.setattr(cloud, "stacks", lambda place: accounts[place.profile])
    monkeypatch.setattr(cloud, "clients", lambda place: None)
    monkeypatch.setattr(launching.models, "upload", lambda request, clients: None)
    monkeypatch.setattr(launching.data, "price_book", lambda: SimpleNamespace(as_of="today"))
    return chosen


def nonce(purpose, subject):
    return launching.pending(purpose, subject).nonce


def test_what_was_confirmed_is_executed_with_its_price_and_who_gave_it(tab):
    launching.review(REQUEST, None, PLAN)
    launching.launch(nonce(launching.LAUNCH, ("t", HOUR)))
    assert tab.accounts[""].done == [("execute", "t", PRICE, "ada@example.org")]
    assert launching.begun("iris").run.error is None


@pytest.mark.parametrize("executed", ["c", "theirs"])
def test_what_was_begun_is_seen_also_where_somebody_else_was_faster(tab, executed):
    tab.accounts[""].executed = executed
    launching.review(REQUEST, None, PLAN)
    launching.launch(nonce(launching.LAUNCH, ("t", HOUR)))
    shown = {one: launching.begun("iris").is_in(SimpleNamespace(change_set_id=one)) for one in (executed, "old", None)}
    assert shown == {executed: True, "old": False, None: False}


def test_a_replayed_click_launches_nothing(tab):
    launching.review(REQUEST, None, PLAN)
    shown = nonce(launching.LAUNCH, ("t", HOUR))
    launching.launch(shown)
    with pytest.raises(SpentError):
        launching.launch(shown)
    assert len(tab.accounts[""].done) == 1


def test_another_tab_confirms_nothing(tab, monkeypatch):
    launching.review(REQUEST, None, PLAN)
    shown = nonce(launching.LAUNCH, ("t", HOUR))
    monkeypatch.setattr(st, "session_state", {})
    with pytest.raises(SpentError):
        launching.launch(shown)
    assert not tab.accounts[""].done


def test_a_guessed_nonce_confirms_nothing_and_leaves_the_review(tab):
    launching.review(REQUEST, None, PLAN)
    with pytest.raises(SpentError):
        launching.launch("0" * 32)
    assert launching.pending(launching.LAUNCH, ("t", HOUR)) is not None


def test_an_architect_can_neither_review_nor_preview_nor_sweep(tab, monkeypatch):
    monkeypatch.setattr(st, "user", EVE)
    for act in (
        lambda: launching.review(REQUEST, None, PLAN),
        lambda: launching.preview_removal("iris", "s"),
        launching.find_left_over,
    ):
        with pytest.raises(NotAllowedError):
            act()


def test_who_loses_the_role_between_review_and_confirmation_launches_nothing(tab, monkeypatch):
    launching.review(REQUEST, None, PLAN)
    shown = nonce(launching.LAUNCH, ("t", HOUR))
    monkeypatch.setattr(st, "secrets", {"roles": {"operations": []}})
    with pytest.raises(NotAllowedError):
        launching.launch(shown)
    assert not tab.accounts[""].done


def test_another_person_in_the_same_tab_confirms_nothing(tab, monkeypatch):
    launching.review(REQUEST, None, PLAN)
    shown = nonce(launching.LAUNCH, ("t", HOUR))
    monkeypatch.setattr(st, "secrets", {"roles": {"operations": ["*"]}})
    monkeypatch.setattr(st, "user", EVE)
    with pytest.raises(SpentError):
        launching.launch(shown)
    assert not tab.accounts[""].done


def test_a_review_is_about_one_plan_and_one_account(tab):
    launching.review(REQUEST, None, PLAN)
    assert launching.pending(launching.LAUNCH, "another plan") is None
    tab.profile = "prod"
    assert launching.pending(launching.LAUNCH, ("t", HOUR)) is None


def test_at_another_price_it_is_reviewed_anew(tab):
    launching.review(REQUEST, None, PLAN)
    dearer = SimpleNamespace(token="t", to_confirm=replace(HOUR, usd_per_hour=PRICE + 1), request=REQUEST)  # noqa: S106 (as above)
    assert launching.pending(launching.LAUNCH, launching.subject_of(PLAN)) is not None
    assert launching.pending(launching.LAUNCH, launching.subject_of(dearer)) is None


def test_a_plan_serves_one_launch_since_what_lies_in_a_folder_may_change(tab, monkeypatch):
    made = []
    monkeypatch.setattr(launching.models, "resolve", lambda request, clients, *, upload: request)
    monkeypatch.setattr(launching.planning, "plan", lambda request, **_: made.append(request) or PLAN)
    for _ in range(2):
        launching.plan_of(REQUEST, None)
    launching.review(REQUEST, None, PLAN)
    launching.launch(nonce(launching.LAUNCH, ("t", HOUR)))
    launching.plan_of(REQUEST, None)
    assert made == [REQUEST, REQUEST]


def test_a_launch_goes_to_the_account_that_was_reviewed(tab):
    launching.review(REQUEST, None, PLAN)
    shown = nonce(launching.LAUNCH, ("t", HOUR))
    tab.profile = "prod"
    launching.launch(shown)
    assert tab.accounts[""].done
    assert not tab.accounts["prod"].done


def test_a_failure_in_the_background_is_kept_for_the_page(tab):
    tab.accounts[""].error = SpentError("no")
    launching.review(REQUEST, None, PLAN)
    launching.launch(nonce(launching.LAUNCH, ("t", HOUR)))
    assert str(launching.begun("iris").run.error) == "no"


def test_a_removal_is_confirmed_once(tab):
    launching.preview_removal("iris", "s")
    shown = nonce(launching.REMOVE, "s")
    launching.remove(shown)
    with pytest.raises(SpentError):
        launching.remove(shown)
    assert tab.accounts[""].done == [("remove", "iris", "ada@example.org")]


@pytest.mark.parametrize(("gives_up", "expected"), [(False, []), (True, ["Role"])])
def test_what_could_not_be_deleted_is_given_up_only_if_a_person_says_so(tab, monkeypatch, gives_up, expected):
    account, given = tab.accounts[""], []
    shown = SimpleNamespace(
        name="iris",
        token="r",  # noqa: S106 (as above)
        usd_per_hour=PRICE,
        stuck=(SimpleNamespace(logical_id="Role"),),
    )
    monkeypatch.setattr(account, "preview_removal", lambda name: shown)
    monkeypatch.setattr(account, "remove", lambda name, confirmation, *, give_up: given.append(give_up))
    launching.preview_removal("iris", "s")
    launching.remove(nonce(launching.REMOVE, "s"), gives_up=gives_up)
    assert given == [expected]


def test_a_sweep_removes_what_was_shown_once(tab, monkeypatch):
    monkeypatch.setattr(launching.Stacks, "sweep", Account.sweep)
    launching.find_left_over()
    shown = nonce(launching.SWEEP, launching.SWEEP)
    launching.sweep(shown)
    with pytest.raises(SpentError):
        launching.sweep(shown)
    assert tab.accounts[""].done == [("sweep", "w", PRICE)]


def test_a_launch_starts_its_job_where_the_review_says_so(tab, monkeypatch):
    account, started = tab.accounts[""], []
    ends = [(Phase.LIVE, False), (Phase.LIVE, True), (Phase.FAILED, False)]  # live, taken back, not made
    job = Hourly(when=When.JOB, usd_per_hour=PRICE)
    for phase, is_rolled_back in ends:
        for starts_job in (True, False):
            proposal = SimpleNamespace(
                plan=PLAN, price=job, starts_job=starts_job, stack_id="s", change_set_id="c"
            )  # fmt: skip
            found = SimpleNamespace(phase=phase, is_rolled_back=is_rolled_back)
            monkeypatch.setattr(account, "propose", lambda plan, *, by, made=proposal: made, raising=False)
            monkeypatch.setattr(account, "follow", lambda stack, *, change_set_id, end=found: end, raising=False)
            monkeypatch.setattr(account, "start_job", started.append, raising=False)
            launching.review(REQUEST, None, PLAN)
            launching.launch(nonce(launching.LAUNCH, ("t", HOUR)))
            assert launching.begun("iris").run.error is None
    assert [(one.phase, one.is_rolled_back) for one in started] == ends[:1]


def test_a_further_job_is_priced_first_and_its_price_is_what_is_confirmed(tab, monkeypatch):
    account, started = tab.accounts[""], []
    run = SimpleNamespace(name="scoring", token="j", price=Hourly(when=When.JOB, usd_per_hour=PRICE))  # noqa: S106
    monkeypatch.setattr(account, "preview_run", lambda name, *, book: run, raising=False)
    monkeypatch.setattr(
        account, "run_again", lambda name, confirmed, *, book: started.append((name, confirmed)), raising=False
    )
    launching.preview_run(SimpleNamespace(name="scoring", stack_id="s"))
    assert launching.pending(launching.JOB, "s").run.result.price.usd_per_hour == PRICE
    shown = nonce(launching.JOB, "s")
    launching.run_job(shown)
    with pytest.raises(SpentError):
        launching.run_job(shown)
    assert started == [("scoring", Confirmation(token="j", usd_per_hour=PRICE, by="ada@example.org"))]  # noqa: S106


@pytest.mark.parametrize("source", ["/etc", "~/.aws", "model", "file:///etc"])
def test_with_sign_in_nobody_names_folders_of_the_server(tab, source):
    with pytest.raises(InputError, match="upload the model instead"):
        launching.check_sources(with_source(source))


def test_with_sign_in_no_variant_names_folders_of_the_server(tab):
    beside = replace(with_source("sample:iris"), variants=(Variant(name="new", model=Model(source="/etc")),))
    with pytest.raises(InputError, match="upload the model instead"):
        launching.check_sources(beside)


def test_samples_addresses_and_uploads_may_be_named(tab):
    for source in ("sample:iris", "s3://b/k.tar.gz", str(uploads.keep({"model.tar.gz": b"1"}))):
        launching.check_sources(with_source(source))


def test_the_local_user_may_name_folders(tab, monkeypatch):
    monkeypatch.setattr(st, "user", {})
    launching.check_sources(with_source("/home/ada/model"))


def with_source(source):
    return Request(
        name="iris", option="real_time", region="us-east-1", configuration={}, models=(Model(source=source),)
    )
