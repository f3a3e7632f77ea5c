"""cfn-lint within this process: its rules are loaded once, which takes longer than a template."""

from functools import cache

from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode_str
from cfnlint.runner import Runner


@cache
def runner() -> Runner:
    return Runner(ConfigMixIn(regions=["us-east-1", "eu-west-1"]))


def faults(text: str) -> list[str]:
    """Name what cfn-lint has against a template in JSON or YAML: errors, warnings and remarks."""
    template, unreadable = decode_str(text)
    found = unreadable or list(runner().validate_template(template))
    return [f"{one.rule.id} {one.message} @ {'/'.join(map(str, one.path or []))}" for one in found]
