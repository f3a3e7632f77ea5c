"""Traffic of every pattern, declared field by field."""

DIURNAL = {"traffic.pattern": "diurnal", "traffic.rps_mean": 30, "traffic.rps_peak": 120}
PATTERNS = {
    "steady": {"traffic.pattern": "steady", "traffic.rps_mean": 20, "traffic.rps_peak": 30},
    "diurnal": DIURNAL,
    "nightly idle": {**DIURNAL, "traffic.idle_ratio": 0.4, "traffic.rps_peak": 200},
    "spiky": {"traffic.pattern": "spiky", "traffic.rps_mean": 5, "traffic.rps_peak": 60},
    "intermittent": {"traffic.pattern": "intermittent", "traffic.rps_mean": 0.5, "traffic.idle_ratio": 0.9},
    "undeclared": {"traffic.rps_mean": 3},
    "jobs": {"traffic.pattern": "scheduled", "traffic.records_per_job": 100_000, "traffic.jobs_per_month": 30},
    "tiny jobs": {"traffic.pattern": "scheduled", "traffic.records_per_job": 7, "traffic.jobs_per_month": 200_000},
    "rare jobs": {"traffic.pattern": "scheduled", "traffic.records_per_job": 10_000, "traffic.jobs_per_month": 0.3},
}
