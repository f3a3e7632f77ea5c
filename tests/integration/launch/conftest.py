"""One sandbox for all the tests of a process; a test that stops or breaks it starts its own."""

from tests.integration.sandbox.conftest import hosting, own_sandbox, sandbox

__all__ = ["hosting", "own_sandbox", "sandbox"]
