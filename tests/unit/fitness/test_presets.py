import pytest

from fitness import presets, workload_file
from fitness.errors import InputError
from fitness.fields import FIELDS
from fitness.presets import PRESETS

# What a preset must say so that a person sees a verdict without assumptions on the essentials.
ESSENTIAL = (
    "region",
    "models.count",
    "models.frameworks",
    "models.artifact_mb",
    "models.memory_mb",
    "models.image_gb",
    "composition",
    "accelerator",
    "request.payload_in_mb",
    "request.processing_ms",
    "request.measured_on",
    "request.concurrency",
    "request.synchronous",
    "traffic.pattern",
    "objectives.monthly_budget_usd",
    "objectives.cold_start_ok",
)


def test_every_file_of_the_folder_is_a_preset_once():
    files = sorted(path.name for path in presets._FOLDER.iterdir() if path.name.endswith(".yaml"))
    assert files == sorted(f"{preset.id}.yaml" for preset in PRESETS)
    assert len({preset.title for preset in PRESETS}) == len(PRESETS) >= 10


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_a_preset_is_complete_and_described(preset):
    workload = presets.load(preset.id)
    assert workload.name == preset.id
    assert workload.description == preset.summary
    assert preset.summary.endswith(".")
    assert preset.summary.count(". ") == 0
    assert preset.who
    assert [path for path in ESSENTIAL if workload.get(path) is None] == []
    scheduled = workload.traffic.pattern == "scheduled"
    load = ("records_per_job", "jobs_per_month") if scheduled else ("rps_mean", "rps_peak", "idle_ratio")
    assert all(workload.get(f"traffic.{name}") is not None for name in load)
    assert workload.traffic.trace is None  # a preset has no file beside it


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_a_preset_file_is_written_as_the_program_writes(preset):
    text = presets._FOLDER.joinpath(f"{preset.id}.yaml").read_text(encoding="utf-8")
    assert workload_file.write(presets.load(preset.id)) == text


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_the_numbers_of_a_preset_lie_where_real_workloads_lie(preset):
    workload = presets.load(preset.id)
    for one in FIELDS:
        value = workload.get(one.path)
        if one.usual is not None and value is not None:
            low, high = one.usual
            assert low <= value <= high, one.path


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r'must be one of card-fraud, .*, got "card-fraude" @ preset'):
        presets.load("card-fraude")
