"""The refresh against a local server that speaks the format of the public offer files."""

import gzip
import time
import tracemalloc
from decimal import Decimal

import pytest

from fitness import offers
from fitness.errors import PriceBookError
from fitness.prices import Grade, load_book
from tests.offer_files import large, offer_file, ordinary, product, region_index, term
from tests.offer_server import INDEX, Reply, everything, refused, replies, served, source

FILE = "/offers/v1.0/aws/AmazonSageMaker/20261102/eu-west-1/index.json"
HOST = ("ML Instance", "EU-Host:ml.m5.xlarge")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def old_book(tmp_path):
    """A directory with the refreshed prices of an earlier day."""
    with served(replies(Reply(ordinary()))) as (url, _):
        offers.refresh(tmp_path, ["eu-west-1"], source(url))
    return tmp_path


def test_every_kind_of_record_reaches_the_book(tmp_path):
    with served(replies(Reply(ordinary()))) as (url, asked):
        (written,) = offers.refresh(tmp_path / "new" / "folder", ["eu-west-1"], source(url))
    assert asked == [INDEX, FILE]
    assert (written.as_of, written.prices, dict(written.skipped)) == ("2026-11-02", 14, {})
    book = load_book(tmp_path / "new" / "folder")
    assert book.as_of == "2026-11-02"
    expected = {
        "hosting/ml.m5.xlarge": "0.26",
        "async/ml.m5.xlarge": "0.26",
        "batch_transform/ml.m5.xlarge": "0.26",
        "training/ml.m5.xlarge": "0.26",
        "processing/ml.m5.xlarge": "0.26",
        "notebook/ml.m5.xlarge": "0.26",
        "hosting/ml.p6-b200.48xlarge": "150.5",
        "serverless/duration/2048": "0.000044",
        "provisioned_concurrency/usage/4096": "0.000022",
        "provisioned_concurrency/duration/4096": "0.00005",
        "storage/hosting": "0.16",
        "storage/notebook": "0.17",
        "data_in": "0.018",
        "data_out": "0.018",
    }
    found = {item: book.price(item, "eu-west-1") for item in expected}
    assert {item: price.usd_per_unit for item, price in found.items()} == {
        item: Decimal(usd) for item, usd in expected.items()
    }
    assert {price.grade for price in found.values()} == {Grade.REFRESHED}
    assert "version 20261102091011" in found["data_in"].source
    assert url + FILE in found["data_in"].source


def test_refreshed_rows_win_and_the_rest_of_the_book_stands(old_book):
    bundled, book = load_book(), load_book(old_book)
    assert bundled.price("hosting/ml.m5.xlarge", "eu-west-1").usd_per_unit == Decimal("0.257")
    assert book.price("hosting/ml.m5.xlarge", "eu-west-1").usd_per_unit == Decimal("0.26")
    for item, region in (("hosting/ml.g5.12xlarge", "eu-west-1"), ("hosting/ml.m5.xlarge", "us-east-1")):
        assert book.price(item, region) == bundled.price(item, region)
    parity = book.price("training/ml.p6-b200.48xlarge", "eu-west-1")
    assert (parity.usd_per_unit, parity.grade) == (Decimal("150.5"), Grade.DERIVED_MEDIUM)


