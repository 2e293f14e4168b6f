"""A page in the real Chromium, without a network: how wide it is, what it asks for, how it looks."""

from __future__ import annotations

import json
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
NARROW = 400
"""Width of a small phone."""

PROBE = """<!DOCTYPE html><body style="margin:0">
<iframe id="page" style="width:{width}px;height:{height}px;border:0" srcdoc="{page}"></iframe>
<script>
page.onload = () => {{
  const root = page.contentDocument.documentElement;
  const sticksOut = e => e.getBoundingClientRect().right > {width} + 0.5 && !e.closest(".scroll, pre");
  const wide = [...root.querySelectorAll("body *")].filter(sticksOut).map(e => e.outerHTML.slice(0, 200));
  document.body.dataset.seen = JSON.stringify({{client: root.clientWidth, scroll: root.scrollWidth, wide}});
}};
</script>
"""


class Chromium:
    """Runs a browser of its own profile; its files are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        found = next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            pytest.skip("needs Chromium")
        self._program = found
        self._folder = folder

    def run(self, *switches: str) -> str:
        """What it prints."""
        command = [self._program, *SWITCHES, f"--user-data-dir={self._folder / 'profile'}", *switches]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def requests(self, page: str) -> list[str]:
        """What a page asks the network for; what the browser itself wants does not count."""
        log = self._folder / "net.json"
        self.run(f"--log-net-log={log}", "--dump-dom", self._write("page.html", page))
        events = json.loads(log.read_text(encoding="utf-8"))["events"]
        started = [event.get("params", {}) for event in events]
        asked = [one["url"] for one in started if one.get("initiator", "not an origin") != "not an origin"]
        return sorted(set(asked))

    def measure(self, page: str, width: int = NARROW) -> dict[str, object]:
        """How wide a page is in a window of some width, and which elements stick out of it.

        The page is put into a frame, for a window of Chromium has no small widths.
        """
        probe = PROBE.format(width=width, height=1000, page=escape(page))
        dom = self.run("--dump-dom", self._write("probe.html", probe))
        start = dom.index('data-seen="') + len('data-seen="')
        seen: dict[str, object] = json.loads(unescape(dom[start : dom.index('"', start)]))
        return seen

    def picture(self, page: str, *, width: int, height: int, dark: bool = False) -> Path:
        """A picture of a page."""
        picture = self._folder / f"{width}{'-dark' if dark else ''}.png"
        probe = PROBE.format(width=width, height=height, page=escape(page))
        colours = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0") if dark else ()
        window = f"--window-size={max(width, 500)},{height}"
        self.run(*colours, window, f"--screenshot={picture}", self._write("probe.html", probe))
        return picture

    def _write(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return path.as_uri()
