"""The verdicts of the presets as a terminal shows them; a change of any figure shows in the diff."""

import pytest

from fitness import presets
from fitness.answer import as_text
from fitness.prices import load_book
from fitness.record import decision_record
from fitness.verdict import recommend


@pytest.mark.parametrize("preset", [preset.id for preset in presets.PRESETS])
def test_verdict(preset, golden):
    verdict = recommend(presets.load(preset), book=load_book())
    golden(as_text(verdict) + "\n", f"answers/{preset}.txt")


def test_decision_record(golden):
    golden(decision_record(recommend(presets.load("card-fraud"), book=load_book())), "answers/card-fraud.md")
