"""What every test may use: golden files. And the patience of the properties."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code; what has to be fast is measured in tests/bench. Where CI is set,
# hypothesis tries the same examples each time, and its choice is kept.
settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")

GOLDEN = Path(__file__).parent / "golden"


def pytest_configure() -> None:
    # Whoever runs the tests in the background has them started with the interrupt key ignored, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write the golden files instead of comparing with them")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file under tests/golden: `golden(bill.as_text(), "bills/ten_endpoints.txt")`."""
    rewrite = request.config.getoption("--rewrite")

    def compare(text: str, name: str) -> None:
        path = GOLDEN / name
        if rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.is_file():
            pytest.fail(f"tests/golden/{name} does not exist; `make golden` writes it")
        # Bytes, since reading as text would make the line ends of Windows equal to ours.
        expected = path.read_bytes().decode("utf-8")
        assert text == expected, f"differs from tests/golden/{name}; `make golden` rewrites it, then review the diff"

    return compare
