"""Straightforward simulations with a list of events, to compare the kernels with. Slow, and written another way.

Times that fall together are settled together: first everything that happens, then who starts.
"""

import heapq
import math
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from itertools import count


@dataclass(eq=False)
class Played:
    """What became of each request: when it started and finished (None: refused), and what was paid."""

    begin: list
    finish: list
    paid: float = 0.0
    extra: dict = field(default_factory=dict)


class Agenda:
    """Events in the order of their times; those of one time come together."""

    def __init__(self):
        self._heap, self._ticket = [], count()

    def at(self, time, what, *details):
        heapq.heappush(self._heap, (time, next(self._ticket), what, details))

    def moments(self):
        while self._heap:
            now = self._heap[0][0]
            happening = []
            while self._heap and self._heap[0][0] == now:
                _, _, what, details = heapq.heappop(self._heap)
                happening.append((what, details))
            yield now, happening


@dataclass(eq=False)
class Server:
    since: float  # when it came
    free_at: float  # when its work is done
    request: int | None = None
    leaves: bool = False


def paid_between(periods, first, last):
    """Seconds of periods that fall between two times."""
    return sum(max(min(end, last) - max(begin, first), 0.0) for begin, end in periods)


def end_of(finish, arrivals, start):
    """When the last work is done, or the last request comes."""
    return max([one for one in finish if one is not None] + list(arrivals), default=start)


def pooled(arrivals, work, servers, changes=(), *, start=0.0, end=None):
    agenda, waiting, team, periods = Agenda(), [], [Server(start, start) for _ in range(servers)], []
    begin, finish = [None] * len(arrivals), [None] * len(arrivals)
    for time, delta in changes:
        agenda.at(time, "change", delta)
    for i, time in enumerate(arrivals):
        agenda.at(time, "arrive", i)
    for now, happening in agenda.moments():
        for what, details in happening:
            if what == "arrive":
                waiting.append(details[0])
            elif what == "change":
                team += [Server(now, now) for _ in range(details[0])]
                for _ in range(min(max(-details[0], 0), len(team))):
                    leaver = min(team, key=lambda one: one.free_at)
                    team.remove(leaver)
                    periods.append((leaver.since, max(now, leaver.free_at)))
        idle = sorted((one for one in team if one.free_at <= now), key=lambda one: one.free_at)
        while waiting and idle:
            server, i = idle.pop(0), waiting.pop(0)
            begin[i], finish[i] = now, now + work[i]
            server.free_at = finish[i]
            agenda.at(finish[i], "done", i)
            idle = sorted((one for one in team if one.free_at <= now), key=lambda one: one.free_at)
    close = end_of(finish, arrivals, start) if end is None else end
    # A server that came after the close is not paid; without an end, later changes are not made at all.
    periods += [(one.since, close) for one in team]
    return Played(begin, finish, paid_between(periods, start, close))


@dataclass(eq=False)
class Instance:
    """An instance with slots, whose queue is worked out anew from its list of requests whenever it is asked."""

    since: float
    slots: int
    work: list = field(default_factory=list)  # (request, arrival, work)

    def times(self):
        free = [self.since] * self.slots
        for request, arrival, work in self.work:
            free.sort()
            start = max(arrival, free[0])
            free[0] = start + work
            yield request, start, free[0]

    def done_at(self):
        return max([end for _, _, end in self.times()], default=self.since)

    def slots_free_at(self):
        """When the last of its slots is free."""
        return self.done_at()

    def outstanding(self, now):
        return sum(end > now for _, _, end in self.times())


def routed(arrivals, work, uniform, instances, slots, changes=(), *, least, start=0.0, end=None):
    ready, gone = [Instance(start, slots) for _ in range(instances)], []
    begin, finish, periods = [None] * len(arrivals), [None] * len(arrivals), []
    changes = list(changes)

    def change(until):
        while changes and changes[0][0] <= until:
            time, delta = changes.pop(0)
            ready.extend(Instance(time, slots) for _ in range(delta))
            for _ in range(min(max(-delta, 0), len(ready))):
                # Of equals the newest leaves.
                leaver = min(reversed(ready), key=Instance.done_at)
                ready.remove(leaver)
                gone.append(leaver)
                periods.append((leaver.since, max(time, leaver.done_at())))

    for i, now in enumerate(arrivals):
        change(now)
        if not ready:
            continue
        place = min(int(uniform[i] * len(ready)), len(ready) - 1)
        if least:
            turned = ready[place:] + ready[:place]
            chosen = min(turned, key=lambda one: one.outstanding(now))
        else:
            chosen = ready[place]
        chosen.work.append((i, now, work[i]))
    for one in [*ready, *gone]:
        for request, started, ended in one.times():
            begin[request], finish[request] = started, ended
    close = end_of(finish, arrivals, start) if end is None else end
    change(close)
    periods += [(one.since, close) for one in ready]
    return Played(begin, finish, paid_between(periods, start, close))


