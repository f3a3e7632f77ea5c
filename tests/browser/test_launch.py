"""Every option from its description to its removal, as a person does it: a real server, Chromium and a real sandbox."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fitness import presets
from fitness.options import OPTIONS
from fitness.workload import Workload
from sandbox.settings import REGION, SAMPLES_BUCKET
from tests import sandboxed
from tests.browser.links import link
from tests.browser.session import Server, Visits, ready, running_app
from tests.hosting import keys

PATIENCE_MS = 90_000  # of a step that the account works on, on a busy machine
CAR = re.compile(r"[\d.]{5,}")  # the price of a used car in USD


@dataclass(frozen=True)
class Case:
    """One option: a workload that it is the best for, and what a person does on the way."""

    option: str
    workload: Workload
    answer: re.Pattern[str]
    settings: dict[str, str] = field(default_factory=dict)  # typed before the launch
    change: tuple[str, str] = ("Max instances", "3")
    target: str | None = None  # that is called, of several models or containers


CASES = [
    Case(
        "real_time",
        presets.load("card-fraud").replace({"constraints.vpc": None}),
        re.compile(r"^\[0\]"),
    ),
    Case("serverless", presets.load("staging-tests"), re.compile(r"^\[0\]"), change=("Memory (MB)", "2048")),
    Case(
        "async",
        presets.load("document-understanding").replace(
            {"accelerator": "none", "request.processing_ms": 3000, "request.payload_in_mb": 50}
        ),
        re.compile(r"^\[0\]"),
    ),
    Case(
        "mme",
        presets.load("customer-models"),
        re.compile(r"\{"),
        settings={"Min instances": "1", "Max instances": "1"},
        target="customer-003.tar.gz",
    ),
    Case("mce_direct", presets.load("two-frameworks"), re.compile(r"^\[?0"), target="digits"),
    Case("serial_pipeline", presets.load("retail-pipeline"), CAR),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandboxed.Sandbox]:
    running = sandboxed.start(tmp_path_factory.mktemp("sandbox"), samples=True)
    sandboxed.until(lambda: "index.json" in keys(running.client("s3"), SAMPLES_BUCKET), within_s=180)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def account_server(sandbox: sandboxed.Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "app.log"
    with running_app(log, environment=sandbox.running.environment) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, account_server: Server) -> Iterator[Visits]:
    logged = account_server.log.stat().st_size
    visits = Visits(browser=browser, server=account_server)
    yield visits
    visits.close()
    assert not visits.problems, "\n".join(visits.problems)
    assert not (log := account_server.tracebacks(since=logged)), log


def main(page: Page) -> Locator:
    """The page without its menu."""
    return page.get_by_test_id("stMain")


def press(page: Page, name: str | re.Pattern[str]) -> None:
    button = main(page).get_by_role("button", name=name, exact=isinstance(name, str))
    button.click(timeout=PATIENCE_MS)
    ready(page)


def choose(page: Page, label: str | re.Pattern[str], text: str) -> None:
    box = main(page).get_by_role("combobox", name=label)
    box.fill(text)
    box.press("Enter")
    ready(page)


def fill(page: Page, label: str, text: str) -> None:
    if label == "Instance type":
        choose(page, label, text)
    else:
        kind = "spinbutton" if text.isdigit() else "textbox"
        field_of = main(page).get_by_role(kind, name=label, exact=True)
        field_of.fill(text)
        field_of.press("Enter")
    ready(page)


def described_and_compared(visit: Visits, workload: Workload, option: str) -> Page:
    """Go from the description to the launch of the option that comes first."""
    page = visit(link("", workload))
    page.get_by_role("link", name="Compare all ten options").click()
    expect(main(page).get_by_role("heading", name=option, exact=True)).to_be_visible(timeout=PATIENCE_MS)
    main(page).get_by_role(
        "link", name="Launch", exact=True
    ).first.click()  # before what would change the order is known
    expect(main(page).get_by_role("heading", name="What to launch")).to_be_visible(timeout=PATIENCE_MS)
    ready(page, timeout_s=PATIENCE_MS / 1000)
    if workload.region != REGION:
        press(page, f"Go to {workload.region}")
    return page


def reviewed_and_confirmed(page: Page, button: str) -> None:
    press(page, "Review the changes")
    confirmed(page, button)


def confirmed(page: Page, button: str) -> None:
    press(page, button)
    confirm_button = page.get_by_role("dialog").get_by_role("button", name=re.compile("^Confirm"))
    confirm_button.dblclick(timeout=PATIENCE_MS)  # as impatient people do; it begins once


def measured(page: Page) -> None:
    """Measure the endpoint for some seconds, and put what was found into the workload."""
    main(page).get_by_role("tab", name="Measure").click()
    ready(page)
    fill(page, "Most requests", "300")
    fill(page, "Longest time (s)", "20")
    press(page, "Measure")
    expect(main(page).get_by_role("heading", name="What was measured")).to_be_visible(timeout=PATIENCE_MS)
    expect(main(page).get_by_text("The simulator played the very same arrivals")).to_be_visible()
    press(page, "Put it into the workload")
    expect(main(page).get_by_text("has these values, marked as measured")).to_be_visible(timeout=PATIENCE_MS)


def removed(page: Page, name: str) -> None:
    main(page).get_by_role("tab", name="Remove").click()
    press(page, "Preview the removal")
    expect(main(page).get_by_text("What goes", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    press(page, "Remove ...")
    page.get_by_role("dialog").get_by_role("button", name=f"Remove {name}").click(timeout=PATIENCE_MS)
    expect(main(page).get_by_text(f"Nothing called {name} is in this account")).to_be_visible(timeout=PATIENCE_MS)
    expect(main(page).get_by_text("Nothing runs here yet")).to_be_visible(timeout=PATIENCE_MS)


def left_behind(sandbox: sandboxed.Sandbox, region: str | None) -> dict[str, list[str]]:
    """Name what an account holds in a Region that a launch may make."""

    def client(service: str):
        return sandbox.client(service, region_name=region or REGION)

    sagemaker, iam = client("sagemaker"), client("iam")
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    scaled = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    alarms = client("cloudwatch").describe_alarms()
    found = {
        "stacks": [one["StackName"] for one in stacks],
        "endpoints": [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]],
        "configs": [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]],
        "models": [one["ModelName"] for one in sagemaker.list_models()["Models"]],
        "roles": [one["RoleName"] for one in iam.list_roles(PathPrefix="/hostfit/")["Roles"]],
        "scaled": [one["ResourceId"] for one in scaled["ScalableTargets"]],
        "alarms": [one["AlarmName"] for one in alarms["MetricAlarms"]],
    }
    return {kind: names for kind, names in found.items() if names}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.option)
def test_an_option_from_its_description_to_its_removal(visit, sandbox, case):
    name = case.workload.name
    page = described_and_compared(visit, case.workload, OPTIONS[case.option].title)
    for label, text in case.settings.items():
        fill(page, label, text)
    reviewed_and_confirmed(page, "Launch ...")

    expect(main(page).get_by_text(re.compile("^First prediction")).first).to_be_visible(timeout=PATIENCE_MS)
    expect(main(page).get_by_text("What runs is what was asked for")).to_be_visible(timeout=PATIENCE_MS)
    expect(main(page).locator("code").last).to_contain_text(case.answer)

    main(page).get_by_role("link", name=f"Watch, call and change {name}").click()
    expect(main(page).get_by_role("tab", name="Traffic")).to_be_visible(timeout=PATIENCE_MS)
    requests = main(page).get_by_test_id("stMetric").filter(has_text="Requests, last hour")
    expect(requests.get_by_test_id("stMetricValue")).to_have_text(re.compile("[1-9]"), timeout=PATIENCE_MS)

    if case.option == "real_time":
        measured(page)
    if case.target is not None:
        main(page).get_by_role("tab", name="Call it").click()
        ready(page)
        choose(page, re.compile("^Target"), case.target)
        press(page, "Ask")
        expect(main(page).get_by_text("Answered")).to_be_visible(timeout=PATIENCE_MS)
        expect(main(page).locator("code").last).to_contain_text(case.answer)

    main(page).get_by_role("tab", name="Settings").click()
    main(page).get_by_role("link", name="Change it").click()
    expect(main(page).get_by_text(f"Changing {name}")).to_be_visible(timeout=PATIENCE_MS)
    fill(page, *case.change)
    reviewed_and_confirmed(page, "Change ...")
    expect(main(page).get_by_text(f"{name} was updated")).to_be_visible(timeout=PATIENCE_MS)
    expect(main(page).get_by_text("What runs is what was asked for")).to_be_visible(timeout=PATIENCE_MS)

    main(page).get_by_role("link", name=f"Watch, call and change {name}").click()
    removed(page, name)
    assert left_behind(sandbox, case.workload.region) == {}


def test_a_batch_transform_from_its_description_to_its_removal(visit, sandbox):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="flowers")
    s3.put_object(Bucket="flowers", Key="in/flowers.csv", Body="5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3\n")
    workload = presets.load("nightly-scoring")
    page = described_and_compared(visit, workload, OPTIONS["batch"].title)
    fill(page, "Input in S3", "s3://flowers/in/")
    fill(page, "Output in S3", "s3://flowers/out/")
    press(page, "Review the changes")
    press(page, "Launch ...")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("AWS would charge this until the job ends")).to_be_visible()
    expect(dialog.get_by_role("button", name=re.compile(r"^Confirm \$0\.[1-9]\d* an hour"))).to_be_visible()
    dialog.get_by_role("button", name="Not now").click()
    expect(dialog).to_be_hidden()
    confirmed(page, "Launch ...")
    expect(main(page).get_by_text("What runs is what was asked for")).to_be_visible(timeout=PATIENCE_MS)
    main(page).get_by_role("link", name=re.compile("^Watch, call and change")).click()
    expect(main(page).get_by_text("Output of the newest job")).to_be_visible(timeout=PATIENCE_MS)
    expect(main(page).locator("code").last).to_contain_text("[0, 2]")

    press(page, "Price a further job")
    expect(main(page).get_by_text("an hour while its job runs")).to_be_visible(timeout=PATIENCE_MS)
    confirmed(page, "Run it ...")
    sagemaker = sandbox.client("sagemaker", region_name=workload.region)

    def jobs() -> int:
        return len(sagemaker.list_transform_jobs(NameContains=f"{workload.name}-")["TransformJobSummaries"])

    sandboxed.until(lambda: jobs() == 2, within_s=PATIENCE_MS / 1000)

    main(page).get_by_role("tab", name="Settings").click()
    main(page).get_by_role("link", name="Change it").click()
    fill(page, "Time to live (hours)", "8")
    press(page, "Review the changes")
    expect(main(page).get_by_text("$0.00 an hour while idle, as now")).to_be_visible(timeout=PATIENCE_MS)
    confirmed(page, "Change ...")
    expect(main(page).get_by_text(f"{workload.name} was updated")).to_be_visible(timeout=PATIENCE_MS)
    assert jobs() == 2  # no further one for a longer life
    main(page).get_by_role("link", name=re.compile("^Watch, call and change")).click()
    removed(page, workload.name)
    assert left_behind(sandbox, workload.region) == {}
