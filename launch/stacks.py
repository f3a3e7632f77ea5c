"""Launches as CloudFormation stacks: looked at, proposed, executed, followed, verified, removed and swept.

The account is the only ledger: what there is to know of a launch is on its stack. Nothing starts, changes or ends
without a `Confirmation` that matches what was shown.
"""

from launch.following import Following
from launch.proposing import Proposing
from launch.runs import Running
from launch.sweep import Sweeping
from launch.verify import Verifying


class Stacks(Proposing, Following, Verifying, Sweeping, Running):
    """The launches of an account and Region. Threads may share it."""