def test_regions_outside_the_commercial_partition_are_not_offered():
    listed = ["eu-west-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "us-west-2-lax-1", "ap-southeast-2"]
    with served(replies(Reply(b""), regions=listed)) as (url, _):
        assert list(offers.offered_regions(source(url))) == ["ap-southeast-2", "eu-west-1"]


def test_records_without_a_usable_price_are_left_out_and_counted(tmp_path):
    cases = {
        "zero": ("EU-Host:ml.m5.large", term("zero", "0.0000000000")),
        "no_term": ("EU-Host:ml.c5.large", None),
        "no_dimension": ("EU-Host:ml.c5.xlarge", ("no_dimension", {"x": {}})),
        "words": ("EU-Host:ml.c5.2xlarge", term("words", "cheap")),
        "negative": ("EU-Host:ml.c5.4xlarge", term("negative", "-1")),
        "infinite": ("EU-Host:ml.c5.9xlarge", term("infinite", "Infinity")),
        "dear": ("EU-Host:ml.c5.18xlarge", term("dear", "100000")),
        "yuan": ("EU-Host:ml.r5.large", term("yuan", "1", currency="CNY")),
        "days": ("EU-Host:ml.r5.xlarge", term("days", "1", "Days")),
        "elsewhere": ("EU-Host:ml.r5.2xlarge", term("elsewhere", "1")),
    }
    products = [product("good", *HOST)]
    products += [
        product(sku, "ML Instance", usage, region="us-gov-west-1" if sku == "elsewhere" else "eu-west-1")
        for sku, (usage, _) in cases.items()
    ]
    products += [("list", ["not a product"]), ("bare", {"productFamily": "ML Instance"})]
    terms = [term("good", "0.26")] + [priced for _, priced in cases.values() if priced]
    with served(replies(Reply(offer_file(products, terms)))) as (url, _):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert written.prices == 1
    assert dict(written.skipped) == {
        "price of zero": 1,
        "no term": 2,
        "malformed price": 4,
        "no price in USD": 1,
        "another unit": 1,
        "another Region": 1,
        "malformed product": 2,
    }


@pytest.mark.parametrize(
    ("family", "usage"),
    [
        ("ML Instance", "EU-Host:ml.m5.large-Reserved"),
        ("ML Instance", "EU-Studio:KernelGateway-ml.m5.large"),
        ("ML Instance", "EU-GhostHost:ml.m5.large"),
        ("ML Instance", "EU-Host:ml.m5.large\n"),
        ("ML Instance", "EU-Host:m5.large"),
        ("Compute Instance", "EU-Host:ml.m5.large"),
        ("ML Serverless", "EU-ServerlessInf:Mem-2GBx"),
        ("ML Serverless", "EU-ServerlessInf:Mem-12GB"),
        ("Storage", "EU-Host:VolumeUsage.gp3"),
        ("Data Transfer", "EU-Data-Bytes-In"),
    ],
)
def test_look_alikes_are_not_taken_for_what_we_price(tmp_path, family, usage):
    content = offer_file(
        [product("good", *HOST), product("other", family, usage)], [term("good", "0.26"), term("other", "9")]
    )
    with served(replies(Reply(content))) as (url, _):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert (written.prices, dict(written.skipped)) == (1, {})


def test_first_paid_tier_is_the_price(tmp_path):
    content = offer_file([product("A", *HOST)], [term("A", ("0.0000000000", "0.2", "0.3"), ranges=("0", "100", "200"))])
    with served(replies(Reply(content))) as (url, _):
        offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert load_book(tmp_path).price("hosting/ml.m5.xlarge", "eu-west-1").usd_per_unit == Decimal("0.2")


def test_dearer_of_two_records_stands_and_the_other_is_counted(tmp_path):
    content = offer_file([product("A", *HOST), product("B", *HOST)], [term("A", "0.3"), term("B", "0.2")])
    with served(replies(Reply(content))) as (url, _):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert dict(written.skipped) == {"two prices of one item": 1}
    assert load_book(tmp_path).price("hosting/ml.m5.xlarge", "eu-west-1").usd_per_unit == Decimal("0.3")


def test_terms_may_stand_before_the_products(tmp_path):
    content = offer_file([product("A", *HOST)], [term("A", "0.3")], terms_first=True)
    with served(replies(Reply(content))) as (url, _):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert written.prices == 1


def test_packed_answer_is_unpacked(tmp_path):
    packed = Reply(gzip.compress(ordinary()), headers={"Content-Encoding": "gzip"})
    with served(replies(packed)) as (url, _):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert written.prices == 14


def test_failing_server_is_tried_again_with_a_growing_pause(tmp_path):
    pauses = []
    with served(replies(Reply(status=500), Reply(status=503), Reply(ordinary()))) as (url, asked):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url, pauses))
    assert (written.prices, pauses, asked) == (14, [0.25, 0.5], [INDEX, FILE, FILE, FILE])


def test_cut_connection_is_tried_again(tmp_path):
    cut = Reply(ordinary()[:500], announced=5000)
    with served(replies(cut, Reply(ordinary()))) as (url, asked):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert (written.prices, asked) == (14, [INDEX, FILE, FILE])


def test_old_book_is_kept_when_the_server_keeps_failing(old_book):
    message, asked = refused(old_book, replies(Reply(status=500)))
    assert "the prices in use are kept" in message
    assert "the server answers 500 (3 attempts)" in message
    assert len(asked) == 4


