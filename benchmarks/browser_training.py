"""Training in the page beside the same training in PyTorch, on one thread.

    python -m benchmarks.browser_training

The page's own worker trains the model and text of its usual settings for a minute in
Chromium, without the page around it; PyTorch makes the same steps for as long: the same
sizes, batches of the same shape, the same optimizers, in float32, not compiled. Prints
characters a second, of time and of processor time, and the page's loss on its
validation text. On a busy machine, go by the processor time. With `--record`, what was
found is kept in `snippets/data/browser_training.json`.
"""

import functools
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from playwright.sync_api import sync_playwright

from benchmarks.record import main
from literate.project import DOCS
from snippets.gpt import CharTokenizer, random_windows, shift
from snippets.mini_gpt.modern import ModernConfig, ModernGPT
from snippets.mini_gpt.muon import BatchedMuon
from snippets.mini_gpt.optimization import NextTokenLoss, build_optimizers
from snippets.mini_gpt.presets import Recipe
from tools import browser

SECONDS = 60
BATCH, T = 16, 64
SIZES = {"context_length": T, "d_model": 64, "n_heads": 2, "n_layers": 2}
TRAIN = DOCS / "assets" / "playground" / "train"
BLANK = "<!doctype html><title>benchmark</title>"
RUN = """async (seconds) => {
  const folder = new URL("assets/playground/train/", location.origin);
  const { settings, USUAL } = await import(new URL("settings.js", folder));
  const plan = settings({ ...USUAL, seconds });
  const worker = new Worker(new URL("worker.js", folder), { type: "module" });
  const told = { validation: [] };
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) => {
      if (data.is === "trouble") reject(new Error(data.message));
      if (data.is === "ready") Object.assign(told, data, { begun: performance.now() });
      if (data.is === "validation") told.validation.push([data.seconds, data.loss]);
      if (data.is !== "end") return;
      const wall = (performance.now() - told.begun) / 1000;
      resolve({ ...told, wall, step: data.step, loss: data.loss, plan });
    };
    worker.postMessage({ do: "start", text: null, settings: plan });
  });
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """The folder `docs`, and at its root an empty page."""

    def do_GET(self) -> None:
        """Answer a request."""
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(BLANK.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The address of a server for `docs`."""
    handler = functools.partial(Quiet, directory=str(DOCS))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def processor_time() -> float:
    """Seconds that the browser has computed, all its processes together."""
    mine = psutil.Process().children(recursive=True)
    return sum(sum(p.cpu_times()[:2]) for p in mine if "chrom" in p.name())


def in_the_page(seconds: int) -> dict[str, Any]:
    """A run of the page's worker in Chromium."""
    with served() as address, sync_playwright() as playwright:
        chromium = browser.launch(playwright)
        page = chromium.new_page()
        page.goto(address)
        before = processor_time()
        found = page.evaluate(RUN, seconds)
        computed = processor_time() - before
        chromium.close()
    assert found["plan"]["sizes"] == SIZES and found["plan"]["batch"] == BATCH
    return {
        "where": "Chromium",
        "kernel": found["kind"],
        "parameters": found["parameters"],
        "steps": found["step"],
        "seconds": round(found["wall"], 1),
        "processor seconds": round(computed, 1),
        "validation loss": round(found["loss"], 4),
        "curve": [[round(s, 1), round(loss, 3)] for s, loss in found["validation"]],
    }


def in_pytorch(seconds: int) -> dict[str, Any]:
    """The same steps in PyTorch, for as much processor time."""
    text = (TRAIN / "shakespeare.txt").read_text("utf8")
    tokenizer = CharTokenizer(text)
    ids = torch.tensor(tokenizer.encode(text))
    model = ModernGPT(ModernConfig(vocab_size=len(tokenizer.characters), **SIZES))
    recipe = Recipe(1, BATCH, lr=3e-3, optimizer="muon", dtype="float32")
    loss_of, optimizers = NextTokenLoss(model), build_optimizers(model, recipe)
    for muon in (o for o in optimizers if isinstance(o, BatchedMuon)):
        muon.dtype = torch.float32
    generator = torch.Generator().manual_seed(0)
    steps, begun, computed = 0, time.perf_counter(), time.process_time()
    while time.process_time() - computed < seconds:
        inputs, targets = shift(random_windows(ids, BATCH, T, generator))
        loss_of(inputs, targets).backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        steps += 1
    return {
        "where": "PyTorch",
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": steps,
        "seconds": round(time.perf_counter() - begun, 1),
        "processor seconds": round(time.process_time() - computed, 1),
    }


def measure(seconds: int = SECONDS) -> list[dict[str, Any]]:
    """Both; prints a line for each, and what is what part of what."""
    runs = [in_the_page(seconds), in_pytorch(seconds // 3)]
    for run in runs:
        for kind in ("seconds", "processor seconds"):
            speed = run["steps"] * BATCH * T / run[kind]
            run[f"characters in {kind}"] = round(speed)
        shown = {name: value for name, value in run.items() if name != "curve"}
        print(", ".join(f"{name}: {value}" for name, value in shown.items()))
    name = "characters in processor seconds"
    print(f"of PyTorch's speed: {runs[0][name] / runs[1][name]:.2f} (processor time)")
    return runs


if __name__ == "__main__":
    main("browser_training", __doc__ or "", measure)
