"""Stacks over a world of things: orders, rollbacks, and an interruption or a refusal at every single step."""

import itertools

import pytest

from tests.stacked import Home, PowerCut, refusal

BEFORE = {
    "Base": {"Kind": "a", "Size": 1, "Parts": ["x", "y"]},
    "Other": {"Size": 1},
    "Middle": {"Kind": "a", "Link": {"Ref": "Base"}},
    "Top": {"Size": {"Fn::GetAtt": ["Middle", "Name"]}, "Parts": ["x"]},
}
# In place, replaced, changed because something was replaced, removed, added.
AFTER = {
    "Base": {"Kind": "a", "Size": 2, "Parts": ["y", "z"]},
    "Middle": {"Kind": "b", "Link": {"Ref": "Base"}},
    "Top": {"Size": {"Fn::GetAtt": ["Middle", "Name"]}, "Parts": []},
    "New": {"Size": {"Ref": "Top"}},
}
IMPOSSIBLE = {**AFTER, "New": {"Size": "impossible", "Link": {"Ref": "Top"}}}


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def shape(things):
    """What counts of things: their kinds and parts, and how many have which size (names are random)."""
    return {name: (one["Kind"], one["Parts"]) for name, one in things.items()}


def test_creation_follows_the_dependencies(home):
    assert home.create(BEFORE) == "CREATE_COMPLETE"
    done = [event.split()[0] for event in home.events() if event.endswith("CREATE_COMPLETE")]
    assert done == ["Base", "Other", "Middle", "Top", "things"]
    middle = next(name for name in home.world.things if "Middle" in name)
    assert home.made()["Top"]["Size"] == middle


def test_each_resource_tells_when_its_creation_begins_and_ends(home):
    home.create({"Only": {}})
    assert home.events() == [
        "things CREATE_IN_PROGRESS",
        "Only CREATE_IN_PROGRESS",
        "Only CREATE_IN_PROGRESS",
        "Only CREATE_COMPLETE",
        "things CREATE_COMPLETE",
    ]


def test_deletion_goes_in_reverse(home):
    home.create(BEFORE)
    assert home.go("DELETE_IN_PROGRESS") == "DELETE_COMPLETE"
    gone = [event.split()[0] for event in home.events() if event.endswith("DELETE_COMPLETE")]
    assert gone == ["Top", "Middle", "Other", "Base", "things"]
    assert home.world.things == {}


def test_a_failed_creation_is_rolled_back(home):
    assert home.create({**BEFORE, "Top": {"Size": "impossible", "Link": {"Ref": "Middle"}}}) == "ROLLBACK_COMPLETE"
    assert home.world.things == {}
    reasons = home.reasons()
    assert "no thing has that size" in reasons["Top CREATE_FAILED"]
    expected = "The following resource(s) failed to create: [Top]. Rollback requested by user."
    assert reasons["things ROLLBACK_IN_PROGRESS"] == expected


def test_what_has_the_wanted_name_already_is_not_touched(home):
    home.world.things["taken"] = {"Kind": "of somebody else"}
    assert home.create({"Base": {}, "Mine": {"Name": "taken", "Link": {"Ref": "Base"}}}) == "ROLLBACK_COMPLETE"
    assert home.world.things == {"taken": {"Kind": "of somebody else"}}
    assert "already exists" in home.reasons()["Mine CREATE_FAILED"]


@pytest.mark.parametrize(("on_failure", "status"), [("DO_NOTHING", "CREATE_FAILED"), ("DELETE", "DELETE_COMPLETE")])
def test_what_happens_on_failure_is_the_callers_choice(home, on_failure, status):
    assert (
        home.create({"Base": {}, "Bad": {"Size": "impossible", "Link": {"Ref": "Base"}}}, on_failure=on_failure)
        == status
    )
    assert bool(home.world.things) == (on_failure == "DO_NOTHING")


