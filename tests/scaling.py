"""Scaling policies that several tests speak of."""

from fitness.simulation.rules import Step, StepScaling

STEPS = StepScaling(
    out_above=600,
    in_below=300,
    steps_out=(Step(distance=0, change=1), Step(distance=300, change=2)),
    steps_in=(Step(distance=0, change=1), Step(distance=150, change=3)),
    minimum=1,
    maximum=7,
    out_points=1,
)