def test_old_book_is_kept_when_the_connection_is_cut_each_time(old_book):
    message, _ = refused(old_book, replies(Reply(ordinary()[:500], announced=5000)))
    assert "the answer is cut short after 500 bytes" in message


def test_old_book_is_kept_when_the_file_is_missing_and_that_is_not_tried_again(old_book):
    message, asked = refused(old_book, replies(Reply(status=404)))
    assert "the server answers 404" in message
    assert asked == [INDEX, FILE]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ordinary()[:-200], "is not complete JSON"),
        (ordinary() + b"}", "is not complete JSON"),
        (ordinary().replace(b'"products"', b'"products', 1), "is not complete JSON"),
        (b"", "is not complete JSON"),
        (b"<html>maintenance</html>", "is not complete JSON"),
        (b"\xff\xfe\x00", "is not complete JSON"),
        (offer_file([], []), "has no price of a hosting instance"),
        (b'{"publicationDate": "2026-11-02", "products": [1], "terms": 3}', "has no price of a hosting instance"),
        (offer_file([product("A", *HOST)], [term("A", "0.0")]), "skipped: {'price of zero': 1}"),
        (offer_file([product("A", *HOST)], []), "skipped: {'no term': 1}"),
        (offer_file([product("A", *HOST)], [term("A", "1")], published="soon"), "names no day of publication"),
    ],
)
def test_old_book_is_kept_when_the_file_is_malformed(old_book, content, reason):
    message, _ = refused(old_book, replies(Reply(content)))
    assert reason in message


def test_old_book_is_kept_when_the_server_stops_talking(old_book):
    started = time.perf_counter()
    message, _ = refused(old_book, replies(Reply(b"x" * 100, pause_s=30)), timeout_s=0.2, attempts=2)
    assert "no answer within 0.2 s (2 attempts)" in message
    assert time.perf_counter() - started < 5


def test_old_book_is_kept_when_the_file_trickles(old_book):
    trickle = Reply(b" " * (8 << 20), pause_s=0.15)
    message, asked = refused(old_book, replies(trickle), deadline_s=0.2)
    assert "too slow" in message
    assert asked == [INDEX, FILE]


def test_old_book_is_kept_when_the_file_is_too_large(old_book):
    message, _ = refused(old_book, replies(Reply(b" " * 200_000)), max_offer_bytes=100_000)
    assert "larger than 100,000 bytes" in message


def test_old_book_is_kept_when_a_packed_file_swells(old_book):
    bomb = Reply(gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"})
    message, _ = refused(old_book, replies(bomb), max_offer_bytes=1_000_000)
    assert "larger than 1,000,000 bytes" in message


@pytest.mark.parametrize(
    ("packed", "encoding", "reason"),
    [
        (gzip.compress(ordinary())[:-30], "gzip", "is cut short"),
        (b"not packed at all", "gzip", "is damaged"),
        (ordinary(), "br", "packed as 'br'"),
    ],
)
def test_old_book_is_kept_when_the_packing_is_broken(old_book, packed, encoding, reason):
    message, _ = refused(old_book, replies(Reply(packed, headers={"Content-Encoding": encoding})))
    assert reason in message


def test_redirect_to_another_host_is_refused(old_book):
    with served(lambda _: Reply(ordinary())) as (elsewhere, asked_elsewhere):
        away = Reply(status=302, headers={"Location": f"{elsewhere}/prices.json"})
        message, _ = refused(old_book, replies(away))
    assert f"redirects to {elsewhere}" in message
    assert asked_elsewhere == []


def test_redirect_on_the_same_host_is_followed(tmp_path):
    def answer(path):
        if path == INDEX:
            return Reply(region_index(["eu-west-1"]))
        return Reply(ordinary()) if path == "/moved" else Reply(status=302, headers={"Location": "/moved"})

    with served(answer) as (url, _):
        (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
    assert written.prices == 14


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"[]",
        b"{}",
        b'{"regions": []}',
        b'{"regions": {"eu-west-1": {}}}',
        b'{"regions": {"eu-west-1": {"currentVersionUrl": "https://elsewhere.example/index.json"}}}',
        b'{"regions": {"eu-west-1": {"currentVersionUrl": "file:///etc/passwd"}}}',
        b"[" * 100_000,
    ],
)
def test_old_book_is_kept_when_the_index_is_not_one(old_book, index):
    message, asked = refused(old_book, replies(Reply(ordinary()), index=Reply(index)))
    assert "is not one" in message
    assert asked == [INDEX]


