"""A running app and a Chromium that looks at it, for the browser tests and for the screenshots."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, ViewportSize

ROOT = Path(__file__).parents[2]
WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}

IS_SHARED = "PYTEST_XDIST_WORKER" in os.environ  # other tests run beside this one, and times say little
START_S = 90  # the first start of a fresh environment compiles every module
QUIET_MS = 200  # a change is shown when nothing has run for so long
TRACEBACK = "Traceback (most recent call last)"

# At the address of a page Streamlit first looks for its server below that address, then at the root.
EXPECTED_404 = re.compile(r"/[^/]+/_stcore/(health|host-config)$")

CHROMIUM_ARGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The app must work without the rest of the internet: whatever it asks of another host fails, and is reported.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)

# True once the page is connected and has not run a script for QUIET_MS. The time of the last activity is kept on
# the window, because the pause between an event and its run looks like rest.
AT_REST = """
quiet_ms => {
  const app = document.querySelector('[data-testid="stApp"]');
  const busy = !app
    || app.dataset.testConnectionState !== 'CONNECTED'
    || app.dataset.testScriptState !== 'notRunning'
    || document.querySelector('[data-testid="stSkeleton"], [data-testid="stAppSkeleton"], [data-stale="true"]');
  const now = performance.now();
  if (busy || window.restSince === undefined) { window.restSince = busy ? undefined : now; return false; }
  return now - window.restSince >= quiet_ms;
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The real app on a loopback port."""

    url: str
    log: Path

    def tracebacks(self, *, since: int = 0) -> str:
        """Give what was logged after `since` bytes if it holds a traceback, else an empty text."""
        text = self.log.read_bytes()[since:].decode(errors="replace")
        return text if TRACEBACK in text else ""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def running_app(
    log: Path, *, script: Path | None = None, environment: dict[str, str] | None = None, is_warm: bool = True
) -> Iterator[Server]:
    """Start the app as a user would, or another script, wait until it runs without an error, stop it at the end.

    A server that is not warm has never run its script.
    """
    port = free_port()
    options = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.scriptHealthCheckEnabled": "true",
    }
    command = [sys.executable, *(["-m", "streamlit", "run", str(script)] if script else [str(ROOT / "serve.py")])]
    command += [f"--{name}={value}" for name, value in options.items()]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | (environment or {}), stdout=output, stderr=subprocess.STDOUT
        )
    server = Server(url=url, log=log)
    try:
        deadline = time.monotonic() + START_S
        # The script's check runs app.py once in a session of its own, which also warms the imports and the caches.
        check = "script-health-check" if is_warm else "health"
        while not answers(f"{url}/_stcore/{check}"):
            if process.poll() is not None or server.tracebacks() or time.monotonic() > deadline:
                raise RuntimeError(f"the app did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def start_chromium(playwright: Playwright) -> Browser:
    """Start the system's Chromium if there is one, else the one that Playwright downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    # Chromium's own sandbox does not run as root.
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(executable_path=found, args=[*CHROMIUM_ARGS, *as_root])


@dataclass(kw_only=True)
class Visits:
    """Pages of one app in one browser: a context for each theme and size, shared by all tests."""

    browser: Browser
    server: Server
    problems: list[str] = field(default_factory=list)
    contexts: dict[tuple[str, int, int], BrowserContext] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)

    def __call__(self, path: str = "", *, scheme: str = "light", viewport: ViewportSize = WIDE) -> Page:
        """Open a page of the app (`"compare?w=..."`) and wait until it is shown."""
        page = self._context(scheme, viewport).new_page()
        self.pages.append(page)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", self._note)
        page.goto(f"{self.server.url}/{path.lstrip('/')}")
        ready(page)
        return page

    def _context(self, scheme: str, viewport: ViewportSize) -> BrowserContext:
        key = (scheme, viewport["width"], viewport["height"])
        if key not in self.contexts:
            self.contexts[key] = self.browser.new_context(
                color_scheme=scheme, viewport=viewport, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
            )
        return self.contexts[key]

    def _note(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not ("404" in message.text and EXPECTED_404.search(url)):
            self.problems.append(f"{url}: {message.text}")

    def close_pages(self) -> None:
        while self.pages:
            self.pages.pop().close()

    def close(self) -> None:
        self.close_pages()
        for context in self.contexts.values():
            context.close()


def ready(page: Page, *, timeout_s: float = 60) -> None:
    """Wait until Streamlit is connected and has run nothing for a moment; also after a click or a typed value."""
    page.evaluate("window.restSince = undefined")
    page.wait_for_function(AT_REST, arg=QUIET_MS, polling=20, timeout=timeout_s * 1000)
