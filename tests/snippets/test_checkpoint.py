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
from torch.optim import lr_scheduler

from snippets import optimizers, schedules
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
    """Loading into a new run fails with this message, and the run stays as it was."""
    stays(path, new_run(**{"seed": 3, **other}), message)


def stays(path: Path, run: ResumableRun, message: str) -> None:
    """Loading fails with this message, and the run stays as it was."""
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


@pytest.mark.parametrize(
    "name", ["model", "optimizer", "scheduler", "batches", "step", "random", "settings"]
)
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
    refused(saved, "run: model.0.scale is in the file only; model.0.weight is missing$")


def test_another_shape_is_told(saved):
    message = r"model\.layers\.0 was Linear\(.*out_features=6.* and is Linear\(.*=9"
    refused(saved, message, width=9)


def test_another_dtype_is_told(saved):
    content = read_checkpoint(saved)
    content["model"]["0.weight"] = content["model"]["0.weight"].half()
    torch.save(content, saved)
    refused(saved, r"model\.0\.weight was \(6, 4\) torch\.float16 and is \(6, 4\)")


def test_another_optimizer_is_told(saved):
    refused(saved, r"run: optimizer was AdamW and is Adam$", optimizer="amsgrad")


@pytest.mark.parametrize("sizes", [(SIZE + 1, BATCH), (SIZE, BATCH + 1)])
def test_another_order_is_told(saved, sizes):
    run = new_run()
    run.batches = BatchOrder(*sizes)
    stays(saved, run, r"batches\.(batch_)?size was \d+ and is \d+$")
    with pytest.raises(ValueError, match="size and batch_size were"):
        run.batches.load_state_dict(BatchOrder(SIZE, BATCH).state_dict())


AN_OPTIMIZER = {
    "AdamW": lambda m: torch.optim.AdamW(m.parameters(), 0.01),
    "another decay": lambda m: torch.optim.AdamW(m.parameters(), 0.01, weight_decay=0),
    "another rate": lambda m: torch.optim.AdamW(m.parameters(), 0.02),
    "with names": lambda m: torch.optim.AdamW(m.named_parameters(), 0.01),
    "SGD": lambda m: torch.optim.SGD(m.parameters(), 0.01),
    "momentum": lambda m: torch.optim.SGD(m.parameters(), 0.01, momentum=0.9),
    "backwards": lambda m: torch.optim.AdamW([*m.parameters()][::-1], 0.01),
    "fewer": lambda m: torch.optim.AdamW([*m.parameters()][:2], 0.01),
    "two groups": OPTIMIZERS["groups"],
    "ours": lambda m: optimizers.AdamW(m.parameters(), 0.01),
    "ours, Adam": lambda m: optimizers.Adam(m.parameters(), 0.01),
}
A_SCHEDULER = {
    "steps of 3": lambda o: lr_scheduler.StepLR(o, 3),
    "steps of 4": lambda o: lr_scheduler.StepLR(o, 4),
    "cosine of 100": lambda o: lr_scheduler.CosineAnnealingLR(o, 100),
    "cosine of 200": lambda o: lr_scheduler.CosineAnnealingLR(o, 200),
    "one cycle": SCHEDULERS["one cycle"],
    "warm-up": SCHEDULERS["warm-up"],
    "longer warm-up": lambda o: lr_scheduler.SequentialLR(
        o,
        [lr_scheduler.LinearLR(o, 0.1, total_iters=5), lr_scheduler.StepLR(o, 20)],
        [5],
    ),
    "plateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=2),
    "ours": lambda o: schedules.Scheduler(o, schedules.cosine_decay(100)),
    "ours, longer": lambda o: schedules.Scheduler(o, schedules.cosine_decay(200)),
    "ours, one cycle": lambda o: schedules.Scheduler(o, schedules.one_cycle(100)),
    "a function": lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.9**step),
    "another function": lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.8**step),
    "our plateau": lambda o: schedules.Plateau(o, patience=2),
    "our patient plateau": lambda o: schedules.Plateau(o, patience=3),
}


def run_of(optimizer: str, scheduler: str = "steps of 3") -> ResumableRun:
    """A run that has made five steps."""
    model = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.3), nn.Linear(6, 3))
    chosen = AN_OPTIMIZER[optimizer](model)
    rates = A_SCHEDULER[scheduler](chosen)
    return ResumableRun(model, chosen, rates, BatchOrder(SIZE, BATCH))


def five_steps(run: ResumableRun) -> ResumableRun:
    for _ in range(5):
        run.optimizer.zero_grad()
        run.model(torch.randn(8, 4)).square().sum().backward()
        run.optimizer.step()
        run.scheduler.step(*([1.0] if "lateau" in type(run.scheduler).__name__ else []))
    return run


