"""What a launch begins with: an option of the verdict, or what runs under a name and is to be changed."""

from dataclasses import replace

import streamlit as st

from fitness.options import OPTIONS
from fitness.verdict import Verdict
from fitness.workload import Workload
from launch.launched import Launched
from launch.request import OPTIONS_TO_LAUNCH, Container, Model, Request, as_document
from launch.samples import PREFIX as SAMPLE
from launch.samples import Sample
from ui import cloud, data, launch_draft, launch_models, state, uploads, whatif, words
from ui import format as fmt

CHANGE = "change"  # the query parameter: the name of what is to be changed
OPTION = "option"
_COMPARE = "pages/architects/compare.py"


def draw(workload: Workload | None, samples: tuple[Sample, ...]) -> str | None:
    """Draw where the launch begins, and begin the draft with it; gives the option, None where there is nothing."""
    name = st.query_params.get(CHANGE)
    return _draw_change(name) if name else _draw_choice(workload, samples)


def is_change() -> bool:
    """Whether something that runs is to be changed."""
    return CHANGE in st.query_params


def draw_link(option: str) -> None:
    """Draw the way from an option of the verdict to its launch, if it can be launched here."""
    if option in OPTIONS_TO_LAUNCH:
        st.page_link(
            "pages/operations/launch.py",
            label="Launch",
            icon=":material/rocket_launch:",
            query_params={**state.link_parameters(), OPTION: OPTIONS[option].title},
            help="Its plan, price and permissions come first.",
        )


def _draw_change(name: str) -> str | None:
    """Begin with what runs. Raises: CloudError."""
    seen = cloud.look(name).value
    if seen is None or seen.request is None:
        st.warning(
            f"Nothing called {fmt.plain(name)} runs here, or it was not launched by this program.",
            icon=":material/search_off:",
        )
        return None
    beginning = (CHANGE, seen.stack_id, seen.updated)
    launch_draft.begin(beginning, as_document(_changeable(seen.request, seen)), kin=beginning)
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.markdown(
        f"Changing **{fmt.plain(name)}**, {fmt.plain(words.option_title(seen.request.option))}. "
        "What runs goes on until its successor answers."
    )
    right.button("Launch something else", key="lch_other", type="tertiary", on_click=_leave_change)
    return seen.request.option


def _leave_change() -> None:
    st.query_params.pop(CHANGE, None)


def _changeable(request: Request, seen: Launched) -> Request:
    """Give a request that can be resolved anew: a folder of then is the archive that was made of it."""
    models = tuple(_source_of(*pair) for pair in zip(request.models, request.containers, strict=False))
    variants = tuple(
        replace(one, model=_source_of(one.model, one.container), container=None) for one in request.variants
    )
    return replace(request, models=models or request.models, containers=(), variants=variants, region=seen.region)


def _source_of(model: Model, made: Container | None) -> Model:
    if made is None or model.source.startswith((SAMPLE, "s3://")) or uploads.is_upload(model.source):
        return model
    return Model(source=made.model_data_url, name=model.name, image=made.image, environment=dict(made.environment))


def _draw_choice(workload: Workload | None, samples: tuple[Sample, ...]) -> str:
    """Begin with an option, as the verdict configures it where a workload is described."""
    verdict = None if workload is None else _verdict(workload)
    ids = OPTIONS_TO_LAUNCH if verdict is None else _ranked(verdict)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        option = st.selectbox(
            "Option", ids, format_func=words.option_title, key=OPTION, bind="query-params", help="Best first."
        )
    result = None if verdict is None else verdict.option(option)
    with right:
        if workload is None:
            st.caption("No workload is described, so this begins with the least that runs.")
        elif result is not None:
            note = fmt.plain(fmt.sentence(words.obstacle(result))) if result.status != "feasible" else ""
            st.markdown(f"For **{fmt.plain(workload.name)}**: {words.STATUS[result.status].badge} {note}")
        st.page_link(_COMPARE, label="Compare", icon=":material/balance:", query_params=state.link_parameters())
    region = cloud.here().region or ""
    if workload is not None:
        _draw_region(workload.region, region)
    models = launch_models.first_models(option, samples)
    made = launch_draft.of_verdict(workload, result, option, region, models)
    beginning = (state.link_parameters().get(state.LINK), option, region, cloud.place())
    launch_draft.begin(beginning, made, kin=(option, workload and workload.name, cloud.place().profile))
    return option


def _draw_region(wanted: str | None, region: str) -> None:
    """Say when the workload belongs to another Region than the one that is asked, and draw the way there."""
    if wanted is None or wanted == region:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/public: The workload runs in **{wanted}**, and you are in **{fmt.plain(region)}**.")
        st.button(f"Go to {wanted}", key="lch_region", on_click=cloud.go_to, args=(wanted,))


def _verdict(workload: Workload) -> Verdict:
    """Give the simulated verdict, whose configurations have been played."""
    whatif.wait_for(lambda: data.ranked_verdict_of(workload))
    return data.ranked_verdict_of(workload)


def _ranked(verdict: Verdict) -> tuple[str, ...]:
    return tuple(one.option.id for one in verdict.options if one.option.id in OPTIONS_TO_LAUNCH)
