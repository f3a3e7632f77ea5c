"""The models of a launch, a container each: a sample, an address in S3, an upload, or a folder of this machine."""

from collections.abc import Mapping, Sequence

import streamlit as st

from launch import samples
from launch.request import FRAMEWORKS, Model
from launch.samples import Sample
from ui import format as fmt
from ui import launch_draft, roles, uploads

SAMPLE, S3, UPLOAD, FOLDER = "Sample", "In S3", "Upload", "Folder"
MANY_MODELS = ("mme", "mme_gpu")
SEVERAL = {"mce_direct": (2, 15), "serial_pipeline": (2, 15), "triton_ensemble": (1, 8)}
NAMED = ("mce_direct", "serial_pipeline")
# What an option begins with where the account has the samples.
_FIRST: Mapping[str, tuple[Model, ...]] = {
    "mce_direct": (Model(source="sample:iris", name="iris"), Model(source="sample:digits", name="digits")),
    "serial_pipeline": (
        Model(source="sample:used-cars/preprocess", name="preprocess"),
        Model(source="sample:used-cars/price", name="price"),
    ),
}
_NONE: Mapping[str, int] = {"mce_direct": 2, "serial_pipeline": 2}
_WEIGHTS: tuple[launch_draft.Path, launch_draft.Path] = (("weight",), ("variants", 0, "weight"))
_FIRST_SHARE = 10  # percent, that a second model begins with
_ON_GPU = ("mme_gpu", "triton_ensemble")  # no sample is for these


def first_models(option: str, found: Sequence[Sample]) -> tuple[Model, ...]:
    """Give the models that an option begins with: samples where the account has some, else empty places."""
    if not found or option in _ON_GPU:
        return tuple(Model(source="", name=_name(option, number)) for number in range(_NONE.get(option, 1)))
    if option in MANY_MODELS:
        groups = samples.groups(found)
        return (Model(source=f"{samples.PREFIX}{groups[0]}" if groups else ""),)
    return _FIRST.get(option, (Model(source="sample:iris"),))


def draw(option: str, found: Sequence[Sample]) -> None:
    """Draw every container of the draft, and how to add or drop one."""
    held = launch_draft.value(("models",))
    count = len(held) if isinstance(held, list) else 1
    low, high = SEVERAL.get(option, (1, 1))
    for index in range(max(count, low)):
        with st.container(border=True):
            if high > 1:
                st.markdown(f"**{_part(option)} {index + 1}**")
            _draw_model(option, ("models", index), found)
    if option == "real_time":
        _draw_second(found)
    if high > 1:
        with st.container(horizontal=True):
            st.button(
                f"Add a {_part(option).lower()}",
                key="lch_add_model",
                icon=":material/add:",
                on_click=_add,
                args=(option, count),
                disabled=count >= high,
            )
            st.button(
                "Drop the last",
                key="lch_drop_model",
                icon=":material/remove:",
                on_click=_drop,
                disabled=count <= low,
            )


def _draw_second(found: Sequence[Sample]) -> None:
    """Draw the model that gets a share of the requests beside the first, and how to add or drop it."""
    held = launch_draft.value(("variants",))
    count = len(held) if isinstance(held, list) else 0
    if count == 0:
        st.button(
            "Test a second model beside it",
            key="lch_add_variant",
            icon=":material/call_split:",
            on_click=_add_variant,
            args=(first_models("real_time", found)[0].source,),
            help="An A/B test: a share of the requests goes to another model, on instances of its own.",
        )
    elif count > 1:
        st.caption("Several variants share the requests; the launch file has them.")
    else:
        with st.container(border=True):
            st.markdown("**Second model**")
            left, right = st.columns(2)
            with left:
                _text("Name of the variant", ("variants", 0, "name"), help="Callers may choose it by its name.")
            with right:
                _draw_share()
            _draw_model("real_time", ("variants", 0, "model"), found)
            st.caption("It runs as the configuration says; the launch file may say otherwise.")
        st.button("Drop the second model", key="lch_drop_variant", icon=":material/remove:", on_click=_drop_variant)


def _draw_share() -> None:
    weights = [launch_draft.value(path) for path in _WEIGHTS]
    first, second = (float(one) if isinstance(one, int | float) else 1.0 for one in weights)
    key = _key(_WEIGHTS[1], "share")
    st.number_input(
        "Share of the requests (%)",
        min_value=1,
        max_value=99,
        value=min(99, max(1, round(100 * second / (first + second)))) if first + second else None,
        key=key,
        on_change=_share,
        args=(key,),
    )


def _share(key: str) -> None:
    percent = st.session_state.get(key)
    if isinstance(percent, int):
        for path, weight in zip(_WEIGHTS, (100 - percent, percent), strict=True):
            launch_draft.put(path, weight)


def _add_variant(source: str) -> None:
    launch_draft.put(("variants",), [{"name": "challenger", "weight": _FIRST_SHARE, "model": {"source": source}}])
    launch_draft.put(_WEIGHTS[0], 100 - _FIRST_SHARE)


def _drop_variant() -> None:
    launch_draft.put(("variants",), None)
    launch_draft.put(_WEIGHTS[0], None)