@pytest.mark.parametrize("other", AN_OPTIMIZER)
@pytest.mark.parametrize("one", AN_OPTIMIZER)
def test_optimizers_go_only_into_their_like(tmp_path, one, other):
    save_checkpoint(tmp_path / "run.pt", five_steps(run_of(one)))
    run = run_of(other)
    if one == other:
        load_checkpoint(tmp_path / "run.pt", run)
        five_steps(run)
    else:
        stays(tmp_path / "run.pt", run, r"run\.pt is of another run: .*optimizer")


@pytest.mark.parametrize("other", A_SCHEDULER)
@pytest.mark.parametrize("one", A_SCHEDULER)
def test_schedulers_go_only_into_their_like(tmp_path, one, other):
    save_checkpoint(tmp_path / "run.pt", five_steps(run_of("AdamW", one)))
    run = run_of("AdamW", other)
    if one == other:
        load_checkpoint(tmp_path / "run.pt", run)
        five_steps(run)
    else:
        stays(tmp_path / "run.pt", run, r"run\.pt is of another run: .*(scheduler|lr)")


def test_the_difference_is_named(tmp_path):
    save_checkpoint(tmp_path / "run.pt", five_steps(run_of("AdamW", "cosine of 200")))
    for optimizer, scheduler, message in (
        ("momentum", "cosine of 200", "another run: optimizer was AdamW and is SGD$"),
        ("AdamW", "cosine of 100", r"run: scheduler\.T_max was 200 and is 100$"),
        ("another decay", "cosine of 200", r"0\.weight_decay was 0\.01 and is 0$"),
        ("AdamW", "steps of 3", "scheduler was CosineAnnealingLR and is StepLR$"),
        ("backwards", "cosine of 200", r"shapes\.0\.0 was \(6, 4\) and is \(3,\); "),
        ("fewer", "cosine of 200", r"params had length 4 and has 2"),
    ):
        stays(tmp_path / "run.pt", run_of(optimizer, scheduler), message)


def test_a_part_that_was_replaced_is_compared(tmp_path):
    save_checkpoint(tmp_path / "run.pt", five_steps(run_of("AdamW")))
    run = run_of("AdamW")
    run.optimizer = torch.optim.SGD(run.model.parameters(), 0.01, momentum=0.9)
    stays(tmp_path / "run.pt", run, "optimizer was AdamW and is SGD$")
    run = run_of("AdamW")
    run.model[2] = nn.Linear(6, 3, bias=False)
    stays(tmp_path / "run.pt", run, r"model\.2\.bias is in the file only$")


def test_another_model_with_the_same_tensors_is_told(saved):
    run = new_run()
    run.model[2].p = 0.5
    run.model = run.model
    stays(saved, run, r"model\.layers\.2 was Dropout\(p=0\.3.* and is Dropout\(p=0\.5")


MISSING = [
    ("random", "numpy"),
    ("random", "python"),
    ("random", "torch"),
    ("optimizer", "state"),
    ("optimizer", "param_groups"),
    ("scheduler", "last_epoch"),
    ("batches", "size"),
    ("batches", "place"),
    ("settings", "model"),
]


@pytest.mark.parametrize(("part", "name"), MISSING)
def test_a_missing_piece_of_a_part_is_told(saved, part, name):
    content = read_checkpoint(saved)
    del content[part][name]
    torch.save(content, saved)
    where = name if part == "settings" else rf"{part}\.{name}"
    refused(saved, rf"another run: {where} is missing$")


@pytest.mark.parametrize("part", ["model", "optimizer", "random", "settings", "step"])
def test_a_part_of_another_kind_is_told(saved, part):
    content = read_checkpoint(saved)
    content[part] = [1, 2]
    torch.save(content, saved)
    refused(saved, r"another run: .* was \[.*\] and is ")


def test_many_differences_are_cut_short(saved):
    content = read_checkpoint(saved)
    content["model"] = {}
    torch.save(content, saved)
    refused(saved, r"model\.0\.bias is missing; .*; and 1 more$")


def test_a_folder_is_no_damaged_file(tmp_path):
    with pytest.raises(OSError) as caught:
        load_checkpoint(tmp_path, new_run())
    assert caught.type in (IsADirectoryError, PermissionError)


def test_a_file_of_the_old_format_is_told(saved):
    torch.save({"a": 1}, saved, _use_new_zipfile_serialization=False)
    refused(saved, r"run\.pt is of before PyTorch 1\.6$")


def test_too_little_memory_is_no_damage(saved, monkeypatch):
    def load(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(MemoryError):
        read_checkpoint(saved)


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