def test_a_failed_creation_that_was_kept_can_be_mended_by_an_update(home):
    home.create({"Base": {}, "Bad": {"Size": "impossible", "Link": {"Ref": "Base"}}}, on_failure="DO_NOTHING")
    base = next(name for name in home.world.things if "Base" in name)
    mended = {"Base": {}, "Bad": {"Size": 3, "Link": {"Ref": "Base"}}}
    home.store.advance(home.stack(), "UPDATE_IN_PROGRESS", version=home.stack().version)
    home.store.advance(home.stack(), "CREATE_FAILED")
    assert home.update(mended, on_failure="ROLLBACK") == "UPDATE_COMPLETE"
    assert base in home.world.things
    assert len(home.world.things) == 2


def test_an_update_changes_in_place_replaces_adds_and_removes(home):
    home.create(BEFORE)
    base = next(name for name in home.world.things if "Base" in name)
    assert home.update(AFTER) == "UPDATE_COMPLETE"
    assert shape(home.made()) == {"Base": ("a", ["y", "z"]), "Middle": ("b", []), "Top": (None, []), "New": (None, [])}
    assert len(home.world.things) == 4
    assert base in home.world.things
    said = home.events()[home.events().index("things UPDATE_IN_PROGRESS") :]
    assert said == [
        "things UPDATE_IN_PROGRESS",
        "Base UPDATE_IN_PROGRESS",
        "Base UPDATE_COMPLETE",
        "Middle UPDATE_IN_PROGRESS",
        "Middle UPDATE_IN_PROGRESS",
        "Middle UPDATE_COMPLETE",
        "Top UPDATE_IN_PROGRESS",
        "Top UPDATE_COMPLETE",
        "New CREATE_IN_PROGRESS",
        "New CREATE_IN_PROGRESS",
        "New CREATE_COMPLETE",
        "things UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "Middle DELETE_IN_PROGRESS",
        "Middle DELETE_COMPLETE",
        "Other DELETE_IN_PROGRESS",
        "Other DELETE_COMPLETE",
        "things UPDATE_COMPLETE",
    ]


def test_a_failed_update_brings_everything_back(home):
    home.create(BEFORE)
    before = {name: dict(one) for name, one in home.world.things.items()}
    assert home.update(IMPOSSIBLE) == "UPDATE_ROLLBACK_COMPLETE"
    assert home.world.things == before
    assert home.reasons()["things UPDATE_ROLLBACK_IN_PROGRESS"] == "The following resource(s) failed to create: [New]. "
    assert home.update(AFTER) == "UPDATE_COMPLETE"


def test_a_name_of_its_own_stands_in_the_way_of_a_replacement(home):
    home.create({"Base": {"Kind": "a", "Name": "mine"}})
    assert home.update({"Base": {"Kind": "b", "Name": "mine"}}) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Rename mine and update the stack again" in home.reasons()["Base UPDATE_FAILED"]
    assert home.world.things["mine"]["Kind"] == "a"


def test_an_update_that_was_kept_in_its_failure_can_be_mended_or_rolled_back(home):
    home.create(BEFORE)
    before = {name: dict(one) for name, one in home.world.things.items()}
    assert home.update(IMPOSSIBLE, on_failure="DO_NOTHING") == "UPDATE_FAILED"
    assert home.go("UPDATE_ROLLBACK_IN_PROGRESS") == "UPDATE_ROLLBACK_COMPLETE"
    assert home.world.things == before
    assert home.update(IMPOSSIBLE, on_failure="DO_NOTHING") == "UPDATE_FAILED"
    assert home.update(AFTER, on_failure="ROLLBACK") == "UPDATE_COMPLETE"
    assert len(home.world.things) == 4


def test_retained_resources_stay(home):
    home.create({"Kept": {"_": {"DeletionPolicy": "Retain"}}, "Lost": {}})
    assert home.go("DELETE_IN_PROGRESS") == "DELETE_COMPLETE"
    assert "Kept DELETE_SKIPPED" in home.events()
    assert ["Kept" in name for name in home.world.things] == [True]


