"""The only place of caches: the price book, the catalogue, and verdicts by what was declared.

Everything here is shared by all visitors, so nothing personal is kept: a verdict depends on the
declared workload alone. A recording belongs to the visit that uploaded it. Cached values are
frozen, which is why they are shared and not copied.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence

import streamlit as st

from fitness import flips, instances, limits, prices, study, trace, verdict
from fitness.cli import price_cache
from fitness.errors import PriceBookError
from fitness.flips import Axis
from fitness.limits import Limit
from fitness.prices import Price, PriceBook
from fitness.simulation import day, designed, moving, play, sizing, sweep, warm
from fitness.simulation.day import Course
from fitness.simulation.designed import Designed
from fitness.simulation.moving import Moving
from fitness.simulation.play import Simulation
from fitness.simulation.policies import Kind
from fitness.simulation.progress import Progress, within
from fitness.simulation.sizing import Sizing
from fitness.study import Study
from fitness.trace import Trace
from fitness.verdict import Evaluation, Verdict
from fitness.workload import Workload
from ui import account as account_of
from ui import scenario, state
from ui.runs import Run, Runs

Config = str  # fixed settings as JSON in the order of their names, which a cache can look up

MONTH_REQUESTS = 100_000  # of the month, for its figures and their bands; more are played in the background
_DAY_S = 86_400
_ACCOUNT_S = 60  # a profile that is added, or a sandbox that is started, shows after this time
_REFRESHED_S = 600  # a refresh of the prices on the command line shows after this time

_LOGGER = logging.getLogger("hostfit.ui")


@st.cache_resource(ttl=_REFRESHED_S, max_entries=1, show_spinner=False)
def _books() -> tuple[PriceBook, str | None]:
    """Give the price book with the refreshed prices over it, and why those could not be read."""
    try:
        return prices.load_book(price_cache()), None
    except PriceBookError as err:
        _LOGGER.warning("refreshed prices left out: %s", err)
        return prices.load_book(), str(err)


def price_book() -> PriceBook:
    """Give the price book of this installation."""
    return _books()[0]


def price_problem() -> str | None:
    """Say why refreshed prices were left out, if they were."""
    return _books()[1]


@st.cache_resource(ttl=_DAY_S, max_entries=32, show_spinner=False)
def price_table(region: str) -> tuple[Price, ...]:
    """Give every price of a Region, Azure's with it."""
    return price_book().table(region)


@st.cache_resource(ttl=_DAY_S, max_entries=1, show_spinner=False)
def instance_names() -> tuple[str, ...]:
    """Give the instance types that can host, by name."""
    return tuple(sorted(name for name, one in instances.CATALOGUE.items() if "hosting" in one.accepts))


@st.cache_resource(ttl=_DAY_S, max_entries=1, show_spinner=False)
def limit_register() -> tuple[Limit, ...]:
    """Give every row of the limit register."""
    return limits.register()


def _fixed(config: Mapping[str, object]) -> Config:
    return json.dumps(config, sort_keys=True)


def verdict_of(workload: Workload) -> Verdict:
    """Give the verdict of a workload with everything that the draws tell; evaluated once per declaration."""
    return _verdict(scenario.encode(workload), price_book().digest, with_changes=True)


def ranked_verdict_of(workload: Workload) -> Verdict:
    """Give the same in half the time, without what would change the order."""
    return _verdict(scenario.encode(workload), price_book().digest, with_changes=False)


def first_verdict_of(workload: Workload) -> Verdict:
    """Give the ranking of the formulas in a tenth of the time, without ranges and chances too."""
    return _first_verdict(scenario.encode(workload), price_book().digest)


@st.cache_resource(ttl=_DAY_S, max_entries=256, show_spinner=False)
def _verdict(link: str, book: str, *, with_changes: bool) -> Verdict:
    return verdict.ranked(_evaluation(link, book), with_changes=with_changes)


@st.cache_resource(ttl=_DAY_S, max_entries=64, show_spinner=False)
def _evaluation(link: str, book: str) -> Evaluation:
    return verdict.evaluate(_study(link, _fixed({}), book))


@st.cache_resource(ttl=_DAY_S, max_entries=256, show_spinner=False)
def _first_verdict(link: str, book: str) -> Verdict:
    return verdict.ranked(verdict.evaluate(_study(link, _fixed({}), book), draws=0))


