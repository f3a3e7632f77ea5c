"""docs/accuracy.md, written from the numbers of one run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.accuracy import against_long_runs
from tests.accuracy.against_long_runs import Coverage
from tests.accuracy.against_measurements import Run
from tests.accuracy.against_sandbox import CALM_S, CV, DRAWS, FLOOR, MEAN_S, TRIES, WORKERS, Found
from tests.accuracy.against_theory import Check

CAN_NOT_KNOW = """\
The rules that the simulator plays are exact to its own reading of them; whether the platform follows them is another matter.

- **The idle time-out of a serverless sandbox** is not published, differs from moment to moment, and decides most cold starts: it is a prior, and the band shows it.
- **How long instances and sandboxes take to start** varies with the size of the image, the model and the Region's stock; the medians come from public notebooks and issues.
- **The speed of an instance type with your model** is not known until it is measured: published figures for one type differ by four times. Give your own measurement.
- **Bursts inside a minute**: counts by the minute hide them. Both even and random spreading are offered; the truth may be burstier than either.
- **Correlated work**: every request draws its work by itself, unless a recording says otherwise. Long requests that come together make longer queues.
- **Which instance leaves** when capacity is scaled in is not documented. Here it is the one that is idle first, so that less work drains.
- **How a multi-model endpoint places and evicts models** is described only in words: the least recently used model goes, a model has one home until it is hot. Real placement may move models that here stay.
- **Requests that time out** are worked off all the same here. A model server that notices the closed connection would save that work.
- **Neighbours, networks and faults**: noisy neighbours, lost instances, throttled dependencies, retries of clients and limits of an account are not played.
- **Requests under one connection, payload transfer and serialisation** are one overhead with a wide prior.