def sandboxes(arrivals, work, *, cold, ttl, limit, provisioned=0, queues=False, start=0.0):
    """Sandboxes as objects that live, work, rest and expire."""

    @dataclass(eq=False)
    class Sandbox:
        born: float
        free_at: float
        stays: bool

    agenda, waiting = Agenda(), []
    alive, alive_s = [Sandbox(start, start, True) for _ in range(provisioned)], 0.0
    begin, finish, colds, kept = [None] * len(arrivals), [None] * len(arrivals), set(), set()
    for i, time in enumerate(arrivals):
        agenda.at(time, "arrive", i)
    for now, happening in agenda.moments():
        for box in [one for one in alive if not one.stays and one.free_at + ttl <= now]:
            alive.remove(box)
            alive_s += box.free_at + ttl - box.born
        for what, details in happening:
            if what == "arrive":
                waiting.append(details[0])
        while waiting:
            i = waiting[0]
            idle = [one for one in alive if one.free_at <= now]
            staying = [one for one in idle if one.stays]
            delay = 0.0
            if staying:
                box = staying[0]
                kept.add(i)
            elif idle:
                box = max(idle, key=lambda one: one.free_at)
            elif len(alive) < limit:
                box = Sandbox(now, now, False)
                alive.append(box)
                colds.add(i)
                delay = cold
            elif queues:
                break
            else:
                waiting.pop(0)
                continue
            waiting.pop(0)
            begin[i], finish[i] = now, now + delay + work[i]
            box.free_at = finish[i]
            agenda.at(finish[i], "done", i)
    close = end_of(finish, arrivals, start)
    for box in alive:
        ends = close if box.stays else min(box.free_at + ttl, max(close, box.free_at))
        alive_s += max(ends - box.born, 0.0)
    return Played(begin, finish, extra={"cold": colds, "alive": alive_s, "provisioned": kept})


class Lru:
    """A cache on an ordered dictionary, the least recently used model first."""

    def __init__(self, sizes, capacity):
        self.sizes, self.capacity, self.models, self.pushed = sizes, capacity, OrderedDict(), 0

    def use(self, model):
        if model in self.models:
            self.models.move_to_end(model)
            return True
        if self.sizes[model] <= self.capacity:
            while sum(self.models.values()) + self.sizes[model] > self.capacity:
                self.models.popitem(last=False)
                self.pushed += 1
            self.models[model] = self.sizes[model]
        return False


def cached(arrivals, work, models, home, *, load, download, memory, disk, memory_bytes, disk_bytes, slots, instances):
    """Model caches: `home[i]` is the instance of request i; `work[i]` its service."""
    queues = defaultdict(list)
    for i in range(len(arrivals)):
        queues[home[i]].append(i)
    begin, finish = [None] * len(arrivals), [None] * len(arrivals)
    totals = dict.fromkeys(("hits", "misses", "downloads", "pushed", "delayed", "loading"), 0)
    missed = set()
    for instance in range(instances):
        in_memory, on_disk, loaded = Lru(memory, memory_bytes), Lru(disk, disk_bytes), {}
        free = [0.0] * slots
        for i in queues[instance]:
            free.sort()
            begin[i] = max(arrivals[i], free[0])
            ready, model = begin[i], models[i]
            if in_memory.use(model):
                totals["hits"] += 1
                if loaded[model] > ready:
                    ready = loaded[model]
                    totals["delayed"] += 1
            else:
                missed.add(i)
                totals["misses"] += 1
                ready += load[model]
                if not on_disk.use(model):
                    totals["downloads"] += 1
                    ready += download[model]
                loaded[model] = ready
            totals["loading"] += ready - begin[i]
            finish[i] = ready + work[i]
            free[0] = finish[i]
        totals["pushed"] += in_memory.pushed
    return Played(begin, finish, extra={**totals, "missed": missed})


def batched(arrivals, multiplier, of_batch, window, servers):
    """Dynamic batching, moment by moment."""
    agenda, queue, team = Agenda(), [], [0.0] * servers
    begin, finish, batches = [None] * len(arrivals), [None] * len(arrivals), 0
    largest = len(of_batch) - 1
    for i, time in enumerate(arrivals):
        agenda.at(time, "arrive", i)
        agenda.at(time + window, "look")
    for now, happening in agenda.moments():
        for what, details in happening:
            if what == "arrive":
                queue.append(details[0])
        while queue and min(team) <= now and (len(queue) >= largest or now >= arrivals[queue[0]] + window):
            batch, queue = queue[:largest], queue[largest:]
            end = now + of_batch[len(batch)] * (sum(multiplier[i] for i in batch) / len(batch))
            team.remove(min(team))
            team.append(end)
            agenda.at(end, "look")
            batches += 1
            for i in batch:
                begin[i], finish[i] = now, end
    return Played(begin, finish, extra={"batches": batches})