def flip_fields(workload: Workload) -> tuple[str, ...]:
    """Give the fields along which the best option can be followed, in the order of the file."""
    return flips.searchable(study_of(workload, {}))


def axis_of(workload: Workload, path: str) -> Axis:
    """Give the best option along one field.

    Raises: InputError for a field that plays no part in this workload.
    """
    return _axis(scenario.encode(workload), path, price_book().digest)


def study_of(workload: Workload, config: Mapping[str, object]) -> Study:
    """Give the evaluations of a workload with some settings fixed.

    Raises: InputError for a wrong setting.
    """
    return _study(scenario.encode(workload), _fixed(config), price_book().digest)


def settled_of(workload: Workload, option: str, config: Mapping[str, object]) -> Study:
    """Give the evaluations with the option's configuration as the verdict has it.

    Raises: InputError for a wrong setting.
    """
    return _settled(scenario.encode(workload), option, _fixed(config), price_book().digest)


def simulation_of(
    workload: Workload, option: str, config: Mapping[str, object], *, requests: int = MONTH_REQUESTS
) -> Simulation:
    """Give what an option does with requests of the whole month.

    Raises: InputError where nothing can be configured.
    """
    return _simulation(scenario.encode(workload), option, _fixed(config), requests, price_book().digest)


def long_simulation_of(
    workload: Workload, sides: Sequence[tuple[str, Mapping[str, object]]], *, requests: int
) -> Run[tuple[Simulation, ...]]:
    """Give the run that plays many requests of the month through some configurations, and begin it if nobody has.

    A tab has one run: asking for another one leaves the one before.
    Raises: InputError for a wrong setting; what else goes wrong is raised once, and a further call begins anew.
    """
    works = [(settled_of(workload, option, config), option) for option, config in sides]

    def work(progress: Progress) -> tuple[Simulation, ...]:
        return tuple(
            play.simulate(one, option, requests=requests, progress=within(progress, part, len(works)))
            for part, (one, option) in enumerate(works)
        )

    asked = tuple((option, _fixed(config)) for option, config in sides)
    token = (scenario.encode(workload), asked, requests, price_book().digest)
    run = _runs().ask(token, work, watcher=state.tab_id())
    if run.error is not None:
        _runs().forget(token)
        raise run.error
    return run


def stop_long_simulation() -> None:
    """Say that this tab no longer waits for its run; it stops unless another tab does."""
    _runs().leave(watcher=state.tab_id())


def day_of(
    workload: Workload,
    option: str,
    config: Mapping[str, object],
    *,
    surge_factor: float,
    surge_hour: int,
) -> Course:
    """Give what an option does with the busiest day, with a surge if the factor is above 1.

    Raises: InputError where nothing can be configured.
    """
    hour = surge_hour if surge_factor > 1 else 0
    return _day(scenario.encode(workload), option, _fixed(config), surge_factor, hour, price_book().digest)


def preview_of(
    workload: Workload,
    option: str,
    config: Mapping[str, object],
    *,
    surge_factor: float,
    surge_hour: int,
    requests: int,
) -> Course:
    """Give the same day by the configuration that the formulas propose, which takes no run of the month to find.

    `requests` is the most that are played; of a busier day the part around the surge or its busiest minute is.
    Raises: InputError where nothing can be configured.
    """
    hour = surge_hour if surge_factor > 1 else 0
    return _preview(
        scenario.encode(workload), option, _fixed(config), surge_factor, hour, requests, price_book().digest
    )


def is_simulator_ready() -> bool:
    """Whether the simulator is compiled, which takes a while after an installation."""
    return warm.is_ready()


def wait_for_simulator() -> None:
    """Wait until the simulator is compiled."""
    warm.wait()


@st.cache_resource(ttl=_DAY_S, max_entries=64, show_spinner=False)
def _study(link: str, config: Config, book: str) -> Study:
    del book
    return study.study(scenario.decode(link), book=price_book(), config=json.loads(config))


@st.cache_resource(ttl=_DAY_S, max_entries=128, show_spinner=False)
def _settled(link: str, option: str, config: Config, book: str) -> Study:
    """Give the study with the option's configuration as the verdict has it."""
    return sweep.as_settled(_study(link, config, book), option)


@st.cache_resource(ttl=_DAY_S, max_entries=512, show_spinner=False)
def _axis(link: str, path: str, book: str) -> Axis:
    found = _evaluation(link, book)
    return flips.along(found.work, path, found.swept)


