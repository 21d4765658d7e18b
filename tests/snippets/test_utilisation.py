"""`benchmarks/utilisation.py`: what is counted, and that it runs."""

import json

import pytest
import torch

from benchmarks import record
from benchmarks.utilisation import measure, operations_a_token, peak_of
from snippets.mini_gpt.model import GPT2, GPT2Config


def test_operations_are_six_for_each_number_in_a_matrix_and_those_of_attention():
    config = GPT2Config(context_length=128, d_model=64, n_layers=3, n_heads=2)
    with torch.device("meta"):
        model = GPT2(config)
    N = 3 * 12 * 64 * 64 + config.padded_vocab_size * 64
    attention = 12 * 3 * 64 * 128  # two products, four operations, three passes
    assert operations_a_token(model, 128) == 6 * N + attention


def test_what_a_run_does_is_counted():
    found = measure(
        "nano", 2, torch.device("cpu"), vocab_size=100, product_size=1024, batch_size=4
    )
    rate = found["tokens_a_second"] * found["operations_a_token"]
    assert rate > 0 and found["product_rate"] > 0
    assert found["seconds_a_step"] * found["tokens_a_second"] == pytest.approx(256, 0.1)


def test_peaks_are_found_by_name():
    assert peak_of("NVIDIA H100 PCIe") == 756e12
    assert peak_of("NVIDIA H100 80GB HBM3") == 989e12
    assert peak_of("another") is None


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="--steps 0: it must be at least 1"):
        measure("nano", 0, torch.device("cpu"))


def test_a_record_leaves_the_others_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "DATA", tmp_path)
    record.keep("some", {"a": 1}, "race")
    record.keep("some", {"b": 2}, "sprint")
    record.keep("some", {"a": 3}, "race")
    kept = json.loads((tmp_path / "some.json").read_text("utf8"))
    assert kept == {"race": {"a": 3}, "sprint": {"b": 2}}
    record.keep("some", {"a": 4})
    assert json.loads((tmp_path / "some.json").read_text("utf8")) == {"a": 4}
