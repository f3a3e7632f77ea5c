"""How an update moves the traffic: all at once, canary, linear, rolling; and what makes it roll back."""

from dataclasses import dataclass

from sandbox.services.sagemaker.store import Document


class Alarmed(Exception):
    """An alarm of the deployment is raised."""

    def __init__(self, alarms: tuple[str, ...]) -> None:
        super().__init__(f"One or more configured alarms went into ALARM state: {', '.join(sorted(alarms))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The shares of the traffic that the new fleet gets one after the other, and how long each is watched."""

    shares: tuple[float, ...]
    wait_s: float
    termination_wait_s: float
    alarms: tuple[str, ...]


def traffic_plan(deployment: Document | None, instances: int) -> Plan:
    """Give the plan of a DeploymentConfig; without one all traffic moves at once.

    `instances` is the size of the new fleet, to which counts of instances are related.
    """
    if not deployment:
        return Plan(shares=(1.0,), wait_s=0.0, termination_wait_s=0.0, alarms=())
    names = tuple(alarm["AlarmName"] for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", []))
    rolling = deployment.get("RollingUpdatePolicy")
    if rolling:
        step = _share(rolling["MaximumBatchSize"], instances)
        return Plan(shares=_steps(step), wait_s=rolling["WaitIntervalInSeconds"], termination_wait_s=0.0, alarms=names)
    policy = deployment["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    shares: tuple[float, ...]
    match routing["Type"]:
        case "CANARY":
            shares = (_share(routing["CanarySize"], instances), 1.0)
        case "LINEAR":
            shares = _steps(_share(routing["LinearStepSize"], instances))
        case _:
            shares = (1.0,)
    return Plan(
        shares=shares,
        wait_s=routing["WaitIntervalInSeconds"],
        termination_wait_s=policy.get("TerminationWaitInSeconds", 0),
        alarms=names,
    )


def _share(size: Document, instances: int) -> float:
    share = size["Value"] / 100 if size["Type"] == "CAPACITY_PERCENT" else size["Value"] / instances
    return min(1.0, float(share))


def _steps(step: float) -> tuple[float, ...]:
    """Give the shares in steps of one size: 0.3 gives 0.3, 0.6, 0.9, 1."""
    count = -(-1 // step) if step < 1 else 1
    return (*(round(step * number, 9) for number in range(1, int(count))), 1.0)
