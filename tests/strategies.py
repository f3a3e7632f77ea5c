"""Random workloads for the laws: any valid value of any field, any of them absent."""

from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.fields import FIELDS, SMALLEST, Field, Kind
from fitness.instances import catalogue
from fitness.workload import Workload

TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


ZIPF = st.floats(0, 10).map(lambda exponent: f"zipf:{exponent}")
HOT = st.floats(0.2, 1).map(lambda share: f"hot:{share}")
SPECIAL = {
    "request.measured_on": st.sampled_from(sorted(catalogue())),
    "region": st.sampled_from(["us-east-1", "eu-west-1", "ap-southeast-2", "ukwest"]),
    "models.popularity": st.just("uniform") | ZIPF | HOT,
}


def values_of(one: Field) -> st.SearchStrategy:
    """Any value that the field takes, absent not included."""
    if one.path in SPECIAL:
        return SPECIAL[one.path]
    if one.kind is Kind.NUMBER:
        zero = st.just(0) if one.minimum == 0 and not one.exclusive_minimum else st.nothing()
        whole = st.integers(int(one.minimum) + 1, int(one.maximum)) if one.maximum > 1 else st.just(1)
        return zero | st.floats(max(one.minimum, SMALLEST), one.maximum) | whole
    return {
        Kind.FLAG: st.booleans(),
        Kind.CHOICE: st.sampled_from(one.choices or ("",)),
        Kind.TEXT: TEXTS.filter(str.strip),
        Kind.INTEGER: st.integers(int(one.minimum or 0), int(one.maximum or 0)),
    }[one.kind]


LEAVES = {one.path: values_of(one) for one in FIELDS}


@st.composite
def workloads(draw: st.DrawFn, *, paths: tuple[str, ...] | None = None) -> Workload:
    """A valid workload: `name` and any of the other fields (of `paths`, when given)."""
    optional = [path for path in paths or LEAVES if path not in ("name", "version")]
    chosen = draw(st.lists(st.sampled_from(optional), unique=True, max_size=len(optional))) if optional else []
    values = {"name": draw(LEAVES["name"])} | {path: draw(LEAVES[path]) for path in chosen}
    for less, more in (
        ("traffic.rps_mean", "traffic.rps_peak"),
        ("objectives.latency_p95_ms", "objectives.latency_p99_ms"),
    ):
        if less in values and more in values and values[less] > values[more]:
            values[less], values[more] = values[more], values[less]
    try:
        return Workload.from_values(values)
    except InputError as err:
        for problem in err.problems:  # what is left contradicts: idle all month with requests, no weight at all
            for path in [path for path in values if f"$.{path}".startswith(problem.path)]:
                del values[path]
        return Workload.from_values(values)
