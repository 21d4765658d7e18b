"""`snippets/checkpoint.py`: a resumed run is the run, bitwise; bad files are told."""

import contextlib
import copy
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from snippets.checkpoint import (
    BatchOrder,
    CheckpointError,
    ResumableRun,
    load_checkpoint,
    random_states,
    read_checkpoint,
    restore_random_states,
    save_checkpoint,
    write_atomically,
)

SIZE, BATCH = 50, 8
SCHEDULERS = {
    "lambda": lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda s: 0.9**s),
    "one cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=40),
    "steps": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 3, 9]),
    "warm-up": lambda o: torch.optim.lr_scheduler.SequentialLR(
        o,
        [
            torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=5),
            torch.optim.lr_scheduler.CosineAnnealingLR(o, 20),
        ],
        [5],
    ),
}
OPTIMIZERS = {
    "AdamW": lambda m: torch.optim.AdamW(m.named_parameters(), 0.01),
    "amsgrad": lambda m: torch.optim.Adam(m.parameters(), 0.01, amsgrad=True),
    "momentum": lambda m: torch.optim.SGD(m.parameters(), 0.01, momentum=0.9),
    "groups": lambda m: torch.optim.AdamW(
        [
            {"params": [p for p in m.parameters() if p.dim() > 1], "weight_decay": 0.1},
            {"params": [p for p in m.parameters() if p.dim() < 2]},
        ],
        0.01,
    ),
}


def new_run(
    seed: int = 0, width: int = 6, optimizer: str = "AdamW", scheduler: str = "lambda"
) -> ResumableRun:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(0.3), nn.Linear(width, 3)
    )
    chosen = OPTIMIZERS[optimizer](model)
    return ResumableRun(
        model, chosen, SCHEDULERS[scheduler](chosen), BatchOrder(SIZE, BATCH, seed)
    )


