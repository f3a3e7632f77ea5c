"""The sizing of a multi-model endpoint: how much memory, which models leave, what a miss costs."""

from fitness import presets

SIMULATE = "pages/architects/simulate.py"
CUSTOMERS = presets.load("customer-models")
VIEW = "Model memory"


def test_a_link_opens_the_sizing_of_the_models(app):
    at = app(SIMULATE, CUSTOMERS, view=VIEW)
    assert at.title[0].value == "Size the memory of many models"
    assert at.metric[0].value == "127.9 GB"  # 1,000 models of 131 MB
