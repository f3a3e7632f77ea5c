"""Updates under load: no request is dropped, and what went wrong is taken back."""

import threading
import time
from collections import Counter
from typing import Self

import pytest
from botocore.exceptions import ClientError

from sandbox.faults import Fault, Faults
from tests.sandboxed import until


class Load:
    """Asks an endpoint all the time from several threads; counts what it hears."""

    def __init__(self, hosting, endpoint: str, threads: int = 4) -> None:
        self.heard: Counter[str] = Counter()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        client = hosting.sandbox.client("sagemaker-runtime", max_pool_connections=threads)
        zero = hosting.zero

        def ask() -> None:
            while not self._stop.is_set():
                try:
                    answer = client.invoke_endpoint(EndpointName=endpoint, **zero)
                    heard = f"{answer['InvokedProductionVariant']} {answer['Body'].read().decode()}"
                except ClientError as err:
                    heard = str(err)
                with self._lock:
                    self.heard[heard] += 1

        self._threads = [threading.Thread(target=ask) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture(scope="session")
def model(hosting) -> str:
    return hosting.model(hosting.container("digits/model.tar.gz"))


@pytest.fixture(scope="session")
def configs(hosting, model) -> dict[str, str]:
    """Two configurations by the name of their only variant."""
    on = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    return {name: hosting.config(model, variant={"VariantName": name, **on}) for name in ("Blue", "Green")}


@pytest.fixture(scope="session")
def updated(hosting, configs) -> str:
    """An endpoint that the tests update one after the other."""
    return hosting.endpoint(configs["Blue"])


@pytest.fixture
def live(hosting, updated, configs) -> tuple[str, str, str]:
    """The endpoint, the variant that it has now, and the one that it has not."""
    name = hosting.sagemaker.describe_endpoint(EndpointName=updated)["EndpointConfigName"]
    before = next(variant for variant, config in configs.items() if config == name)
    return updated, before, "Green" if before == "Blue" else "Blue"


def routing(kind: str, wait_s: int = 0, **sizes) -> dict:
    shifted = {"Type": kind, "WaitIntervalInSeconds": wait_s, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": shifted, "TerminationWaitInSeconds": 0}}


def percent(value: int) -> dict:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


@pytest.mark.parametrize(
    "deployment",
    [
        None,
        routing("ALL_AT_ONCE"),
        routing("CANARY", 1, CanarySize=percent(30)),
        routing("LINEAR", 1, LinearStepSize=percent(50)),
        {
            "RollingUpdatePolicy": {
                "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                "WaitIntervalInSeconds": 1,
            }
        },
    ],
    ids=["default", "all at once", "canary", "linear", "rolling"],
)
def test_an_update_drops_no_request(hosting, configs, live, deployment):
    endpoint, before, after = live
    with Load(hosting, endpoint) as load:
        until(lambda: load.heard[f"{before} 0"] > 10)
        wanted = {"DeploymentConfig": deployment} if deployment else {}
        hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs[after], **wanted)
        described = hosting.settled(endpoint)
        until(lambda: load.heard[f"{after} 0"] > 10)
    assert set(load.heard) == {f"{before} 0", f"{after} 0"}
    assert hosting.runtime.invoke_endpoint(EndpointName=endpoint, **hosting.zero)["InvokedProductionVariant"] == after
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == configs[after]
    assert "PendingDeploymentSummary" not in described


@pytest.fixture
def alarm(hosting) -> str:
    """An alarm that only `set_alarm_state` moves."""
    name = hosting.name("alarm")
    hosting.sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="test",
        MetricName="wrong",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    return name


def test_a_canary_gets_its_share_while_it_is_watched_and_an_alarm_takes_it_back(hosting, configs, live, alarm):
    endpoint, before, after = live
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}
    deployment = {**routing("CANARY", 60, CanarySize=percent(30)), **alarms}

    def invoked() -> str:
        return hosting.runtime.invoke_endpoint(EndpointName=endpoint, **hosting.zero)["InvokedProductionVariant"]

    with Load(hosting, endpoint) as load:
        hosting.sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=configs[after], DeploymentConfig=deployment
        )
        until(lambda: load.heard[f"{after} 0"] > 10)
        described = hosting.sagemaker.describe_endpoint(EndpointName=endpoint)
        assert described["EndpointStatus"] == "Updating"
        assert described["PendingDeploymentSummary"]["EndpointConfigName"] == configs[after]
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs[after])
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            hosting.sagemaker.delete_endpoint(EndpointName=endpoint)
        shares = Counter(invoked() for _ in range(200))
        assert 27 <= shares[after] <= 93  # 60 expected; five standard deviations of 200 draws
        hosting.sandbox.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
        described = hosting.settled(endpoint)
    assert set(load.heard) == {f"{before} 0", f"{after} 0"}
    assert invoked() == before
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == configs[before]
    assert alarm in described["FailureReason"]


