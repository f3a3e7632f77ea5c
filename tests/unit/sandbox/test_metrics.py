import pytest

from sandbox.metrics import SCHEMA, MetricRow, MetricStore, Summary
from sandbox.services.cloudwatch.samples import Samples
from sandbox.state import Database

HERE = ("000000000000", "eu-west-1")


def row(minute: int, *values: float, name: str = "m", counts: tuple[float, ...] = (), **others) -> MetricRow:
    made = {"namespace": "N", "dimensions": (("E", "a"),), "unit": "None", **others}
    return MetricRow(name=name, minute=minute, values=values, counts=counts or (1.0,) * len(values), **made)


@pytest.fixture
def database(tmp_path) -> Database:
    return Database(tmp_path / "metrics.sqlite", SCHEMA)


def read(store: MetricStore, start: int = 0, end: int = 10**6, **which) -> list[tuple[int, float, float]]:
    samples = Samples.unpack(store.stored(store.series(*HERE, **which), start=start, end=end))
    return list(zip(samples.times.tolist(), samples.values.tolist(), samples.counts.tolist(), strict=True))


def rows_in(database: Database) -> int:
    return database.read("SELECT count(*) FROM samples")[0][0]


def test_values_come_back_with_their_counts_and_minutes(database):
    store = MetricStore(database)
    store.add(*HERE, [row(60, 1.5, 2.5, counts=(3.0, 1.0)), row(120, 9.0)])
    assert read(store) == [(60, 1.5, 3.0), (60, 2.5, 1.0), (120, 9.0, 1.0)]


def test_the_end_of_a_window_is_not_in_it(database):
    store = MetricStore(database)
    store.add(*HERE, [row(60, 1.0), row(120, 2.0), row(180, 3.0)])
    assert read(store, start=60, end=180) == [(60, 1.0, 1.0), (120, 2.0, 1.0)]


def test_a_minute_that_is_over_becomes_one_row_with_each_value_once(database):
    store = MetricStore(database)
    for _ in range(5):
        store.add(*HERE, [row(60, 1.0, 2.0, counts=(2.0, 1.0))])
    assert rows_in(database) == 5
    store.add(*HERE, [row(120, 7.0)])
    assert rows_in(database) == 2
    assert sorted(read(store)) == [(60, 1.0, 10.0), (60, 2.0, 5.0), (120, 7.0, 1.0)]


def test_what_comes_late_is_kept_beside_what_was_merged(database):
    store = MetricStore(database)
    for minute in (60, 60, 120, 60, 180, 60):
        store.add(*HERE, [row(minute, 1.0)])
    assert sum(count for time, _, count in read(store) if time == 60) == 4


def test_rows_of_one_call_are_kept_all_or_none(database):
    store = MetricStore(database)
    broken = row(60, 1.0, 2.0, counts=(1.0,))
    with pytest.raises(ValueError, match="zip"):
        store.add(*HERE, [row(60, 5.0), broken])
    assert read(store) == []
    assert store.version == 0


def test_another_process_finds_what_was_added(tmp_path, database):
    MetricStore(database).add(*HERE, [row(60, 1.0)])
    assert read(MetricStore(Database(tmp_path / "metrics.sqlite", SCHEMA))) == [(60, 1.0, 1.0)]


def test_series_are_told_apart_by_every_part_of_their_names(database):
    store = MetricStore(database)
    tricky = [(("a", "b"), ("c", "d")), (("a", 'b"],["c'), ("d", "")), (("a", "b\nc=d"),), ()]
    store.add(*HERE, [row(60, float(at), dimensions=dimensions) for at, dimensions in enumerate(tricky)])
    store.add(*HERE, [row(60, 9.0, unit="Seconds"), row(60, 8.0, name="other"), row(60, 7.0, namespace="O")])
    store.add("000000000000", "us-east-1", [row(60, 6.0)])
    for at, dimensions in enumerate(tricky):
        assert read(store, dimensions=dimensions) == [(60, float(at), 1.0)]
    assert read(store, unit="Seconds") == [(60, 9.0, 1.0)]
    assert read(store, name="other") == [(60, 8.0, 1.0)]
    assert read(store, namespace="O") == [(60, 7.0, 1.0)]


def test_a_series_is_active_as_long_as_its_last_row_is_young(database):
    store = MetricStore(database)
    summary = Summary(samples=2.0, total=3.0, lowest=1.0, highest=2.0)
    store.add(*HERE, [row(60, 1.0, name="old"), row(600, 1.0, name="new")])
    store.add(*HERE, [row(60, name="summed"), row(600, name="summed", summary=summary)])
    assert [one.name for one in store.series(*HERE, active_since=600)] == ["new", "summed"]
    assert len(store.series(*HERE, active_since=60)) == 3


def test_the_runtime_may_name_dimensions_in_any_order():
    read_row = MetricRow.read({
        "namespace": "N", "name": "m", "dimensions": [["V", "1"], ["E", "a"]], "unit": "None", "minute": 60,
        "values": [1], "counts": [2],
    })  # fmt: skip
    assert read_row.dimensions == (("E", "a"), ("V", "1"))