def _draw_model(option: str, path: launch_draft.Path, found: Sequence[Sample]) -> None:
    source = str(launch_draft.value((*path, "source")) or "")
    ways = [*([SAMPLE] if found else []), S3, UPLOAD, *([] if roles.has_sign_in() else [FOLDER])]
    key = _key(path, "way")
    way = st.segmented_control(
        "Model from",
        ways,
        default=_way(source) if _way(source) in ways else S3,
        required=True,
        key=key,
        on_change=_change_way,
        args=(path, key, first_models(option, found)[0].source),
    )
    if way == SAMPLE:
        _draw_sample(option, path, source, found)
    elif way == UPLOAD:
        _draw_upload(path, source, is_many=option in MANY_MODELS)
    else:
        prefix = option in MANY_MODELS
        label, hint = _PLACES[way, prefix]
        _text(label, (*path, "source"), placeholder=hint)
    if way != SAMPLE:
        _draw_framework(path)
    if option in NAMED:
        _text(
            "Name of the container",
            (*path, "name"),
            help="Callers choose a container by it." if option == "mce_direct" else "For metrics and logs.",
        )


_PLACES: Mapping[tuple[str, bool], tuple[str, str]] = {
    (S3, False): ("Address of the archive", "s3://bucket/model.tar.gz"),
    (S3, True): ("Prefix of the archives", "s3://bucket/models/"),
    (FOLDER, False): ("Folder or model.tar.gz on this machine", "/home/ada/model"),
    (FOLDER, True): ("Folder with a folder or an archive for each model", "/home/ada/models"),
}


def _draw_sample(option: str, path: launch_draft.Path, source: str, found: Sequence[Sample]) -> None:
    abouts = {f"{samples.PREFIX}{one.name}": one.about for one in found if one.group is None}
    if option in MANY_MODELS:
        counts = {group: sum(one.group == group for one in found) for group in samples.groups(found)}
        abouts = {f"{samples.PREFIX}{group}": f"{count} models, one a customer" for group, count in counts.items()}
    names = list(abouts)
    key = _key(path, "sample")
    st.selectbox(
        "Sample",
        names,
        index=names.index(source) if source in names else 0,
        format_func=lambda one: f"{one.removeprefix(samples.PREFIX).rstrip('/')}: {abouts[one]}",
        key=key,
        on_change=_commit,
        args=((*path, "source"), key),
    )


def _draw_upload(path: launch_draft.Path, source: str, *, is_many: bool) -> None:
    key = _key(path, "upload")
    st.file_uploader(
        "Folder of folders or archives" if is_many else "Folder of the model",
        accept_multiple_files="directory",
        max_upload_size=uploads.MOST_MB,
        key=key,
        on_change=_take,
        args=(path, key),
        help="Files of the model, and code/inference.py where it has a script.",
    )
    if not is_many:
        archive = _key(path, "archive")
        st.file_uploader(
            "Or a model.tar.gz",
            type=["gz", "tgz"],
            max_upload_size=uploads.MOST_MB,
            key=archive,
            on_change=_take,
            args=(path, archive),
        )
    if uploads.is_upload(source) and source:
        st.caption(f":material/check: Uploaded: {fmt.plain(source.rpartition('/')[2])}")


def _draw_framework(path: launch_draft.Path) -> None:
    left, middle, right = st.columns([1, 1, 2])
    held = launch_draft.value((*path, "framework"))
    key = _key(path, "framework")
    with left:
        st.selectbox(
            "Framework",
            FRAMEWORKS,
            index=FRAMEWORKS.index(held) if isinstance(held, str) and held in FRAMEWORKS else None,
            placeholder="By the image",
            key=key,
            on_change=_commit,
            args=((*path, "framework"), key),
            help="SageMaker's image of it serves the model.",
        )
    with middle:
        _text("Version", (*path, "framework_version"), placeholder="The usual one")
    with right:
        _text("Or an image", (*path, "image"), placeholder="ECR address of an image of your own")


def _text(label: str, path: launch_draft.Path, *, placeholder: str = "", help: str | None = None) -> None:  # noqa: A002 as in Streamlit
    key = _key(path, "text")
    st.text_input(
        label,
        value=str(launch_draft.value(path) or ""),
        placeholder=placeholder,
        key=key,
        on_change=_commit,
        args=(path, key),
        help=help,
    )


def _key(path: launch_draft.Path, kind: str) -> str:
    return f"lch_{launch_draft.generation()}_{'_'.join(map(str, path))}_{kind}"


def _commit(path: launch_draft.Path, key: str) -> None:
    value = st.session_state.get(key)
    launch_draft.put(path, value.strip() if isinstance(value, str) and value.strip() else None)


def _change_way(path: launch_draft.Path, key: str, sample: str) -> None:
    """Begin the model anew: what one way says means nothing to another."""
    name = launch_draft.value((*path, "name"))
    source = sample if st.session_state.get(key) == SAMPLE else ""
    launch_draft.put(path, {"source": source, **({"name": name} if name else {})})


def _take(path: launch_draft.Path, key: str) -> None:
    """Keep what was uploaded, and make it the source."""
    given = st.session_state.get(key)
    files = given if isinstance(given, list) else [given] if given else []
    if files:
        launch_draft.put((*path, "source"), str(uploads.keep({one.name: one.getvalue() for one in files})))


def _add(option: str, count: int) -> None:
    entry = {"source": "", "name": _name(option, count)} if option in NAMED else {"source": ""}
    launch_draft.put(("models", count), entry)


def _drop() -> None:
    held = launch_draft.value(("models",))
    if isinstance(held, list):
        launch_draft.put(("models",), held[:-1])


def _name(option: str, number: int) -> str | None:
    return f"{_part(option).lower()}-{number + 1}" if option in NAMED else None


def _part(option: str) -> str:
    return {"serial_pipeline": "Step", "triton_ensemble": "Model"}.get(option, "Container")


def _way(source: str) -> str:
    if source.startswith(samples.PREFIX):
        return SAMPLE
    if not source or source.startswith("s3://"):
        return S3
    return UPLOAD if uploads.is_upload(source) else FOLDER