@st.cache_resource(ttl=_DAY_S, max_entries=128, show_spinner=False)
def _simulation(link: str, option: str, config: Config, requests: int, book: str) -> Simulation:
    return play.simulate(_settled(link, option, config, book), option, requests=requests)


@st.cache_resource(ttl=_DAY_S, max_entries=256, show_spinner=False)
def _day(link: str, option: str, config: Config, factor: float, hour: int, book: str) -> Course:
    found = _settled(link, option, config, book)
    return day.play_day(found, option, surge_factor=factor, surge_hour=hour)


@st.cache_resource(ttl=_DAY_S, max_entries=64, show_spinner=False)
def _preview(link: str, option: str, config: Config, factor: float, hour: int, requests: int, book: str) -> Course:
    found = _study(link, config, book)
    return day.play_day(found, option, surge_factor=factor, surge_hour=hour, requests=requests)


@st.cache_resource(max_entries=1, show_spinner=False)
def _runs() -> Runs[tuple[Simulation, ...]]:
    return Runs()


def policy_of(
    workload: Workload, option: str, kind: Kind, config: Mapping[str, object], *, metric: str | None
) -> Designed:
    """Give the scaling policy of a kind for an option.

    Raises: InputError for a wrong setting, and where nothing can be configured.
    """
    return _policy(scenario.encode(workload), option, kind, _fixed(config), metric, price_book().digest)


def sizing_of(
    workload: Workload, option: str, config: Mapping[str, object], *, goal_ratio: float
) -> tuple[Sizing, Moving]:
    """Give the memory that the models of a workload want, and which of them should leave.

    Raises: InputError for a wrong setting, and where nothing can be configured or no model fits.
    """
    return _sizing(scenario.encode(workload), option, _fixed(config), goal_ratio, price_book().digest)


@st.cache_resource(ttl=_DAY_S, max_entries=128, show_spinner=False)
def _policy(link: str, option: str, kind: Kind, config: Config, metric: str | None, book: str) -> Designed:
    return designed.design_for(_study(link, config, book), option, kind, metric=metric)


@st.cache_resource(ttl=_DAY_S, max_entries=128, show_spinner=False)
def _sizing(link: str, option: str, config: Config, goal_ratio: float, book: str) -> tuple[Sizing, Moving]:
    work = _study(link, config, book)
    found = sizing.size(work, option, goal_ratio=goal_ratio)
    return found, moving.moving(work, found)


def recorded_policy_of(
    workload: Workload,
    option: str,
    kind: Kind,
    config: Mapping[str, object],
    recording: Trace,
    *,
    metric: str | None,
) -> Designed:
    """Give the scaling policy for a recording in place of the declared traffic.

    Raises: InputError for a wrong setting, and where nothing can be configured.
    """
    digest = hashlib.sha256(recording.counts.tobytes() + str(recording.start).encode()).hexdigest()
    return _recorded_policy(
        scenario.encode(workload),
        option,
        kind,
        _fixed(config),
        metric,
        price_book().digest,
        digest,
        _recording=recording,
    )


@st.cache_resource(ttl=_DAY_S, max_entries=2, show_spinner=False, scope="session")
def recording_of(content: bytes, name: str, *, zone: str | None, unit: str | None) -> Trace:
    """Read a recording for this visit alone; `zone` and `unit` as in `trace.read_trace`.

    Raises: InputError with up to 20 wrong rows, or with the reason why nothing can be read.
    """
    return trace.read_trace(content, name=name, zone=zone, unit=unit)


@st.cache_resource(ttl=_DAY_S, max_entries=16, show_spinner=False, scope="session")
def _recorded_policy(
    link: str,
    option: str,
    kind: Kind,
    config: Config,
    metric: str | None,
    book: str,
    digest: str,
    _recording: Trace,
) -> Designed:
    del book, digest
    work = study.study(scenario.decode(link), book=price_book(), config=json.loads(config), trace=_recording)
    return designed.design_for(work, option, kind, metric=metric)


@st.cache_data(ttl=_ACCOUNT_S, max_entries=1, show_spinner=False)
def account_choices() -> list[str]:
    """Give the accounts that can be chosen, the environment's first."""
    return account_of.choices()


@st.cache_data(ttl=_ACCOUNT_S, max_entries=32, show_spinner=False)
def account(profile: str) -> account_of.Account:
    """Give the account of a choice, or why it can't be had."""
    return account_of.identify(profile)
