"""What a person does with a page of the UI: look, open a picture, fill in what is to be made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

sync_api = pytest.importorskip("playwright.sync_api")

BLANK = "about:blank"
PATIENCE_MS = 60_000
CLOSING_MS = 300
"""A dialog that is left fades away."""
TURN = """path => new Promise(done => {
  localStorage.clear();
  history.pushState({}, "", path);
  dispatchEvent(new PopStateEvent("popstate", {state: {}}));
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""
"""Goes to a path as a link does, forgetting how far a graph was zoomed; done when it is drawn."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running_browser(executable: str, address: str) -> Iterator["BrowserContext"]:
    """One session of a browser at an address: its pages share what was loaded once."""
    with sync_api.sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        size = {"width": 1500, "height": 1000}
        session = browser.new_context(base_url=address, viewport=size)
        session.set_default_timeout(PATIENCE_MS)
        yield session
        browser.close()


def go(page: "Page", path: str) -> None:
    """Show a path of the UI, as its links do: what is loaded already is not loaded again."""
    if page.url == BLANK:
        page.goto(path)
    else:
        page.evaluate(TURN, path)


def leave(page: "Page") -> None:
    """Be done with a page; a dialog that was left open would lie over the next one."""
    page.wait_for_timeout(CLOSING_MS)
    if page.get_by_role("dialog").count():
        page.goto(BLANK)


def partition(asset: str, key: str) -> str:
    """Where a partition of an asset is shown."""
    return f"/assets/{asset}?view=partitions&partition={quote(key, safe='')}"


def see(page: "Page", *texts: str) -> None:
    """Each of the texts is there, whole."""
    for text in texts:
        found = page.get_by_text(text, exact=True).first
        sync_api.expect(found).to_be_visible(timeout=PATIENCE_MS)


def read(page: "Page", *parts: str) -> None:
    """Each of these is part of some text that is there."""
    for part in parts:
        found = page.get_by_text(part).first
        sync_api.expect(found).to_be_visible(timeout=PATIENCE_MS)


def look_at_picture(page: "Page", link: "Locator") -> None:
    """Open the Markdown of a link, see that its picture is drawn, close it."""
    link.click()
    picture = page.locator("img[src^='data:image/png']")
    sync_api.expect(picture).to_be_visible(timeout=20_000)
    width = picture.evaluate("img => img.decode().then(() => img.naturalWidth)")
    assert width > 200
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] >= 0.5 * width, "shrunk until nobody can read it"
    page.keyboard.press("Escape")


def ask(page: "Page", asset: str, *, is_missing_told: bool = False) -> "Locator":
    """Press `Materialize` on the page of a partition and give the dialog, which then holds it.

    With `is_missing_told` the UI first tells what the partition is made of and was never made.
    """
    page.get_by_role("button", name="Materialize").first.click()
    if is_missing_told:
        page.get_by_role("button", name="Confirm").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(f"Launch runs to materialize {asset}").wait_for()
    dialog.get_by_role("button", name="Launch 1 run").wait_for()
    return dialog


def type_days(dialog: "Locator", days: str) -> None:
    """Write days into the dialog: one, or `[first...last]`."""
    field = dialog.locator("input[type=text]").first
    field.fill(days)
    field.press("Enter")


def type_config(page: "Page", dialog: "Locator", text: str) -> None:
    """Open the editor of the dialog and write a configuration into it."""
    dialog.get_by_text("Config", exact=True).click()
    dialog.get_by_role("button", name="Add config").click()
    editor = page.locator(".CodeMirror").first
    editor.wait_for()
    editor.evaluate("(shown, text) => shown.CodeMirror.setValue(text)", text)
