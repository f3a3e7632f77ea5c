"""A measurement in words and a table, for a terminal."""

from launch.measured import Estimate, Measurement

_MS = 1000


def as_text(found: Measurement) -> str:
    """Give what was measured, how far the ramp went, and the simulator's prediction beside the check."""
    per = "" if found.instances == 1 else f", {found.instances} instances"
    lines = [
        f"{found.endpoint} on {found.instance_type}{per}: {found.requests} requests in {found.seconds:.0f} s",
        f"processing time  {_range(found.processing_s.times(_MS), 'ms')}",
        f"variation        {_range(found.cv, '')}",
        f"served at once   {_range(found.concurrency, 'by an instance')}",
        "",
        f"{'callers':>8}{'requests':>10}{'errors':>8}{'answers/s':>11}{'p50':>10}{'p99':>10}",
    ]
    lines += [
        f"{one.callers:>8}{one.requests:>10}{one.errors:>8}{one.per_s.value:>11.1f}"
        f"{one.p50_s * _MS:>7.1f} ms{one.p99_s * _MS:>7.1f} ms"
        for one in found.stages
    ]
    lines.append(f"Stopped: {found.stopped}.")
    if found.check is not None:
        names = ("p50", "p95", "p99")
        lines += [
            "",
            f"Random arrivals, {found.check.rps:.1f} a second, {found.check.requests} requests:",
            f"{'':<10}" + "".join(f"{name:>12}" for name in names),
            f"{'measured':<10}" + "".join(f"{found.check.measured_s[name] * _MS:>9.1f} ms" for name in names),
            f"{'simulated':<10}" + "".join(f"{found.check.predicted_s[name] * _MS:>9.1f} ms" for name in names),
            f"99 of 100 were sent at most {found.check.late_p99_s * _MS:.1f} ms late.",
        ]
    return "\n".join([*lines, *found.notes])


def _range(found: Estimate, unit: str) -> str:
    return f"{found.value:.3g} ({found.low:.3g} to {found.high:.3g}) {unit}".rstrip()
