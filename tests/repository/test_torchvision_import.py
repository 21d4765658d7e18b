"""Whatever process of ours imports torchvision or transformers, the import works."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import nbclient
import nbformat

import daybook_torchvision
from literate.block import Block, Options
from literate.handing_out.notebook import KERNEL
from literate.running import process
from tests.helpers import SLOW
from tests.processes import Done, run_alone

IMPORTS = """
import torchvision
from transformers import BertForPreTraining, GPT2LMHeadModel
from torchvision.transforms import v2
print(v2.CenterCrop(2)(torchvision.tv_tensors.Image(torchvision.torch.ones(1, 4, 4))))
"""
WORKER = """
from torch.utils.data import DataLoader

class Data:
    def __len__(self): return 2
    def __getitem__(self, index):
        {imports}
        return index

if __name__ == "__main__":
    import torch.multiprocessing
    for start in torch.multiprocessing.get_all_start_methods():
        loader = DataLoader(Data(), num_workers=1, multiprocessing_context=start)
        print([batch.item() for batch in loader])
"""
# a stand-in for torchvision: its compiled part is there or not, then it asks as it does
FAKE = {
    "__init__.py": (
        "import torch\nfrom . import extension\nfrom . import _meta_registrations\n"
    ),
    "extension.py": "def _has_ops(): return {has_ops}\n{declares}",
    "_meta_registrations.py": (
        "import torch\n"
        "asked = [str(torch.ops.torchvision.nms.default), "
        "str(torch.ops.torchvision.qnms.default)]\n"
    ),
}
DECLARES = """
import torch
library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor a) -> Tensor")
library.define("qnms(Tensor a) -> Tensor")
"""


def code(source: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, encoding="utf8"
    )


def fake(folder: Path, has_ops: bool, declares: str) -> Done:
    """Import a stand-in for torchvision; print what it got, and whether from us."""
    package = folder / "torchvision"
    package.mkdir()
    for name, text in FAKE.items():
        text = text.replace("{has_ops}", str(has_ops)).replace("{declares}", declares)
        (package / name).write_text(text)
    path = folder / "program.py"
    path.write_text(
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "import torchvision, daybook_torchvision\n"
        f"assert torchvision.__file__.startswith({str(folder)!r})\n"
        "print(*torchvision._meta_registrations.asked)\n"
        "print(daybook_torchvision.Finder.library is not None)\n"
    )
    return run_alone(path, "__main__")


def test_torch_is_told_to_call_it():
    names = [entry.value for entry in entry_points(group="torch.backends")]
    assert "daybook_torchvision:install" in names, (
        "run: python -m pip install --no-deps -e ."
    )


def test_in_this_process():
    exec(IMPORTS, {})


def test_in_the_process_of_a_page_and_in_one_that_it_starts():
    child = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {IMPORTS!r}]);"
    )
    sources = [IMPORTS, child]
    blocks = [
        Block(i, 1, "top", text, (1,), Options()) for i, text in enumerate(sources)
    ]
    result = process.run_page("page.md", blocks, limit=SLOW)
    assert result.failed is None, result.failed.message
    for output in result.outputs:
        assert output.text.startswith("Image(")


def test_in_the_kernel_of_a_lab():
    book = nbformat.v4.new_notebook(metadata=KERNEL)
    book.cells = [nbformat.v4.new_code_cell(IMPORTS)]
    client = nbclient.NotebookClient(book, kernel_name="python3", startup_timeout=SLOW)
    client.execute()
    printed = [output.text for output in book.cells[0].outputs if "text" in output]
    assert any(text.startswith("Image(") for text in printed), printed


def test_in_a_worker_of_a_data_loader_however_it_is_started(tmp_path):
    imports = IMPORTS.strip().replace("\n", "; ").replace("print", "str")
    path = tmp_path / "script.py"
    path.write_text(WORKER.replace("{imports}", imports))
    done = run_alone(path, "__main__")
    starts = 1 if os.name == "nt" else 3
    assert done.stdout == "[0, 1]\n" * starts, done.stderr


def test_where_nothing_else_of_the_project_can_be_imported(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(IMPORTS)
    done = run_alone(path, "__main__")
    assert done.stdout.startswith("Image("), done.stderr


def test_a_torchvision_without_its_compiled_part_gets_the_operators(tmp_path):
    done = fake(tmp_path, has_ops=False, declares="")
    assert done.stdout == "torchvision.nms.default torchvision.qnms.default\nTrue\n"


def test_a_torchvision_that_is_sound_is_left_alone(tmp_path):
    done = fake(tmp_path, has_ops=True, declares=DECLARES)
    assert done.stdout == "torchvision.nms.default torchvision.qnms.default\nFalse\n"


def test_torch_alone_imports_neither_torchvision_nor_the_book():
    done = code(
        "import torch, sys\n"
        "print([name in sys.modules for name in ('daybook_torchvision', 'torchvision',"
        " 'literate', 'snippets', 'torch.ao')])"
    )
    assert done.stdout.startswith("[True, False, False, False"), done.stderr


def test_without_it_the_import_fails_where_it_is_needed():
    import torchvision

    needed = daybook_torchvision.Finder.library is not None
    assert needed is not torchvision.extension._has_ops()
    done = subprocess.run(
        [sys.executable, "-c", "import torchvision"],
        env={**os.environ, "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"},
        capture_output=True,
        text=True,
    )
    assert ("operator torchvision::nms does not exist" in done.stderr) is needed
