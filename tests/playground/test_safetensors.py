"""The browser's reader and writer of safetensors, beside PyTorch and the library."""

import json

import pytest
import safetensors.torch
import torch

from snippets.safetensors_file import to_safetensors
from tests.node import node

READ = """
import { readFileSync } from "node:fs";
import { readSafetensors } from "./docs/assets/playground/safetensors.js";
const { tensors, notes } = readSafetensors(readFileSync(process.argv[1]));
const all = [...tensors].map(([name, { shape, data }]) =>
  [name, shape, [...new Uint32Array(data.buffer)]]);
console.log(JSON.stringify({ all, notes }));
"""
WRITE = """
import { readFileSync, writeFileSync } from "node:fs";
import { readSafetensors, writeSafetensors }
  from "./docs/assets/playground/safetensors.js";
const { tensors, notes } = readSafetensors(readFileSync(process.argv[1]));
writeFileSync(process.argv[2], writeSafetensors(tensors, notes));
"""


def run(program: str, *arguments) -> str:
    done = node("--input-type=module", "--eval", program, "--", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_each_number_of_half_precision_is_read_as_pytorch_converts_it(tmp_path, dtype):
    halves = torch.arange(2**16).to(torch.uint16).view(dtype)
    finite = halves[~halves.isnan()]  # the payload of a NaN is nobody's business
    path = tmp_path / "a.safetensors"
    path.write_bytes(to_safetensors({"w": finite}))
    [[name, shape, bits]] = json.loads(run(READ, path))["all"]
    assert (name, shape) == ("w", [len(finite)])
    assert bits == finite.float().view(torch.uint32).tolist()


def test_not_a_number_stays_so(tmp_path):
    path = tmp_path / "a.safetensors"
    nan = torch.tensor([float("nan")])
    tensors = {"a": nan, "b": nan.half(), "c": nan.bfloat16(), "d": -nan.half()}
    path.write_bytes(to_safetensors(tensors))
    for _, _, bits in json.loads(run(READ, path))["all"]:
        assert torch.tensor(bits).to(torch.uint32).view(torch.float32).isnan().all()


def test_a_file_is_read_and_written_as_the_library_does(tmp_path):
    chance = torch.Generator().manual_seed(0)
    tensors = {
        "token.weight": torch.randn(5, 3, generator=chance),
        "blocks.10.up.bias": torch.randn(7, generator=chance),
        "blocks.9.up.bias": torch.randn(2, 1, 3, generator=chance),
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 4),
    }
    notes = {"format": "a file", "text": '\n é " 🙂'}
    path, written = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    path.write_bytes(safetensors.torch.save(tensors, notes))
    found = json.loads(run(READ, path))
    assert found["notes"] == notes
    for name, shape, bits in found["all"]:
        assert shape == list(tensors[name].shape)
        assert bits == tensors[name].flatten().view(torch.uint32).tolist()
    assert len(found["all"]) == len(tensors)
    run(WRITE, path, written)
    again = safetensors.torch.load_file(written)
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)
    with safetensors.safe_open(written, "pt") as file:
        assert file.metadata() == notes
    own = to_safetensors(tensors, json.loads(run(READ, path))["notes"])
    assert written.read_bytes() == own
