"""What every test may use: golden files."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


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