def test_unknown_region_is_refused_with_those_that_exist(old_book):
    message, asked = refused(old_book, replies(Reply(ordinary()), regions=["us-east-1", "ap-south-1"]))
    assert "no Region 'eu-west-1'; expected one of ap-south-1, us-east-1" in message
    assert asked == [INDEX]


def test_one_region_that_fails_does_not_stop_the_others(tmp_path):
    def answer(path):
        if path == INDEX:
            return Reply(region_index(["eu-west-1", "us-east-1"]))
        return Reply(status=404) if "eu-west-1" in path else Reply(ordinary("us-east-1", "USE1-"))

    with served(answer) as (url, _), pytest.raises(PriceBookError) as caught:
        offers.refresh(tmp_path, ["eu-west-1", "us-east-1"], source(url))
    assert "eu-west-1" in str(caught.value)
    assert sorted(everything(tmp_path)) == ["us-east-1.csv"]


def test_no_server_at_all_is_an_error_of_the_price_book(old_book):
    with served(lambda _: Reply()) as (url, _):
        pass
    with pytest.raises(PriceBookError, match=r"no connection .*\(3 attempts\)"):
        offers.refresh(old_book, ["eu-west-1"], source(url))


@pytest.mark.parametrize("base_url", ["file:///tmp", "ftp://example.org", "prices"])
def test_only_web_addresses_are_read(tmp_path, base_url):
    with pytest.raises(PriceBookError, match="only http and https"):
        offers.refresh(tmp_path, ["eu-west-1"], source(base_url))


def test_old_book_is_kept_when_the_disk_fails_while_writing(old_book, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(offers.os, "fsync", full)
    message, _ = refused(old_book, replies(Reply(ordinary())))
    assert "No space left on device" in message


def test_progress_tells_what_came_of_what_is_to_come(tmp_path):
    told = []
    with served(replies(Reply(ordinary()))) as (url, _):
        offers.refresh(tmp_path, ["eu-west-1"], source(url), told.append)
    assert [each.stage for each in told][-2:] == ["read", "done"]
    for stage in ("download", "read"):
        last = [each for each in told if each.stage == stage][-1]
        assert last.received_bytes == last.total_bytes == len(ordinary())


def test_memory_stays_bounded_while_a_large_file_is_read(tmp_path):
    content = b"".join(large(12_000_000))
    with served(replies(Reply(content))) as (url, _):
        offers.offered_regions(source(url))  # imports and pools are not what is measured
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            (written,) = offers.refresh(tmp_path, ["eu-west-1"], source(url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert written.prices == content.count(b'"EU-Host:')
    assert peak - before < 3_000_000, "a quarter of the file; the server's own copies of its pieces are in it"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("hosting/ml.m5.xlarge,", "hosting/ml.m5.xlarge,,", "columns"),
        ("hosting/ml.m5.xlarge,eu-west-1", "hosting/ml.m5.xlarge,us-east-1", "the Region is 'us-east-1'"),
        ("0.26,hours", "nan,hours", "is not above 0"),
        ("0.26,hours", "-1,hours", "is not above 0"),
        ("0.26,hours", "dear,hours", "is not a number"),
        ("0.26,hours", "0.26,days", "the unit is 'days'"),
        (",refreshed,", ",confirmed,", "the grade is 'confirmed'"),
        ("2026-11-02,", "today,", "is not YYYY-MM-DD"),
        ("data_in,", "tea,", "no such item: 'tea'"),
        ("item,", "thing,", "its first line must be"),
    ],
)
def test_damaged_price_file_is_named_with_what_to_do(old_book, old, new, reason):
    path = old_book / "eu-west-1.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(PriceBookError) as caught:
        load_book(old_book)
    assert reason in str(caught.value)
    assert "eu-west-1.csv" in str(caught.value)
    assert "refresh again" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\x00" * 5_000_000])
def test_price_file_that_is_none_is_named(old_book, content):
    (old_book / "eu-west-1.csv").write_bytes(content)
    with pytest.raises(PriceBookError, match="refresh again"):
        load_book(old_book)


def test_directory_that_does_not_exist_lays_nothing_over(tmp_path):
    assert load_book(tmp_path / "none") is load_book()
