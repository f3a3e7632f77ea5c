"""`python -m tests.mutations`: plant each fault into a copy of the program and see whether its tests notice.

Prints one line of JSON per fault, "caught" or what is wrong. The loops run as plain Python, so nothing is compiled.
"""

import importlib
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "unit" / "fitness" / "simulation"
LONGEST_S = 20  # a fault may well make a loop endless


class TooLongError(Exception):
    """A test under a fault does not end."""


def main() -> int:
    """Try every fault; 1 if one is not caught."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    sys.dont_write_bytecode = True
    from hypothesis import Phase, settings

    settings.register_profile("faults", max_examples=150, derandomize=True, database=None, phases=[Phase.generate])
    settings.load_profile("faults")
    from tests.mutations.faults import FAULTS

    signal.signal(signal.SIGALRM, _stop)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "fitness"
        shutil.copytree(ROOT / "fitness", copy, ignore=shutil.ignore_patterns("__pycache__"))
        sys.path.insert(0, folder)
        names = sorted({name for fault in FAULTS for name in fault.tests})
        failed = _failing(names)
        _tell("(no fault)", "caught" if not failed else f"{failed} fails without a fault")
        missed = bool(failed)
        for fault in FAULTS:
            file = copy / "simulation" / fault.file
            text = file.read_text(encoding="utf-8")
            found = text.count(fault.old)
            if found != 1:
                outcome = f"its text stands {found} times in {fault.file}"
            else:
                file.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
                outcome = "caught" if _failing(fault.tests) else "no test noticed"
                file.write_text(text, encoding="utf-8")
            _tell(fault.name, outcome)
            missed |= outcome != "caught"
    return int(missed)


def _failing(names: list[str] | tuple[str, ...]) -> str | None:
    """The first of the tests that fails with the program as it stands in the copy; None if all pass."""
    for name in [name for name in sys.modules if name.startswith(("fitness", "tests.event_list", "tests.played"))]:
        del sys.modules[name]
    importlib.invalidate_caches()
    modules: dict[str, object] = {}
    for name in names:
        module, function = name.split(":")
        signal.alarm(LONGEST_S)
        try:
            if module not in modules:
                modules[module] = _load(module)
            test: Callable[[], None] = getattr(modules[module], function)
            test()
        except Exception:  # noqa: BLE001 a fault may raise anything
            return name
        finally:
            signal.alarm(0)
    return None


def _load(name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tell(name: str, outcome: str) -> None:
    print(json.dumps({"fault": name, "outcome": outcome}), flush=True)


def _stop(*_: object) -> None:
    raise TooLongError


if __name__ == "__main__":
    sys.exit(main())
