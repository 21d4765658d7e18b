"""The real TensorBoard, started on a folder, and asked over HTTP as its page does."""

# --8<-- [start:imports]
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

# --8<-- [end:imports]


# --8<-- [start:server]
@contextmanager
def tensorboard(folder: str | Path, *options: str) -> Iterator[str]:
    """Run TensorBoard on a folder of runs; gives its address, and ends it at the end.

    It answers this machine only, on a port that is free. It reads everything before it
    answers, and only once: left out, it would look for new events every five seconds.
    Raises RuntimeError with its last words if it does not start.
    """
    once = ("--reload_task", "blocking", "--reload_interval", "0")
    place = ("--host", "127.0.0.1", "--port", "0", "--load_fast", "false")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    process = subprocess.Popen(
        [*command, *once, *place, *options], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None  # it is a pipe
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"TensorBoard \S+ at (http://\S+/)", line):
                break
        else:
            raise RuntimeError(f"TensorBoard did not start: {''.join(said[-3:])}")
        yield found[1]
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def ask(address: str, route: str, **query: str) -> Any:
    """What TensorBoard answers: `ask(address, "runs")`."""
    question = f"?{urlencode(query)}" if query else ""
    with urlopen(f"{address}data/{route}{question}", timeout=60) as answer:
        return json.load(answer)


# --8<-- [end:server]