def test_a_replaced_resource_stays_if_its_policy_says_so(home):
    home.create({"Base": {"Kind": "a", "_": {"UpdateReplacePolicy": "Retain"}}})
    assert home.update({"Base": {"Kind": "b", "_": {"UpdateReplacePolicy": "Retain"}}}) == "UPDATE_COMPLETE"
    assert sorted(one["Kind"] for one in home.world.things.values()) == ["a", "b"]


def test_retain_except_on_create_is_deleted_by_a_rollback_only(home):
    kept = {"_": {"DeletionPolicy": "RetainExceptOnCreate"}}
    assert home.create({"Kept": kept, "Bad": {"Size": "impossible", "Link": {"Ref": "Kept"}}}) == "ROLLBACK_COMPLETE"
    assert home.world.things == {}


def test_a_creation_that_takes_too_long_is_rolled_back(home):
    assert home.create(BEFORE, began="2026-01-01T00:00:00+00:00", timeout_minutes=1) == "ROLLBACK_COMPLETE"
    assert "exceeded the specified timeout" in home.reasons()["things ROLLBACK_IN_PROGRESS"]


def test_what_can_not_be_deleted_holds_what_it_depends_on(home):
    home.create(BEFORE)

    def refuse(step: str) -> None:
        if "before unmake" in step and "Middle" in step:
            raise refusal()

    home.on_tick(refuse)
    assert home.go("DELETE_IN_PROGRESS") == "DELETE_FAILED"
    assert sorted(home.made()) == ["Base", "Middle"]
    home.on_tick(lambda _: None)
    assert home.go("DELETE_IN_PROGRESS", skipped=["Middle"]) == "DELETE_COMPLETE"
    assert ["Middle" in name for name in home.world.things] == [True]


def test_a_deletion_overtakes_a_creation(home):
    def delete_now(step: str) -> None:
        if step.startswith("after make") and "Middle" in step:
            home.on_tick(lambda _: None)
            home.store.advance(home.stack(), "DELETE_IN_PROGRESS")

    home.on_tick(delete_now)
    assert home.create(BEFORE) == "DELETE_COMPLETE"
    assert home.world.things == {}


def test_a_cancelled_update_goes_back(home):
    home.create(BEFORE)
    before = {name: dict(one) for name, one in home.world.things.items()}

    def cancel_now(step: str) -> None:
        if step.startswith("after make"):
            home.on_tick(lambda _: None)
            home.store.advance(home.stack(), "UPDATE_ROLLBACK_IN_PROGRESS")

    home.on_tick(cancel_now)
    assert home.update(AFTER) == "UPDATE_ROLLBACK_COMPLETE"
    assert home.world.things == before


def test_a_rollback_that_fails_can_be_continued(home):
    home.create(BEFORE)
    before = {name: dict(one) for name, one in home.world.things.items()}
    rolling = False

    def refuse(step: str) -> None:
        nonlocal rolling
        rolling = rolling or "New" in step
        if rolling and step.startswith("before size") and "Base" in step:
            raise refusal()

    home.on_tick(refuse)
    assert home.update(IMPOSSIBLE) == "UPDATE_ROLLBACK_FAILED"
    home.on_tick(lambda _: None)
    assert home.go("UPDATE_ROLLBACK_IN_PROGRESS") == "UPDATE_ROLLBACK_COMPLETE"
    assert home.world.things == before


def test_a_fault_of_the_sandbox_itself_ends_in_a_failed_state_that_can_be_deleted(home):
    def broken(step: str) -> None:
        if step.startswith("before make") and "Middle" in step:
            raise RuntimeError("a fault of ours")

    home.world.tick = broken
    assert home.create(BEFORE) == "CREATE_FAILED"
    assert home.reasons()["things CREATE_FAILED"] == "The sandbox failed; its log says how. "
    home.world.tick = lambda _: None
    assert home.go("DELETE_IN_PROGRESS") == "DELETE_COMPLETE"
    assert home.world.things == {}


