"""The shipped vocabularies: where tiktoken finds them, as tiktoken expects them."""

import hashlib
import os
import subprocess
import sys

import pytest
import tiktoken

from literate.project import ROOT
from literate.running import vocabularies

NO_NETWORK = "import socket; socket.socket.connect = None\n"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """No folder of tiktoken's is named, and ours is empty."""
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setattr(vocabularies, "FOLDER", tmp_path / "tiktoken")
    return tmp_path / "tiktoken"


@pytest.mark.parametrize("name", ["gpt2", "r50k_base", "cl100k_base", "o200k_base"])
def test_tiktoken_finds_them_without_a_network(empty, name):
    vocabularies.install()
    code = (
        f"{NO_NETWORK}import tiktoken; print(tiktoken.get_encoding({name!r}).n_vocab)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf8"
    )
    assert int(done.stdout) == tiktoken.get_encoding(name).n_vocab


def test_gpt2_files_are_those_that_openai_published(empty):
    vocabularies.install()
    found = {hashlib.sha256(p.read_bytes()).hexdigest() for p in empty.iterdir()}
    assert found >= {  # the hashes in tiktoken_ext/openai_public.py
        "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
        "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    }


def test_a_folder_of_the_user_is_left_alone(empty, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "elsewhere")
    vocabularies.install()
    assert os.environ["TIKTOKEN_CACHE_DIR"] == "elsewhere"
    assert not empty.exists()


def test_a_missing_file_is_put_back(empty, monkeypatch):
    vocabularies.install()
    lost = next(empty.iterdir())
    content = lost.read_bytes()
    lost.unlink()
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    vocabularies.install()
    assert lost.read_bytes() == content


def test_the_licence_lies_beside_them():
    text = (ROOT / "literate/vendor/tiktoken/LICENSE").read_text("utf8")
    assert "MIT License" in text
