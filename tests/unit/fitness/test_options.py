import dataclasses

import pytest

from fitness import options
from fitness.errors import InputError
from fitness.options import OPTIONS


def test_the_ten_options_stand_in_the_order_of_the_contract():
    assert list(OPTIONS) == [
        "real_time",
        "async",
        "batch",
        "serverless",
        "mme",
        "mme_gpu",
        "mce_direct",
        "serial_pipeline",
        "triton_ensemble",
        "azure_functions",
    ]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=list(OPTIONS))
def test_an_option_has_a_title_a_summary_and_guidance_for_each_function(option):
    assert options.option(option.id) is option
    assert option.title
    assert option.summary.endswith(".")
    assert tuple(option.guide) == ("cost", "latency", "throughput", "scaling", "traffic")
    for text in option.guide.values():
        assert text.endswith(".")


def test_titles_and_summaries_tell_the_options_apart():
    assert len({option.title for option in OPTIONS.values()}) == len(OPTIONS)
    assert len({option.summary for option in OPTIONS.values()}) == len(OPTIONS)


@pytest.mark.parametrize(
    ("option", "function", "said"),
    [
        ("real_time", "cost", "up to 64 %"),
        ("async", "cost", "Scales to zero"),
        ("batch", "scaling", "None to keep"),
        ("serverless", "traffic", "move to real-time when it becomes steady"),
        ("mme", "cost", "ten models on one ml.c5.large"),
        ("mce_direct", "latency", "no cold start"),
        ("mce_direct", "throughput", "No GPU"),
        ("serial_pipeline", "cost", "without an extra charge"),
        ("triton_ensemble", "traffic", "graph"),
        ("azure_functions", "cost", "No word in the guidance"),
    ],
)
def test_the_guide_says(option, function, said):
    assert said in OPTIONS[option].guide[function]


def test_an_unknown_option_is_reported_with_the_known_ones():
    with pytest.raises(InputError, match="no hosting option called 'lambda'") as caught:
        options.option("lambda")
    assert "triton_ensemble" in str(caught.value)
    assert caught.value.problems[0].path == "option"


def test_options_cannot_be_changed():
    with pytest.raises(TypeError):
        OPTIONS["lambda"] = OPTIONS["batch"]
    with pytest.raises(TypeError):
        OPTIONS["batch"].guide["cost"] = "free"
    with pytest.raises(dataclasses.FrozenInstanceError):
        OPTIONS["batch"].title = "Free"
