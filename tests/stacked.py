"""A world of things for stacks: resource types over a dictionary, and power cuts at any step."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.services.cloudformation.calls import Refused
from sandbox.services.cloudformation.engine import Engine
from sandbox.services.cloudformation.store import SCHEMA, Stack, Stage, Store, Version, now
from sandbox.services.cloudformation.template import Bound, Surroundings, Template
from sandbox.services.cloudformation.types.resource_type import Found, ResourceType
from sandbox.state import Database

ACCOUNT, REGION = "000000000000", "us-east-1"


class PowerCut(BaseException):
    """The process ends here."""


@dataclass
class World:
    """Things by name. `tick` is called before and after every call that changes one."""

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    tick: Callable[[str], None] = lambda _: None

    def __call__(self, service: str, operation: str, **parameters: Any) -> None:
        self.tick(f"before {operation} {parameters['name']}")
        getattr(self, operation)(**parameters)
        self.tick(f"after {operation} {parameters['name']}")

    def make(self, name: str, kind: str) -> None:
        assert name not in self.things, f"{name} made twice"
        self.things[name] = {"Kind": kind, "Parts": []}

    def size(self, name: str, size: Any) -> None:
        self.things[name]["Size"] = size

    def add_part(self, name: str, part: str) -> None:
        self.things[name]["Parts"] = sorted({*self.things[name]["Parts"], part})

    def remove_part(self, name: str, part: str) -> None:
        self.things[name]["Parts"] = [one for one in self.things[name]["Parts"] if one != part]

    def unmake(self, name: str) -> None:
        del self.things[name]


class Thing(ResourceType):
    """Test::Thing: Kind is for ever; Size and Parts can change, the parts one call each."""

    type = "Test::Thing"
    name_property = "Name"
    create_only = frozenset({"Kind"})
    changeable = frozenset({"Size", "Parts", "Link"})

    def find(self, call, name, properties):
        if name not in call.things:
            return None
        return Found(physical_id=f"id-{name}", attributes={"Name": name})

    def create(self, call, name, properties):
        call("world", "make", name=name, kind=properties.get("Kind"))

    def configure(self, call, name, before, after):
        if after.get("Size") == "impossible":
            raise Refused("no thing has that size")
        call("world", "size", name=name, size=after.get("Size"))
        for part in sorted(set(before.get("Parts", [])) - set(after.get("Parts", []))):
            call("world", "remove_part", name=name, part=part)
        for part in after.get("Parts", []):
            call("world", "add_part", name=name, part=part)

    def delete(self, call, name, properties):
        call("world", "unmake", name=name)


class Ticking(Database):
    """A database that ticks before and after every change."""

    tick: Callable[[str], None] = staticmethod(lambda _: None)

    def write(self, statement, values=()):
        self.tick(f"before {statement[:30]}")
        done = super().write(statement, values)
        self.tick(f"after {statement[:30]}")
        return done

    def transaction(self):
        self.tick("before a transaction")
        return super().transaction()


class Home:
    """A store in a folder, a world, and engines that run in the caller's thread."""

    def __init__(self, folder: Path) -> None:
        self.database = Ticking(folder / "cloudformation.sqlite", SCHEMA)
        self.store = Store(self.database)
        self.world = World()
        self.start_engine()

    def start_engine(self) -> None:
        """Start anew, as after a restart."""
        self.engine = Engine(
            self.store,
            calls=lambda _: self.world,
            bind=bind,
            types={Thing.type: Thing()},
            background=lambda function, *arguments: function(*arguments),
        )

    def on_tick(self, tick: Callable[[str], None]) -> None:
        self.world.tick = self.database.tick = tick

    def stack(self) -> Stack:
        return self.store.stacks()[0]

    def create(self, resources: Mapping[str, Any], **fields: Any) -> str:
        """Create a stack; gives its status then."""
        stack = Stack(
            id=f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/things/1",
            name="things",
            region=REGION,
            status="CREATE_IN_PROGRESS",
            created=now(),
            version=version(resources),
            **fields,
        )
        self.store.add_stack(stack)
        self.engine.start(stack.id)
        return self.stack().status

    def update(self, resources: Mapping[str, Any], **fields: Any) -> str:
        stack = self.stack()
        previous = stack.previous if stack.status == "UPDATE_FAILED" else stack.version
        return self.go("UPDATE_IN_PROGRESS", version=version(resources), previous=previous, **fields)

    def go(self, status: str, **fields: Any) -> str:
        """Move the stack into a phase; gives the status in which it rests."""
        self.store.advance(self.stack(), status, **fields)
        self.engine.start(self.stack().id)
        return self.stack().status

    def events(self) -> list[str]:
        """Give what happened, oldest first."""
        events = [event for _, event in self.store.events(self.stack().id, None, 10_000)]
        return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in reversed(events)]

    def reasons(self) -> dict[str, str]:
        """Give the last reason of each event that had one."""
        events = [event for _, event in self.store.events(self.stack().id, None, 10_000)]
        return {
            f"{event['LogicalResourceId']} {event['ResourceStatus']}": event["ResourceStatusReason"]
            for event in reversed(events)
            if event["ResourceStatusReason"]
        }

    def made(self) -> dict[str, dict[str, Any]]:
        """Give the things that the stack calls its own, by logical id, as the world has them."""
        return {
            one.logical_id: self.world.things[one.name]
            for one in self.store.resources(self.stack().id)
            if one.current and one.stage is not Stage.GONE and one.name in self.world.things
        }


def version(resources: Mapping[str, Any]) -> Version:
    declared = {
        name: {
            "Type": "Test::Thing",
            "Properties": {key: value for key, value in one.items() if key != "_"},
            **one.get("_", {}),
        }
        for name, one in resources.items()
    }
    return Version(template=json.dumps({"Resources": declared}), parameters={}, tags=())


def bind(stack: Stack, asked: Version) -> Bound:
    around = Surroundings(pseudo={"AWS::StackName": stack.name}, imported=str, stored=str)
    return Bound(Template(asked.template), asked.parameters, around)


def refusal() -> ClientError:
    answer = {"Error": {"Code": "ValidationException", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer, "Make")
