import pytest

from fitness.items import title_of, unit_of


@pytest.mark.parametrize(
    ("item", "unit", "title"),
    [
        ("async/ml.g5.xlarge", "hours", "Asynchronous hosting instance hours (ml.g5.xlarge)"),
        ("provisioned_concurrency/usage/4096", "seconds", "Provisioned concurrency (4096 MB)"),
        ("lambda/duration/tier2", "GB-seconds", "Lambda duration, over 6 billion"),
        ("azure_functions/premium/vcpu", "vCPU-months", "Azure Functions (Premium) vCPU"),
        ("data_in", "GB", "Data processed in by endpoints"),
    ],
)
def test_item_has_a_unit_and_a_name(item, unit, title):
    assert (unit_of(item), title_of(item)) == (unit, title)


@pytest.mark.parametrize("item", ["", "hosting", "serverless/duration/much", "tea/cup", "hosting/ml.c5.large/x"])
def test_what_is_no_item_has_no_unit(item):
    with pytest.raises(KeyError):
        unit_of(item)
