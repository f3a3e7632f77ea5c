"""Render pages of the app into docs/images: light and dark, wide and narrow.

python -m tests.browser.screenshots                    # the pages of PAGES
python -m tests.browser.screenshots prices=limits?table=Prices
"""

import argparse
import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from fitness import presets
from tests.browser import pictured_account
from tests.browser.session import NARROW, ROOT, WIDE, Visits, ready, running_app, start_chromium
from ui import scenario

# The name of the picture and the address of the page.
SCENARIO = f"w={scenario.encode(presets.load('card-fraud'))}"
PAGES = {
    "describe": f"?{SCENARIO}",
    "compare": f"compare?{SCENARIO}",
    "simulate": f"simulate?{SCENARIO}&beside=Serverless+endpoint&surge=5.0",
    "policy": f"simulate?{SCENARIO}&view=Scaling+policy",
    "memory": f"simulate?w={scenario.encode(presets.load('customer-models'))}&view=Model+memory",
    "limits": "limits",
}
# Those that show an account.
ACCOUNT_PAGES = {
    "launch": f"launch?w={scenario.encode(pictured_account.WORKLOAD)}&option=Real-time+endpoint",
    "endpoints": f"endpoints?name={pictured_account.NAME}",
}
SIZES = {"wide": WIDE, "narrow": NARROW}
MAXIMUM_HEIGHT_PX = {"wide": 1_480, "narrow": 1_900}  # what a reader wants to see of a long page

# The page scrolls inside the app, so the window has to grow for all of it to be seen.
HEIGHT = """
() => Math.max(...[...document.querySelectorAll('[data-testid="stMain"], [data-testid="stAppViewContainer"]')]
  .map(element => element.scrollHeight))
"""


# Work in the background shows its progress.
IS_DONE = "() => !document.querySelector('[data-testid=stMain]').innerText.includes('progress_activity')"


def capture(page: Page, path: Path, *, maximum_height_px: int) -> None:
    """Write the page from its top, also what the window does not show."""
    size = page.viewport_size
    page.wait_for_function(IS_DONE)
    ready(page)
    page.set_viewport_size({"width": size["width"], "height": min(page.evaluate(HEIGHT), maximum_height_px)})
    ready(page)
    page.screenshot(path=path)
    page.set_viewport_size(size)


def render(pages: Mapping[str, str], directory: Path, environment: dict[str, str] | None = None) -> list[Path]:
    """Write one picture of each page, theme and size, named `compare-dark-narrow.png`."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        running_app(Path(scratch) / "app.log", environment=environment) as server,
    ):
        with sync_playwright() as playwright:
            browser = start_chromium(playwright)
            visits = Visits(browser=browser, server=server)
            for (name, path), scheme, (size, viewport) in itertools.product(
                pages.items(), ("light", "dark"), SIZES.items()
            ):
                page = visits(path, scheme=scheme, viewport=viewport)
                target = directory / f"{name}-{scheme}-{size}.png"
                capture(page, target, maximum_height_px=MAXIMUM_HEIGHT_PX[size])
                visits.close_pages()
                written.append(target)
            visits.close()
            browser.close()
        if visits.problems or server.tracebacks():
            raise RuntimeError("\n".join([*visits.problems, server.tracebacks()]))
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", metavar="name=address", help="only these, instead of every page")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    asked = dict(page.split("=", 1) for page in arguments.pages)
    written = render(asked or PAGES, arguments.into)
    if not asked:
        with pictured_account.account() as environment:
            written += render(ACCOUNT_PAGES, arguments.into, environment)
    for path in written:
        print(path)


if __name__ == "__main__":
    main()