A percentile over answered requests looks better when more are dropped: read the share of answered requests beside it."""


@dataclass(kw_only=True)
class Page:
    """What a run found."""

    date: str
    machine: str
    requests: int
    took_s: float
    sections: list["Section"]
    runs: Sequence[Run]
    errors: Sequence[tuple[float, float]]
    covers: Sequence[tuple[str, Sequence[float]]]
    seeds: int
    windowed: Sequence[Coverage] = field(default_factory=tuple)
    peers: Sequence[tuple[str, str, str, str, str]] = field(default_factory=tuple)
    repeats: bool = True
    hosted: Found | None = None

    def as_markdown(self) -> str:
        """The page."""
        return "\n".join(
            [
                *self._head(),
                *self._theory(),
                *self._peers(),
                *self._measured(),
                *hosted(self.hosted),
                *self._bands(),
                *self._end(),
            ]
        )

    def _head(self) -> list[str]:
        worst = [
            [section.title, section.floor_text, f"{section.worst:.2%}", "yes" if section.holds else "**no**"]
            for section in self.sections
        ]
        if self.hosted is not None:
            holds = "yes" if self.hosted.holds else "**no**"
            worst.append(["Endpoints of the sandbox, p50 and p99", f"{FLOOR:.0%}", f"{self.hosted.worst:.1%}", holds])
        return [
            "# How accurate the simulator is",
            "",
            "`make accuracy` writes this page from a real run; edit `tests/accuracy`, not the page.",
            (
                f"Run of {self.date} on {self.machine}: {self.requests:,} requests for each line of theory, "
                f"{self.took_s:.0f} s in all."
            ),
            "Speeds are another matter: `make bench` prints them.",
            "",
            *table(["against", "may differ by", "differs at most by", "holds"], worst),
            "",
        ]

    def _theory(self) -> list[str]:
        lines = [
            "## Theory",
            "",
            "Where a formula is exact, the simulation has to meet it, up to chance.",
            (
                "All lines of a table share one stream of random numbers, so their differences go together; "
                "near full load a queue remembers long, and chance alone moves it by half a percent."
            ),
            "Percentiles are read from the histograms that the program itself uses.",
            "",
        ]
        for section in self.sections:
            lines += [f"### {section.title}", "", section.text, ""]
            lines += [
                *table(
                    ["case", "figure", "theory", "simulated", "difference"],
                    [
                        [one.case, one.figure, f"{one.theory:.5g}", f"{one.simulated:.5g}", f"{one.off:+.2%}"]
                        for one in section.checks
                    ],
                ),
                "",
            ]
        return lines

    def _peers(self) -> list[str]:
        lines = ["## Other simulators", ""]
        if not self.peers:
            return [*lines, "They were not installed when this page was written: `make peers`.", ""]
        return [
            *lines,
            (
                "The same system in simulators that others wrote, each with its own random numbers and far fewer requests, "
                "except the cache, which saw the very same requests."
            ),
            "",
            *table(["system", "figure", "other", "its value", "here"], [list(one) for one in self.peers]),
            "",
        ]

    def _measured(self) -> list[str]:
        best_s, best = min(self.errors, key=lambda one: one[1])
        within = sum(run.is_within for run in self.runs)
        rows = [
            [
                f"{run.rps:.4f}",
                f"{run.cold_ratio:.3%} ± {2 * run.error:.3%}",
                f"{run.simulated:.3%}",
                f"{run.band[0]:.3%} to {run.band[1]:.3%}",
                f"{run.sandboxes:.2f}",
                f"{run.simulated_sandboxes:.2f}",
            ]
            for run in self.runs
        ]
        return [
            "## Real cold starts",
            "",
            (
                f"{len(self.runs)} runs of a function on AWS Lambda with random arrivals, published by N. Mahmoudi and "
                "H. Khazaei (`examples/exp.csv` of SimFaaS, MIT), beside the simulator at the same rate and the same times."
            ),
            "SageMaker's serverless endpoints are another service, of which we know no such measurement.",
            "",
            (
                f"With an idle time-out of 600 s, as the authors assume, the share of cold starts is off by "
                f"{dict(self.errors)[600.0]:.0%} on average over the runs."
            ),
            f"The best constant of those tried is {best_s:.0f} s, off by {best:.0%}.",
            f"The prior of this program, 300 to 1,000 s, covers {within} of {len(self.runs)} runs.",
            "",
            *table(
                ["requests/s", "cold, measured", "cold at 600 s", "cold at 1,000 to 300 s", "sandboxes", "at 600 s"],
                rows,
            ),
            "",
            "Mean difference of the cold share by idle time-out: "
            + ", ".join(f"{idle:.0f} s {off:.0%}" for idle, off in self.errors)
            + ".",
            "",
        ]

    def _bands(self) -> list[str]:
        rows = [[case, *(f"{share:.1%}" for share in shares)] for case, shares in self.covers]
        return [
            "## Bands",
            "",
            "A 95 % Monte-Carlo band, from eight blocks of one stream, should cover the true value in 95 of 100 runs.",
            f"Here is how often it does, over {self.seeds} seeds of an M/M/c.",
            "",
            *table(["case", "p50", "p95", "p99"], rows),
            "",
            (
                "The last lines are where it does not: near full load a short stream holds too few of the rare long queues, "
                "and its band of p99 is too narrow. Play more requests before believing it."
            ),
            *self._windowed(),
            "Bands of the verdict hold the priors as well.",
            "",
        ]

    def _windowed(self) -> list[str]:
        """The bands of months that are played in windows."""
        rows = [
            [one.case, *(f"{share:.1%} (±{width:.1%})" for share, width in zip(one.shares, one.widths, strict=True))]
            for one in self.windowed
        ]
        return [
            "A month of more requests than are played is played in windows, and its band also holds where they lie.",
            (
                "Here is how often the band of as many requests as the Simulate page plays holds the mean of long runs of "
                "the same configuration, and in brackets how wide half of it is; "
                f"{against_long_runs.FLOOR:.0%} are promised."
            ),
            "Where load decides the latency such a band is up to twice as wide as it had to be: it can't tell luck from load.",
            "",
            *table(["case", "p50", "p95", "p99"], rows),
            "",
        ]

    def _end(self) -> list[str]:
        same = "are the same to the last bit" if self.repeats else "**differ**"
        return [
            "## Again and again",
            "",
            f"With one, two and four threads, after a restart and as plain Python the results of every loop {same}.",
            "`tests/mutations` plants faults into the loops one at a time, and a test notices each of them.",
            "",
            "## What the simulator can't know",
            "",
            CAN_NOT_KNOW,
            "",
        ]


HOSTED = "## Endpoints of the sandbox"


def hosted(found: Found | None) -> list[str]:
    """The section about endpoints of the sandbox; it tells of its own run."""
    if found is None:
        return [HOSTED, "", "They were left out of this run: `python -m tests.accuracy --hosted`.", ""]
    rows = [
        [
            line.case,
            f"{line.requests:,}",
            *(
                cell
                for seen, there, off in zip(line.measured_ms, line.simulated_ms, line.off, strict=True)
                for cell in (f"{seen:.1f} ms", f"{there:.1f} ms", f"{off:+.1%}")
            ),
            f"{line.late_ms:.1f} ms",
        ]
        for line in found.lines
    ]
    seen_ratio, played_ratio = found.load_ratio
    return [
        HOSTED,
        "",
        f"Run of {found.date} on a machine with {found.cores} cores and a load average of {found.load_before:.1f} before and {found.load_after:.1f} after it.",
        (
            f"The model waits for a lognormal time, {MEAN_S * 1000:.0f} ms on average with a variation of {CV:g}, in one of the "
            f"{WORKERS} threads that the sandbox gives a script; so queueing is what is tested, not the speed of a core."
        ),
        (
            "What a request takes of a thread, its spread, and the way there and back are measured first, by requests one at a time "
            f"and by {2 * WORKERS} callers at once: {found.alone.work_s * 1000:.1f} ms, "
            f"{found.alone.cv:.2f} and {found.alone.overhead_s * 1000:.1f} ms."
        ),
        (
            "Then another process sends random arrivals, each when it is due, however late the answers are, and counts from then. "
            f"The simulator plays the very same arrivals, with {DRAWS} draws of the work."
        ),
        (
            f"Of the shared endpoint half of the models fit into memory; loading one takes {found.shared.load_s * 1000:.0f} ms, and "
            f"{seen_ratio:.1%} of the requests load one, {played_ratio:.1%} in the simulator."
        ),
        "A thread of the shared endpoint loads a model, and the request then queues for a thread once more; in the simulator one worker does both.",
        "",
        *table(
            ["case", "requests", "p50", "simulated", "difference", "p99", "simulated", "difference", "disturbed, p99"],
            rows,
        ),
        "",
        (
            "The last column is what the machine itself disturbed: how late the sender sent and the model woke up. "
            "Sender and model servers run with real-time priority where the user may set it, and a run that is disturbed by more than "
            f"{CALM_S * 1000:.0f} ms is repeated up to {TRIES - 1} times."
        ),
        "",
    ]


def with_hosted(text: str, found: Found) -> str:
    """A page with the section about the sandbox written anew, and its line in the first table."""
    head, _, rest = text.partition(f"{HOSTED}\n")
    _, mark, rest = rest.partition("\n## ")
    holds = "yes" if found.holds else "**no**"
    row = f"| Endpoints of the sandbox, p50 and p99 | {FLOOR:.0%} | {found.worst:.1%} | {holds} |"
    lines = [line for line in head.splitlines() if not line.startswith("| Endpoints of the sandbox, ")]
    last = max(number for number, line in enumerate(lines[: lines.index("## Theory")]) if line.startswith("|"))
    lines.insert(last + 1, row)
    return "\n".join([*lines, *hosted(found)]) + mark + rest


@dataclass(kw_only=True)
class Section:
    """A table of theory against simulation."""

    title: str
    text: str
    floor: float  # relative difference that is allowed
    checks: Sequence[Check]

    @property
    def floor_text(self) -> str:
        """The floor in words."""
        return f"{self.floor:.1%}"

    @property
    def worst(self) -> float:
        """The largest difference."""
        return max(abs(one.off) for one in self.checks)

    @property
    def holds(self) -> bool:
        """Whether every line is within the floor."""
        return self.worst <= self.floor


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