def wanted_instances(policy, points, desired, now, changed):
    """What the policy wants; a point is the backlog and the instances wanted then, or "none" and the backlog."""

    def all_of(name, holds):
        latest = points[-policy[name] :] if policy[name] else []
        return len(latest) == policy[name] > 0 and all(holds(*one) for one in latest)

    def fitting(backlog):
        return math.ceil(backlog / policy["target"] * (1 - 1e-9))

    wanted = desired
    may_grow = now - changed["out"] >= policy["out_cooldown"]
    if desired == 0:
        if may_grow and all_of("wake", lambda kind, backlog: kind == "none" and backlog > 0):
            wanted = 1
    elif all_of("out", lambda backlog, wanted: backlog != "none" and backlog > policy["target"] * wanted):
        if may_grow:
            wanted = max(desired + 1, fitting(points[-1][0]))
    elif now - changed["in"] >= policy["in_cooldown"] and all_of(
        "in", lambda backlog, wanted: backlog != "none" and backlog < policy["factor"] * policy["target"] * wanted
    ):
        wanted = min(desired, fitting(max(backlog for backlog, _ in points[-policy["in"] :])))
    return min(max(wanted, policy["minimum"]), policy["maximum"])


def backlog_scaled(arrivals, work, policy, *, slots, instances, launch, tick, start=0.0, end=None):
    """An asynchronous endpoint: `policy` is minimum, maximum, target, out, in, wake datapoints, factor, cooldowns."""
    agenda, waiting, team = Agenda(), [], [Server(start, start) for _ in range(instances * slots)]
    begin, finish, periods = [None] * len(arrivals), [None] * len(arrivals), []
    desired, launching, points = instances, [], []  # launching: [time, count, decided at]
    changed = {"out": -math.inf, "in": -math.inf}
    series, colds = [], set()
    for i, time in enumerate(arrivals):
        agenda.at(time, "arrive", i)
    agenda.at(start + tick, "tick")
    for now, happening in agenda.moments():
        kinds = [what for what, _ in happening]
        waiting += [details[0] for what, details in happening if what == "arrive"]
        for entry in [one for one in launching if one[0] <= now]:
            launching.remove(entry)
            team += [Server(entry[2], now) for _ in range(entry[1] * slots)]
        has_started = all(one is not None for one in finish)
        limit = end if end is not None else end_of(finish, arrivals, start)
        if "tick" in kinds and (not has_started or now <= limit):
            ready = len(team) // slots
            backlog = len(waiting) + sum(one.free_at > now for one in team)
            points.append((backlog, desired) if ready else ("none", backlog))
            series.append((ready, backlog))
            wanted = wanted_instances(policy, points, desired, now, changed)
            if wanted > desired:
                changed["out"] = now
                launching.append([now + launch, wanted - desired, now])
                agenda.at(now + launch, "launched")
            elif wanted < desired:
                changed["in"] = now
                leaving = desired - wanted
                while leaving and launching:
                    fewer = min(leaving, launching[-1][1])
                    launching[-1][1] -= fewer
                    leaving -= fewer
                    periods += [(launching[-1][2], now)] * (fewer * slots)
                    launching = [one for one in launching if one[1]]
                team.sort(key=lambda one: one.free_at)
                gone, team = team[: leaving * slots], team[leaving * slots :]
                periods += [(one.since, max(now, one.free_at)) for one in gone]
                series[-1] = (len(team) // slots, backlog)
            desired = wanted
            if desired > 0 or policy["wake"]:
                agenda.at(now + tick, "tick")
        # An instance that comes at this very time serves who comes at it.
        colds = {i for i in colds if arrivals[i] < now} if team else colds | {i for i in waiting if arrivals[i] == now}
        idle = sorted((one for one in team if one.free_at <= now), key=lambda one: one.free_at)
        while waiting and idle:
            i = waiting.pop(0)
            begin[i], finish[i] = now, now + work[i]
            idle.pop(0).free_at = finish[i]
            agenda.at(finish[i], "done", i)
    close = end_of(finish, arrivals, start) if end is None else end
    periods += [(one.since, close) for one in team]
    periods += [(since, close) for _, many, since in launching for _ in range(many * slots)]
    return Played(begin, finish, paid_between(periods, start, close) / slots, {"series": series, "cold": colds})
