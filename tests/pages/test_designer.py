"""The scaling policy designer: what it recommends, what it refuses, and what a link reproduces."""

from fitness import presets
from tests.pages.conftest import texts

SIMULATE = "pages/architects/simulate.py"
FRAUD = presets.load("card-fraud")
VIEW = "Scaling policy"


def test_a_link_opens_the_designer_of_an_option(app):
    at = app(SIMULATE, FRAUD, view=VIEW, scaled="Asynchronous endpoint")
    assert at.title[0].value == "Design a scaling policy"
    assert "ApproximateBacklogSizePerInstance" in texts(at)