def train(run: ResumableRun, steps: int) -> list[float]:
    """Steps that draw from every generator; returns the losses."""
    data = torch.Generator().manual_seed(9)
    x, labels = torch.randn(SIZE, 4, generator=data), torch.arange(SIZE) % 3
    losses = []
    for _ in range(steps):
        batch = next(run.batches)
        noise = torch.from_numpy(np.random.normal(size=(len(batch), 4))).float()
        loss = F.cross_entropy(run.model(x[batch] + noise), labels[batch])
        run.optimizer.zero_grad()
        (loss * random.uniform(0.5, 1.5)).backward()
        run.optimizer.step()
        run.scheduler.step()
        run.step += 1
        losses.append(loss.item())
    return losses


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def same(one: object, other: object) -> bool:
    """Equal bit by bit, in every nested part."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def everything(run: ResumableRun) -> dict:
    names = ("model", "optimizer", "scheduler", "batches")
    states = {name: copy.deepcopy(getattr(run, name).state_dict()) for name in names}
    return states | {"step": run.step, "random": random_states()}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("stop", [0, 4, 7, 11])  # 7: an epoch has seven batches
def test_a_resumed_run_is_the_uninterrupted_run(tmp_path, stop, optimizer, scheduler):
    seed_all(1)
    whole = new_run(optimizer=optimizer, scheduler=scheduler)
    seed_all(2)
    expected = train(whole, 20)
    final = everything(whole)

    first = new_run(optimizer=optimizer, scheduler=scheduler)
    seed_all(2)
    losses = train(first, stop)
    save_checkpoint(tmp_path / "run.pt", first)
    seed_all(99)
    resumed = new_run(seed=5, optimizer=optimizer, scheduler=scheduler)
    random.random(), np.random.rand(), torch.rand(3)
    load_checkpoint(tmp_path / "run.pt", resumed)
    losses += train(resumed, 20 - stop)
    assert losses == expected
    assert same(everything(resumed), final)


@pytest.mark.parametrize(
    "left_out",
    ["model", "optimizer", "scheduler", "batches", "python", "numpy", "torch"],
)
def test_each_part_is_needed(tmp_path, left_out):
    seed_all(2)
    whole = new_run()
    expected = train(whole, 20)[10:]
    seed_all(2)
    run = new_run()
    train(run, 10)
    save_checkpoint(tmp_path / "run.pt", run)
    content = read_checkpoint(tmp_path / "run.pt")
    fresh = new_run(seed=5)
    if left_out in content["random"]:
        seed_all(3)
        content["random"][left_out] = random_states()[left_out]
    else:
        content[left_out] = getattr(fresh, left_out).state_dict()
    torch.save(content, tmp_path / "less.pt")
    load_checkpoint(tmp_path / "less.pt", fresh)
    assert train(fresh, 10) != expected


def test_saving_does_not_disturb_the_run(tmp_path):
    seed_all(2)
    expected = train(new_run(), 12)
    seed_all(2)
    run, losses = new_run(), []
    for _ in range(4):
        losses += train(run, 3)
        save_checkpoint(tmp_path / "run.pt", run)
    assert losses == expected
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


@pytest.fixture
def saved(tmp_path) -> Path:
    seed_all(0)
    run = new_run()
    train(run, 3)
    save_checkpoint(tmp_path / "run.pt", run)
    return tmp_path / "run.pt"


def refused(path: Path, message: str, **other: object) -> None:
    """Loading fails with this message, and the run stays as it was."""
    run = new_run(**{"seed": 3, **other})
    before = everything(run)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, run)
    assert same(everything(run), before)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_cut_short_is_told(saved, share):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    refused(saved, r"run\.pt is damaged, or not a checkpoint")


def test_a_changed_bit_is_told_which_torch_load_does_not_see(saved):
    content = read_checkpoint(saved)
    weights = content["model"]["0.weight"].numpy().tobytes()
    raw = bytearray(saved.read_bytes())
    raw[raw.find(weights) + 3] ^= 1
    saved.write_bytes(raw)
    changed = torch.load(saved)["model"]["0.weight"]
    assert not torch.equal(changed, content["model"]["0.weight"])
    refused(saved, r"damaged: the checksum of archive/data/\d+")


def test_every_changed_byte_is_told(saved):
    whole = saved.read_bytes()
    expected = read_checkpoint(saved)
    draw = random.Random(0)
    for _ in range(60):
        raw = bytearray(whole)
        raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        saved.write_bytes(raw)
        with contextlib.suppress(CheckpointError):
            assert same(read_checkpoint(saved), expected)  # it was in the padding


def test_other_files_are_told(tmp_path):
    path = tmp_path / "run.pt"
    path.write_text("hello world")
    refused(path, "damaged, or not a checkpoint")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    refused(path, "damaged, or not a checkpoint")
    torch.save(torch.ones(2), path)
    refused(path, "holds a Tensor, not a dict")
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.pt", new_run())


@pytest.mark.parametrize("name", ["model", "optimizer", "scheduler", "step", "random"])
def test_a_missing_part_is_told(saved, name):
    content = read_checkpoint(saved)
    del content[name]
    torch.save(content, saved)
    refused(saved, f"has no {name}; it has ")


def test_an_empty_checkpoint_is_told(saved):
    torch.save({}, saved)
    refused(saved, "has no model, .* it has nothing")


def test_a_missing_key_and_one_too_many_are_told(saved):
    content = read_checkpoint(saved)
    content["model"]["0.scale"] = content["model"].pop("0.weight")
    torch.save(content, saved)
    refused(saved, "another run: 0.scale is not in the model; 0.weight is missing$")


def test_another_shape_is_told(saved):
    refused(saved, r"0\.weight was \(6, 4\) torch\.float32 and is \(9, 4\)", width=9)


def test_another_dtype_is_told(saved):
    content = read_checkpoint(saved)
    content["model"]["0.weight"] = content["model"]["0.weight"].half()
    torch.save(content, saved)
    refused(saved, r"0\.weight was \(6, 4\) torch\.float16 and is \(6, 4\)")


def test_another_optimizer_is_told(saved):
    refused(
        saved, r"the optimizer had \[\['0\.weight', .* has \[6\]", optimizer="amsgrad"
    )


@pytest.mark.parametrize("sizes", [(SIZE + 1, BATCH), (SIZE, BATCH + 1)])
def test_another_order_is_told(saved, sizes):
    run = new_run()
    run.batches = BatchOrder(*sizes)
    with pytest.raises(CheckpointError, match=r"size was \d+ and is \d+"):
        load_checkpoint(saved, run)
    with pytest.raises(ValueError, match="size was"):
        run.batches.load_state_dict(BatchOrder(SIZE, BATCH).state_dict())


@dataclass
class Settings:
    width: int = 6


def test_other_objects_are_told_and_not_built(saved):
    torch.save({"settings": Settings()}, saved)
    refused(
        saved,
        r"asks for tests\.snippets\.test_checkpoint\.Settings: not tensors and plain",
    )


@dataclass
class Trap:
    """Asks whoever unpickles it to make a file."""

    path: str

    def __reduce__(self):
        return exec, (f"open({self.path!r}, 'w').close()",)


def test_code_in_a_file_does_not_run(saved, tmp_path):
    sprung = tmp_path / "sprung"
    torch.save({"trap": Trap(str(sprung))}, saved)
    refused(saved, "asks for .*exec: not tensors and plain values only")
    assert not sprung.exists()
    torch.load(saved, weights_only=False)
    assert sprung.exists()


class Unsavable:
    def __reduce__(self):
        raise KeyboardInterrupt


def test_a_save_that_stops_midway_leaves_the_old_file(saved):
    before = saved.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_atomically(saved, {"large": torch.ones(1000), "bad": Unsavable()})
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["run.pt"]


def test_a_path_may_be_a_string_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomically("run.pt", {"a": 1})
    assert read_checkpoint("run.pt") == {"a": 1}


def test_random_states_go_back():
    seed_all(4)
    np.random.normal()  # NumPy keeps the second of a pair
    random.gauss(0, 1)  # Python too

    def draw() -> list:
        numbers = [random.gauss(0, 1), random.random(), np.random.normal()]
        return [*numbers, np.random.rand(), torch.rand(3).tolist()]

    states = random_states()
    first = draw()
    restore_random_states(states)
    assert draw() == first


def test_other_accelerators_are_told(monkeypatch):
    states = random_states() | {"cuda": [torch.get_rng_state()] * 2}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="2 states of cuda, and here are 0"):
        restore_random_states(states)


def test_states_of_all_gpus_are_kept_and_go_back(monkeypatch):
    back, state = [], torch.get_rng_state()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [state, state])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", back.append)
    states = random_states()
    restore_random_states(states)
    assert same(back, [[state, state]])


def test_an_epoch_has_every_index_once_in_an_order_of_its_own():
    batches = BatchOrder(10, 4, seed=1)
    epochs = [[next(batches) for _ in range(3)] for _ in range(3)]
    orders = [torch.cat(epoch).tolist() for epoch in epochs]
    assert all([len(b) for b in epoch] == [4, 4, 2] for epoch in epochs)
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert torch.cat([next(BatchOrder(10, 10, 1))]).tolist() == orders[0]
    assert next(BatchOrder(10, 10, 2)).tolist() != orders[0]


@pytest.mark.parametrize("sizes", [(0, 4), (4, 0), (-1, 1)])
def test_an_order_without_anything_is_refused(sizes):
    with pytest.raises(ValueError, match="at least 1"):
        BatchOrder(*sizes)
