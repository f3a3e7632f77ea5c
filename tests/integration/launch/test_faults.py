"""A fault at every call of every operation: afterwards a retry or a removal leaves the account as it should be."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from launch.errors import CloudError, LaunchError
from launch.launched import Phase
from launch.plan import Confirmation
from launch.stacks import Stacks
from tests.launching import Faulty, Killed, confirmed, end, failing, launch, plan_of, soon, topic
from tests.stack_templates import resource

FAULTS = (
    "InternalFailure",
    "Throttling",
    "ExpiredTokenException",
    "timeout before",
    "timeout after",
    "kill before",
    "kill after",
)
# The calls of each operation, in their order; a test holds the operations to them.
CREATE = ["DescribeStacks", "DescribeEndpoint", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet"]
UPDATE = [
    "DescribeStacks", "DescribeStacks", "DescribeStackEvents", "GetTemplate", "CreateChangeSet", "DescribeChangeSet",
    "ExecuteChangeSet",
]  # fmt: skip
LOOK = ["DescribeStacks", "DescribeStackEvents", "GetTemplate"]
VERIFY = ["DescribeStacks", "ListStackResources"]
PREVIEW = [*LOOK, "ListStackResources", "GetTemplate", "ListTransformJobs", "DescribeLogGroups", "DescribeLogGroups"]
REMOVE = [*PREVIEW, "DescribeStacks", "DescribeStackEvents", "DeleteStack"]
SWEEP = ["GetResources", "ListRoles", "ListSchedules", "ListTransformJobs", "DescribeStacks", "ListStackResources"]
WITHDRAW = ["DeleteChangeSet", "DescribeStacks", "ListChangeSets", "DeleteStack"]
ORPHAN = ["GetResources", "ListRoles", "ListSchedules", "ListTransformJobs", "DescribeStacks", "DeleteTopic"]
_numbers = itertools.count(1)


class Operations:
    """Operations on one launch, by clients that may fail."""

    def __init__(self, clients: Faulty) -> None:
        clients.calls.clear()
        clients.fault = None
        self.clients = clients
        self.stacks = Stacks(clients, pause=soon)
        self.name = f"faulty-{next(_numbers)}"
        self.sound = Stacks(clients.sandbox.client, pause=soon)  # of a process that has seen none of it
        self.plan = plan_of(self.name, topic())

    def create(self) -> None:
        self.stacks.execute(self.stacks.propose(self.plan, by="ada"), confirmed(self.plan))

    def update(self) -> None:
        self.plan = plan_of(self.name, topic("other"))
        self.create()

    def look(self) -> None:
        assert self.stacks.look(self.name).phase is Phase.LIVE

    def verify(self) -> None:
        assert self.stacks.verify(self.plan) == ()

    def remove(self) -> None:
        removal = Confirmation(token=self.removal.token, usd_per_hour=self.removal.usd_per_hour, by="ada")
        self.stacks.remove(self.name, removal)

    def sweep(self) -> None:
        self.stacks.sweep()

    def launched(self) -> None:
        """Bring the launch into being before the fault."""
        launch(self.sound, self.plan)
        self.removal = self.sound.preview_removal(self.name)


OPERATIONS = {
    "create": CREATE,
    "update": UPDATE,
    "look": LOOK,
    "verify": VERIFY,
    "remove": REMOVE,
    "sweep": SWEEP,
}
# Every fault at a call that changes something, and two at one that only looks.
CHANGING = {"CreateChangeSet", "ExecuteChangeSet", "DeleteStack", "DescribeChangeSet", "DeleteTopic"}
SCENARIOS = [
    (operation, at, fault)
    for operation, calls in OPERATIONS.items()
    for at, call in enumerate(calls)
    for fault in (FAULTS if call in CHANGING else (FAULTS[at % 4], FAULTS[5 + at % 2]))
]


@pytest.fixture(scope="module")
def clients(sandbox, account) -> Iterator[Faulty]:
    """Clients that may fail; after all of it the account holds what it held before."""
    before = account.holds()
    yield Faulty(sandbox)
    assert account.holds() == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_calls_of_an_operation_are_those_that_are_let_fail(clients, operation):
    done = Operations(clients)
    if operation != "create":
        done.launched()
    getattr(done, operation)()
    settled(done)
    assert done.clients.calls == OPERATIONS[operation]
    end(done.sound, done.name)


@pytest.mark.parametrize(("operation", "at", "fault"), SCENARIOS, ids=lambda value: str(value).replace(" ", "-"))
def test_after_a_fault_a_retry_or_a_removal_leaves_no_orphan(clients, account, operation, at, fault):
    done = Operations(clients)
    if operation != "create":
        done.launched()
    done.clients.fault = failing(fault, at)
    broke = outcome(getattr(done, operation))
    settled(done)
    retried = at % 2 == 0
    if retried:  # by a process that has seen nothing of the first try
        done.stacks = done.sound
        outcome(getattr(done, operation), expected=(LaunchError,) if operation == "create" else ())
        settled(done)
        check(done, operation)
    assert (broke is Killed) is fault.startswith("kill")
    end(done.sound, done.name)
    assert done.sound.look(done.name) is None
    names = [stack["StackName"] for stack in account.cloudformation.describe_stacks()["Stacks"]]
    topics = [topic["TopicArn"] for topic in account.sandbox.client("sns").list_topics()["Topics"]]
    assert not [one for one in (*names, *topics) if f"{done.name}-" in f"{one}-"]


@pytest.mark.parametrize("fault", ["Throttling", "timeout after", "kill after"])
@pytest.mark.parametrize("at", range(len(WITHDRAW)), ids=WITHDRAW)
def test_after_a_fault_a_proposal_can_still_be_withdrawn_or_removed(clients, at, fault):
    done = Operations(clients)
    proposal = done.sound.propose(done.plan, by="ada")
    clients.fault = failing(fault, at)
    outcome(lambda: done.stacks.withdraw(proposal))
    assert clients.calls == WITHDRAW[: at + 1]
    if at % 2:
        done.sound.withdraw(proposal)
    end(done.sound, done.name)
    assert done.sound.look(done.name) is None


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_while_a_failed_creation_is_cleared_away_it_can_be_launched(clients, fault):
    done = Operations(clients)
    bad = resource("IAM::Role", AssumeRolePolicyDocument={}, ManagedPolicyArns=["arn:aws:iam::aws:policy/nothing"])
    assert launch(done.sound, plan_of(done.name, {**topic(), "Role": bad})).status == "ROLLBACK_COMPLETE"
    clients.fault = failing(fault, 1)
    outcome(done.create)
    assert clients.calls[:2] == ["DescribeStacks", "DeleteStack"]
    if done.sound.look(done.name) is not None:
        done.sound.follow(done.name)
    assert launch(done.sound, done.plan).phase is Phase.LIVE
    end(done.sound, done.name)


def outcome(operation: Callable[[], None], expected: tuple[type[Exception], ...] = (CloudError,)) -> type | None:
    """Run an operation; gives what ended it. Any other error than the expected ones is one of ours."""
    try:
        operation()
    except Killed:
        return Killed
    except expected as err:
        return type(err)
    return None


def settled(done: Operations) -> None:
    """Wait until nothing is under way."""
    if (found := done.sound.look(done.name)) is not None:
        done.sound.follow(found.stack_id)


def check(done: Operations, operation: str) -> None:
    """What the operation was to bring about is there after the retry."""
    found = done.sound.look(done.name)
    if operation == "remove":
        assert found is None
    else:
        assert (found.phase, found.token) == (Phase.LIVE, done.plan.token)
        assert done.sound.verify(done.plan) == ()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(len(ORPHAN)), ids=ORPHAN)
def test_after_a_fault_a_second_sweep_finds_what_is_left(clients, account, at, fault):
    done = Operations(clients)
    tags = [{"Key": "hostfit:launch", "Value": "gone"}]
    arn = account.sandbox.client("sns").create_topic(Name=done.name, Tags=tags)["TopicArn"]
    found = done.sound.sweep()
    assert [one.arn for one in found.orphans] == [arn]
    clients.fault = failing(fault, at)
    everything = Confirmation(token=found.token, usd_per_hour=found.usd_per_hour, by="ada")
    outcome(lambda: done.stacks.remove_orphans(everything))
    assert clients.calls == ORPHAN[: len(clients.calls)]
    again = done.sound.sweep()
    done.sound.remove_orphans(Confirmation(token=again.token, usd_per_hour=again.usd_per_hour, by="ada"))
    assert done.sound.sweep().is_clean


def test_a_launch_is_followed_through_throttling_and_lost_answers(clients):
    done = Operations(clients)
    proposal = done.stacks.propose(done.plan, by="ada")
    done.stacks.execute(proposal, confirmed(done.plan))
    since = len(clients.calls)

    def fault(moment: str, index: int) -> str | None:
        if index - since in {1, 2, 4}:
            return failing("timeout before" if index % 2 else "Throttling", index)(moment, index)
        return None

    clients.fault = fault
    assert done.stacks.follow(done.name, change_set_id=proposal.change_set_id).phase is Phase.LIVE
    clients.fault = lambda moment, _: "ExpiredTokenException" if moment == "before" else None
    with pytest.raises(CloudError, match="Renew the credentials"):
        done.stacks.follow(done.name)
    clients.fault = None
    end(done.sound, done.name)
