"""How long a page of the web server takes in headless Chromium until a text stands on it."""

import shutil
import time

from playwright.sync_api import sync_playwright

FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 120_000
VIEW = {"width": 1700, "height": 1100}


def seconds_until(url: str, text: str, repeats: int = 3) -> list[float]:
    """Seconds of each visit with a new page, from asking for it until the text is visible.

    Args:
        url: of the page.
        text: a Playwright text selector, for example `text=/Materialized/`.
        repeats: visits.
    """
    browser_path = next(filter(None, map(shutil.which, CHROMIUMS)))
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        for _ in range(repeats):
            page = browser.new_page(viewport=VIEW)  # type: ignore[arg-type]
            page.set_default_timeout(PATIENCE_MS)
            began = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.wait_for_selector(text)
            found.append(time.perf_counter() - began)
            page.close()
        browser.close()
    return found