def test_the_switches_for_faults_fail_and_roll_back(hosting, configs, live):
    endpoint, before, after = live
    faults = Faults(hosting.sandbox.settings.folder)
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "any"}]}}
    deployment = {**routing("ALL_AT_ONCE"), **alarms}
    for fault, reason in ((Fault.CAPACITY, "InsufficientInstanceCapacity"), (Fault.ALARM, "ALARM state: any")):
        faults.turn(fault, on=True)
        try:
            hosting.sagemaker.update_endpoint(
                EndpointName=endpoint, EndpointConfigName=configs[after], DeploymentConfig=deployment
            )
            described = hosting.settled(endpoint)
        finally:
            faults.turn(fault, on=False)
        assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", configs[before])
        assert reason in described["FailureReason"]


def test_an_update_that_can_not_start_leaves_the_endpoint_as_it_was(hosting, configs, live):
    endpoint, before, _ = live
    broken = hosting.config(
        hosting.model(hosting.container("digits/model.tar.gz", ModelDataUrl="s3://nowhere/x.tar.gz"))
    )
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=broken)
    described = hosting.settled(endpoint)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", configs[before])
    assert "Failed to download model data" in described["FailureReason"]
    assert hosting.digit(endpoint) == "0"


def test_weights_share_the_traffic(hosting, model):
    name = hosting.name("config")
    variants = [
        {"VariantName": variant, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1,
         "InitialVariantWeight": weight}
        for variant, weight in (("A", 3), ("B", 1))
    ]  # fmt: skip
    hosting.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    endpoint = hosting.endpoint(name)

    def shares() -> Counter[str]:
        answers = (hosting.runtime.invoke_endpoint(EndpointName=endpoint, **hosting.zero) for _ in range(400))
        return Counter(answer["InvokedProductionVariant"] for answer in answers)

    assert 250 <= shares()["A"] <= 350  # 300 expected
    targeted = hosting.runtime.invoke_endpoint(EndpointName=endpoint, **hosting.zero, TargetVariant="B")
    assert targeted["InvokedProductionVariant"] == "B"
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 0},
            {"VariantName": "B", "DesiredWeight": 1, "DesiredInstanceCount": 3},
        ],
    )
    described = hosting.settled(endpoint)
    assert shares() == {"B": 400}
    assert [variant["CurrentInstanceCount"] for variant in described["ProductionVariants"]] == [1, 3]
    with pytest.raises(ClientError, match="do not exist in the endpoint"):
        hosting.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "C", "DesiredWeight": 1}]
        )
    hosting.gone(endpoint)


def test_a_long_answer_survives_the_end_of_its_fleet(hosting, configs, live, script_model):
    endpoint, before, _ = live
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=hosting.config(script_model))
    hosting.settled(endpoint)
    answers = []
    slow = '{"sleep_s": 2}'
    asking = threading.Thread(target=lambda: answers.append(hosting.ask(endpoint, slow, "application/json")))
    asking.start()
    time.sleep(0.3)
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs[before])
    hosting.settled(endpoint)
    asking.join()
    assert answers == ['"slept"']
