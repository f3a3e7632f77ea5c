"""The form of a launch: what a person says most often; everything else is in the launch file beside it."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
import yaml

from fitness import document
from fitness.analytic.settings import FOLLOWS, NUMBERS, ROUTINGS
from fitness.outcome import FRACTIONS
from launch.request import BUCKET, STRATEGIES
from launch.samples import Sample
from launch.settings import KNOWN
from ui import data, failing, launch_draft, launch_models, words
from ui import format as fmt
from ui.launch_draft import Path

FORM, FILE = "Form", "Launch file"
_STRATEGY_TITLES: Mapping[str, str] = {
    "all_at_once": "All at once, the old one kept until the new one answers",
    "canary": "Canary: a part first, then the rest",
    "linear": "Linear: step by step",
    "rolling": "Rolling: instance by instance, without a second fleet",
}
_HELP: Mapping[str, str] = {
    "min_instances": "Scaling never goes below it: this is what an idle hour costs.",
    "max_instances": "Scaling never goes above it.",
    "memory_mb": "Of one sandbox of the serverless endpoint; a share of a processor comes with it.",
    "max_concurrency": "Requests at once; what comes on top is throttled.",
    "target_invocations_per_minute": "Requests a minute that scaling aims at for each instance.",
}


def draw(option: str, samples: Sequence[Sample], *, is_change: bool) -> None:
    """Draw the form, and the launch file as text."""
    tabs = st.tabs((FORM, FILE), key="lch_as", on_change="rerun")
    if tabs[0].open:
        with tabs[0]:
            _draw_form(option, samples, is_change=is_change)
    if tabs[1].open:
        with tabs[1]:
            _draw_file()


def _draw_form(option: str, samples: Sequence[Sample], *, is_change: bool) -> None:
    with st.grid(2, min_column_width=220):
        _text("Name", ("name",), help="Of the stack and of the endpoint.", disabled=is_change)
        _number(
            "Time to live (hours)",
            ("time_to_live_h",),
            (0.1, 8_760.0),
            placeholder="No end",
            help="Then it is shown as expired and offered for removal; it is billed until somebody removes it.",
        )
    st.markdown("**Models**")
    launch_models.draw(option, samples)
    if option == "batch":
        st.markdown("**Data**")
        _draw_transform()
    st.markdown("**Configuration**")
    _draw_settings(option)
    with st.expander("Changes, alarms, capture, network", key="lch_more"):
        _draw_more(option)


def _draw_settings(option: str) -> None:
    names = [name for name in KNOWN.get(option, ()) if name not in FOLLOWS and name != "policy"]
    with st.grid(3, min_column_width=170):
        for name in names:
            _setting(name)
    follows = launch_draft.value(("configuration",))
    told = [
        f"{words.key_title(name).lower()} {fmt.value(held)}"
        for name, held in (follows.items() if isinstance(follows, Mapping) else ())
        if name in FOLLOWS
    ]
    if told:
        st.caption(f"From the workload: {fmt.plain(fmt.listed(told))}.")
    if launch_draft.value(("configuration", "policy")):
        st.caption("A policy of steps or a schedule is set too; the launch file has it.")


def _setting(name: str) -> None:
    path: Path = ("configuration", name)
    title, help_text = words.key_title(name), _HELP.get(name)
    if name == "instance_type":
        _select(title, path, data.instance_names(), help=help_text)
    elif name == "routing":
        _select(title, path, ROUTINGS, help=help_text)
    elif name in NUMBERS:
        low, high = NUMBERS[name]
        number = float if name in FRACTIONS else int
        _number(title, path, (number(low), number(high)), placeholder="Not set", help=help_text)


def _draw_transform() -> None:
    with st.grid(2, min_column_width=220):
        _text("Input in S3", ("transform", "input_s3"), placeholder="s3://bucket/input/")
        _text("Output in S3", ("transform", "output_s3"), placeholder=f"{BUCKET}/output/")
        _text("Content type", ("transform", "content_type"), placeholder="text/csv")
        _text(
            "Schedule",
            ("transform", "schedule"),
            placeholder="One job now",
            help='Of EventBridge Scheduler, in UTC: "cron(30 2 * * ? *)" or "rate(1 day)".',
        )


def _draw_more(option: str) -> None:
    if option not in ("batch", "serverless"):
        with st.grid(3, min_column_width=170):
            _select(
                "How a change reaches callers",
                ("update", "strategy"),
                STRATEGIES,
                help="With an alarm it is taken back by itself.",
                titles=_STRATEGY_TITLES.__getitem__,
            )
            _number("Part of the first step (%)", ("update", "percent"), (1, 50), placeholder="10")
            _number("Wait between steps (s)", ("update", "wait_s"), (0, 3_600), placeholder="300")
    if option != "batch":
        with st.grid(3, min_column_width=170):
            _number("Alarm: 99 % slower than (ms)", ("alarms", "latency_p99_ms"), (0.1, 600_000.0), placeholder="None")
            _number("Alarm: failures a minute", ("alarms", "errors_per_minute"), (1, 1_000_000), placeholder="None")
            _text("E-mail for alarms", ("alarms", "email"), placeholder="Nobody is told")
        with st.grid(3, min_column_width=170):
            _number("Requests to capture (%)", ("capture", "percent"), (0, 100), placeholder="None")
            _text("Captured to", ("capture", "s3_uri"), placeholder=f"{BUCKET}/capture")
        with st.grid(3, min_column_width=170):
            _list("Subnets of the VPC", ("network", "subnets"), placeholder="No VPC")
            _list("Security groups", ("network", "security_groups"), placeholder="No VPC")
            _flag("Containers reach no network", ("network", "isolation"))
    if option == "serverless":
        _number("Kept warm (sandboxes)", ("provisioned_concurrency",), (1, 200), placeholder="None")
    if option == "async":
        _text("Answers in S3", ("async_output_s3",), placeholder=f"{BUCKET}/async")
    st.caption("KMS key, scaling policies, environment variables and tags are in the launch file.")


def _draw_file() -> None:
    """Draw the draft as a launch file that can be edited, uploaded and taken along."""
    text = yaml.safe_dump(launch_draft.document(), sort_keys=False, allow_unicode=True)
    key = f"lch_{launch_draft.generation()}_file"
    edited = st.text_area("Launch file (YAML)", value=text, height=420, key=key)
    with st.container(horizontal=True):
        if st.button("Use these values", key="lch_use_file", disabled=edited == text):
            _use(edited)
        st.download_button(
            "Download",
            data=text,
            file_name=f"{launch_draft.value(('name',)) or 'launch'}.yaml",
            mime="application/yaml",
            icon=":material/download:",
            on_click="ignore",
            key="lch_download_file",
        )
    given = st.file_uploader("Open a launch file", type=["yaml", "yml", "json"], max_upload_size=1, key="lch_open")
    if given is not None and st.button("Open it", key="lch_open_file"):
        _use(given.getvalue())


def _use(text: str | bytes) -> None:
    """Take values of a file; what is wrong with them is shown with the plan."""
    with failing.told("The launch file can't be read"):
        found = document.load(text)
        if isinstance(found, dict):
            launch_draft.replace_by(found)
            st.rerun()
        else:
            st.error("A launch file is a mapping with name, option, region, configuration and models.")


def _text(label: str, path: Path, *, placeholder: str = "", help: str | None = None, disabled: bool = False) -> None:  # noqa: A002 as in Streamlit
    key = _key(path)
    st.text_input(
        label,
        value=str(launch_draft.value(path) or ""),
        placeholder=placeholder,
        key=key,
        help=help,
        disabled=disabled,
        on_change=_commit,
        args=(path, key),
    )


def _number(
    label: str,
    path: Path,
    bounds: tuple[float, float],
    *,
    placeholder: str,
    help: str | None = None,  # noqa: A002 as in Streamlit
) -> None:
    low, high = bounds
    number = int if isinstance(low, int) else float
    held = launch_draft.value(path)
    is_shown = isinstance(held, int | float) and not isinstance(held, bool) and low <= held <= high
    key = _key(path)
    st.number_input(
        label,
        min_value=low,
        max_value=high,
        value=number(held) if is_shown and isinstance(held, int | float) else None,
        format="%g" if number is float else None,
        placeholder=placeholder,
        key=key,
        help=help,
        on_change=_commit,
        args=(path, key),
    )


def _select(
    label: str,
    path: Path,
    options: Sequence[str],
    *,
    help: str | None,  # noqa: A002 as in Streamlit
    titles: Callable[[str], str] = str,
) -> None:
    held = launch_draft.value(path)
    key = _key(path)
    st.selectbox(
        label,
        options,
        index=options.index(held) if isinstance(held, str) and held in options else None,
        format_func=titles,
        placeholder="Not set",
        key=key,
        help=help,
        on_change=_commit,
        args=(path, key),
    )


def _list(label: str, path: Path, *, placeholder: str) -> None:
    """Draw a list of names as text with commas."""
    held = launch_draft.value(path)
    key = _key(path)
    st.text_input(
        label,
        value=", ".join(map(str, held)) if isinstance(held, list | tuple) else "",
        placeholder=placeholder,
        key=key,
        help="Names with commas between them.",
        on_change=_commit_list,
        args=(path, key),
    )


def _flag(label: str, path: Path) -> None:
    key = _key(path)
    st.checkbox(label, value=launch_draft.value(path) is True, key=key, on_change=_commit_flag, args=(path, key))


def _key(path: Path) -> str:
    return f"lch_{launch_draft.generation()}_{'_'.join(map(str, path))}"


def _commit(path: Path, key: str) -> None:
    value = st.session_state.get(key)
    if isinstance(value, str):
        value = value.strip() or None
    launch_draft.put(path, value)


def _commit_list(path: Path, key: str) -> None:
    names = [name.strip() for name in str(st.session_state.get(key) or "").split(",")]
    launch_draft.put(path, [name for name in names if name] or None)


def _commit_flag(path: Path, key: str) -> None:
    launch_draft.put(path, True if st.session_state.get(key) else None)
