"""Take the pictures of TensorBoard that its pages show; run it again to renew them.

    python -m tools.tensorboard_pictures

Trains the six runs of `snippets/watched_digits.py`, starts the real TensorBoard on
them, opens it in Chromium, light and dark, and writes to `docs/assets/tensorboard/`:

- the pictures, WebP, each of at most 60 KB;
- `runs.json`: what the runs hold that the pictures show. A test compares it with the
  runs that the pages' code writes today; where they differ, the pictures are of
  another program, and this one must run again.
"""

import io
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import tensorboard as program
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from torch.utils.tensorboard import SummaryWriter

from snippets.digit_classifier import DigitConfig, DigitMLP, Evaluation
from snippets.event_file import read_events, read_scalars
from snippets.model_graph import add_graph
from snippets.tensorboard_server import tensorboard
from snippets.watched_digits import ALL_SETTINGS, Settings, watch_all
from tools.browser import launch

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "assets" / "tensorboard"
RECORD = FOLDER / "runs.json"
WIDTH, SCALE = 1000, 1.4  # pixels of the window, and of the picture for each of them
# no pane of settings, a narrow list of runs
LAYOUT = '{"timeSeriesSettingsPaneOpened":false,"sideBarWidthInPercent":20}'
LARGEST = 60_000  # bytes of a picture
TWO = "|".join(s.name for s in (Settings(0.1), Settings(3.0)))


def make_runs(root: Path) -> dict[str, Evaluation]:
    """The runs of the page, with the graphs of their models; as `watch_all`."""
    results = watch_all(root)
    for settings in ALL_SETTINGS:
        model = DigitMLP(DigitConfig(d_hidden=settings.d_hidden))
        with SummaryWriter(str(root / settings.name)) as writer:
            add_graph(writer, model, torch.zeros(2, 1, 8, 8))
    return results


def contents(root: Path) -> dict[str, dict]:
    """What the pictures show of each run: its scalars, and the names of the rest."""
    found = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        scalars = {
            tag: [[point.step, round(point.value, 4)] for point in points]
            for tag, points in read_scalars(folder).items()
        }
        others: dict[str, list[int]] = {}
        for event in read_events(folder):
            for value in event.summary.value:
                if value.HasField("histo") or value.HasField("image"):
                    others.setdefault(value.tag, []).append(event.step)
        found[folder.name] = {"scalars": scalars, "steps": others}
    return found


def losses(page: Page) -> None:
    """The two cards of losses only."""
    page.get_by_role("combobox", name="Filter tags (regex)").fill("loss/")
    page.keyboard.press("Escape")
    page.get_by_text("loss/validation").first.wait_for()


def nothing(page: Page) -> None:
    """The page as it comes."""


def expand_graph(page: Page) -> None:
    """Open the box of the model."""
    page.locator("svg text", has_text="DigitMLP").first.dblclick(force=True)
    page.wait_for_timeout(1500)
    page.get_by_text("Legend", exact=True).click()
    page.mouse.click(300, 580)  # on nothing, so that nothing is selected
    page.get_by_text("Fit to screen").click()


def parallel(page: Page) -> None:
    """From the table to the parallel coordinates; the learning rate by its powers."""
    page.get_by_text("PARALLEL COORDINATES VIEW").click()
    page.get_by_text("Logarithmic").nth(1).click()


# name: the address behind #, the height of the window, what to do there
PICTURES: dict[str, tuple[str, int, Callable[[Page], None]]] = {
    "scalars": ("timeseries&smoothing=0.6", 640, losses),
    "histograms": (
        f"histograms&tagFilter=hidden.weight&regexInput={quote(f'^({TWO})$')}",
        700,
        nothing,
    ),
    "images": (f"images&regexInput={quote('^lr=(0.1|1),hidden=64$')}", 700, nothing),
    "graph": ("graphs", 640, expand_graph),
    "hparams": ("hparams", 860, parallel),
}


def take(browser: Browser, address: str, scheme: str, folder: Path) -> None:
    """All pictures, in one colour scheme."""
    for name, (place, height, act) in PICTURES.items():
        page = browser.new_page(
            viewport={"width": WIDTH, "height": height},
            device_scale_factor=SCALE,
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        page.add_init_script(f"localStorage['_tb_global_settings'] = '{LAYOUT}'")
        page.set_default_timeout(120_000)
        page.goto(f"{address}#{place}")
        settled(page)
        act(page)
        page.mouse.move(WIDTH - 5, height - 5)
        save(settled(page), folder / f"{name}-{scheme}.webp")
        page.close()


def settled(page: Page) -> bytes:
    """A screenshot, once two that are some seconds apart are the same."""
    page.wait_for_timeout(5000)
    before, now = b"", page.screenshot()
    while before != now:
        page.wait_for_timeout(4000)
        before, now = now, page.screenshot()
    return now


def save(png: bytes, path: Path) -> None:
    """As WebP, in the best quality that is small enough."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(85, 20, -10):
        picture.save(path, quality=quality, method=6)
        if path.stat().st_size <= LARGEST:
            return
    raise SystemExit(f"{path.name} is larger than {LARGEST} bytes in any quality")


def main() -> None:
    """Train, record, and take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        runs = Path(root) / "runs"
        make_runs(runs)
        record = {
            "made": datetime.now(UTC).date().isoformat(),
            "tensorboard": program.__version__,
            "runs": contents(runs),
        }
        with tensorboard(runs) as address, sync_playwright() as playwright:
            browser = launch(playwright)
            for scheme in ("light", "dark"):
                take(browser, address, scheme, FOLDER)
            browser.close()
    RECORD.write_text(json.dumps(record, separators=(",", ":")) + "\n", "utf8")


if __name__ == "__main__":
    sys.exit(main())