# An operation, and the statuses in which it may rest: as asked for, or back.
OPERATIONS = {
    "create": (None, BEFORE, {"CREATE_COMPLETE"}),
    "fail to create": (None, {**BEFORE, "Bad": {"Size": "impossible", "Link": {"Ref": "Top"}}}, {"ROLLBACK_COMPLETE"}),
    "update": (BEFORE, AFTER, {"UPDATE_COMPLETE"}),
    "fail to update": (BEFORE, IMPOSSIBLE, {"UPDATE_ROLLBACK_COMPLETE"}),
    "delete": (BEFORE, None, {"DELETE_COMPLETE"}),
}


def begin(home, before, after):
    """Run an operation, which may be cut short; gives the things there were before it."""
    things = {name: dict(one) for name, one in home.world.things.items()}
    if before is None:
        home.create(after)
    elif after is None:
        home.go("DELETE_IN_PROGRESS")
    else:
        home.update(after)
    return things


def steps_of(home, operation) -> int:
    before, after, _ = operation
    if before is not None:
        home.create(before)
    counted = itertools.count()
    home.on_tick(lambda _: next(counted))
    begin(home, before, after)
    return next(counted)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_power_cut_at_any_step_leaves_nothing_half_done(tmp_path, operation):
    before, after, resting = operation
    (tmp_path / "counted").mkdir()
    steps = steps_of(Home(tmp_path / "counted"), operation)
    assert steps > 15
    for cut in range(steps):
        folder = tmp_path / str(cut)
        folder.mkdir()
        home = Home(folder)
        if before is not None:
            home.create(before)
        things = {name: dict(one) for name, one in home.world.things.items()}
        cut_at(home, cut)
        with pytest.raises(PowerCut):
            begin(home, before, after)
        home.on_tick(lambda _: None)
        if not home.store.stacks():
            continue  # cut before the request was taken
        home.start_engine()
        home.engine.resume()
        status = home.stack().status
        if status == "CREATE_COMPLETE" and before is not None:
            continue  # cut before the request was taken
        assert status in resting, f"step {cut}"
        if status == "UPDATE_COMPLETE":
            assert shape(home.made()) == {
                "Base": ("a", ["y", "z"]),
                "Middle": ("b", []),
                "Top": (None, []),
                "New": (None, []),
            }
            assert len(home.world.things) == 4, f"step {cut}"
        elif status != "CREATE_COMPLETE":
            expected = {} if status in {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"} else things
            assert home.world.things == expected, f"step {cut}"
        if status != "DELETE_COMPLETE":
            assert home.go("DELETE_IN_PROGRESS") == "DELETE_COMPLETE"
        assert home.world.things == {}, f"step {cut}"


def cut_at(home, cut: int) -> None:
    left = itertools.count()

    def tick(_: str) -> None:
        if next(left) == cut:
            raise PowerCut

    home.on_tick(tick)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("when", ["once", "from then on"])
def test_a_refusal_at_any_call_leaves_no_orphan(tmp_path, operation, when):
    before, after, _ = operation
    refused = 0
    for number in itertools.count():
        folder = tmp_path / str(number)
        folder.mkdir()
        home = Home(folder)
        if before is not None:
            home.create(before)
        calls = itertools.count()
        hit = False

        def tick(step: str, number=number, calls=calls) -> None:
            nonlocal hit
            if step.startswith(("before make", "before size", "before add", "before remove", "before unmake")):
                at = next(calls)
                if at == number or (when == "from then on" and at > number):
                    hit = True
                    raise refusal()

        home.world.tick = tick
        things = begin(home, before, after)
        home.world.tick = lambda _: None
        if not hit:
            break
        refused += 1
        status = home.stack().status
        assert not status.endswith("IN_PROGRESS")
        if status == "UPDATE_ROLLBACK_COMPLETE" and when == "once":
            assert set(things) <= set(home.world.things), f"call {number}"
        if status == "UPDATE_ROLLBACK_FAILED":
            assert home.go("UPDATE_ROLLBACK_IN_PROGRESS") == "UPDATE_ROLLBACK_COMPLETE"
            assert {name: home.world.things[name] for name in things} == things
        if status != "DELETE_COMPLETE":
            assert home.go("DELETE_IN_PROGRESS") == "DELETE_COMPLETE"
        assert home.world.things == {}, f"call {number}: {status}"
    assert refused >= 4
