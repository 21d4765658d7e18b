"""The training program: its steps, its checkpoints, and all that can go wrong."""

import copy
import functools
import math
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    SequentialLR,
)

from snippets.checkpoint import (
    CheckpointError,
    random_states,
    read_checkpoint,
    write_atomically,
)
from snippets.mini_gpt import checkpoints, loop
from snippets.mini_gpt import run as runs
from snippets.mini_gpt.checkpoints import load_run, read_run, save_run
from snippets.mini_gpt.data import load_corpus
from snippets.mini_gpt.optimization import can_compile, choose_dtype
from snippets.mini_gpt.parallel import Processes
from snippets.mini_gpt.plan import make_plan
from snippets.mini_gpt.presets import PRESETS, Recipe, learning_rate_factor
from snippets.mini_gpt.run import (
    DivergedError,
    Run,
    collect_losses,
    evaluate,
    train_step,
)
from snippets.mini_gpt.train import main, parser

TINY = {
    "context_length": 8,
    "d_model": 16,
    "n_layers": 1,
    "n_heads": 2,
    "steps": 30,
    "batch_size": 8,
    "warmup": 5,
    "evaluate_every": 10,
    "dtype": "float32",
    "seed": 3,
}
ALONE = Processes(0, 1, torch.device("cpu"))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are faster on one thread, on a busy machine by far."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def text(tmp_path) -> Path:
    draw = torch.Generator().manual_seed(0)
    words = ["sea", "gull", "crab", "rope", "mast", "fog", "tide", "net", "oar"]
    chosen = torch.randint(len(words), (300,), generator=draw).tolist()
    path = tmp_path / "text.txt"
    path.write_text(" ".join(words[n] for n in chosen), "utf8")
    return path


def words(text: Path, out: Path, *more: str, **changes: object) -> list[str]:
    """The command line of a tiny run."""
    options = [
        word
        for name, value in {**TINY, **changes}.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    base = ["--data", str(text), "--out", str(out), "--device", "cpu", "--no-compile"]
    return [*base, *options, *more]


def new_run(text: Path, out: Path, **changes: object) -> Run:
    """A tiny run, not through the command line."""
    plan = make_plan({**TINY, "data": str(text), "compile": False, **changes})
    corpus = load_corpus(plan.data, plan.tokenizer, out, plan.vocab_size)
    return Run(plan, corpus, ALONE, out)


def train(run: Run, steps: int) -> list[float]:
    """Some steps; their losses."""
    for _ in range(steps):
        train_step(run)
    return collect_losses(run)


def same(one: object, other: object) -> bool:
    """Equal bit for bit, apart from the clock."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        keys = one.keys() - {"seconds"}
        return keys == other.keys() - {"seconds"} and all(
            same(one[key], other[key]) for key in keys
        )
    if isinstance(one, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same(*pair) for pair in pairs)
    return one == other


def refused(capsys, arguments: list[str], *messages: str) -> None:
    """The program ends with code 2 and says why, in one line without a traceback."""
    assert main(arguments) == 2
    told = capsys.readouterr().err.strip().split("\n")[-1]
    assert told.startswith("error: ")
    for message in messages:
        assert message in told


# --- steps


def test_the_groups_of_adamw(text, tmp_path):
    run = new_run(text, tmp_path / "run", preset="gpt2-124m", accumulate=1)
    (adamw,) = run.optimizers
    names = {id(p): name for name, p in run.model.named_parameters()}
    decayed, free = (
        {names[id(p)] for p in group["params"]} for group in adamw.param_groups
    )
    assert all(run.model.get_parameter(name).dim() >= 2 for name in decayed)
    assert all(name.endswith("bias") or "norm" in name for name in free)
    assert decayed | free == set(names.values())
    assert [g["weight_decay"] for g in adamw.param_groups] == [0.1, 0.0]
    assert {g["betas"] for g in adamw.param_groups} == {(0.9, 0.95)}


def test_muon_has_the_matrices_of_the_blocks(text, tmp_path):
    run = new_run(text, tmp_path / "run", preset="laptop-minute", matrix_lr=0.01)
    _, muon = run.optimizers
    inside = {id(p) for p in run.model.blocks.parameters() if p.dim() == 2}
    mixed = {id(block.attention.mix.weight) for block in run.model.blocks}
    (group,) = muon.param_groups
    assert {id(p) for p in group["params"]} == inside - mixed
    assert group["lr"] == 0.01
    both = [p for o in run.optimizers for g in o.param_groups for p in g["params"]]
    assert sorted(map(id, both)) == sorted(map(id, run.model.parameters()))


def rates(scheduler, optimizer, steps: int) -> list[float]:
    """The learning rate of each step."""
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(("steps", "warmup", "end"), [(50, 10, 0.1), (20, 0, 0.0)])
def test_the_cosine_is_that_of_pytorch(steps, warmup, end):
    recipe = Recipe(steps, 1, 1.0, warmup=warmup, min_lr_ratio=end)
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    fall = CosineAnnealingLR(optimizer, steps - warmup, eta_min=end)
    if warmup:
        rise = LinearLR(optimizer, 1 / (warmup + 1), 1, total_iters=warmup)
        fall = SequentialLR(optimizer, [rise, fall], [warmup])
    theirs = rates(fall, optimizer, steps)
    ours = [learning_rate_factor(step, recipe) for step in range(steps)]
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_the_linear_schedule_is_that_of_pytorch():
    recipe = Recipe(40, 1, 1.0, schedule="linear", cooldown=0.25)
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    parts = [ConstantLR(optimizer, 1, 1), LinearLR(optimizer, 1, 0, total_iters=10)]
    theirs = rates(SequentialLR(optimizer, parts, [30]), optimizer, 40)
    ours = [learning_rate_factor(step, recipe) for step in range(40)]
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_the_schedule_in_closed_form():
    recipe = Recipe(110, 1, 1.0, warmup=10, min_lr_ratio=0.1)
    factors = [learning_rate_factor(step, recipe) for step in (0, 9, 10, 60, 110)]
    assert factors == pytest.approx([1 / 11, 10 / 11, 1, 0.55, 0.1])


@pytest.mark.parametrize("preset", ["nano", "laptop-minute"])
def test_every_step_has_its_learning_rate(text, tmp_path, preset):
    run = new_run(text, tmp_path / "run", preset=preset)
    for step in range(12):
        train_step(run)
        factor = learning_rate_factor(step, run.recipe)
        full = [run.recipe.lr] * 2 + [run.recipe.matrix_lr]
        groups = [g for o in run.optimizers for g in o.param_groups]
        muon = [g for g in groups if "momentum" in g]
        assert all(
            g["lr"] == (full[2] if g in muon else full[0]) * factor for g in groups
        )


@pytest.mark.parametrize("preset", ["nano", "laptop-minute"])
@pytest.mark.parametrize("pieces", [2, 4])
def test_accumulation_equals_the_large_batch(text, tmp_path, preset, pieces):
    one = new_run(text, tmp_path / "run", preset=preset)
    other = new_run(text, tmp_path / "run", preset=preset, accumulate=pieces)
    bound = 1e-5 if preset == "nano" else 2e-2  # Muon's products are in bfloat16
    assert train(other, 20) == pytest.approx(train(one, 20), abs=bound)


def test_the_gradient_of_pieces_is_that_of_the_whole(text, tmp_path, monkeypatch):
    kept = []

    def keep(parameters, most: float) -> None:
        kept.append(torch.cat([p.grad.flatten().clone() for p in parameters]))

    monkeypatch.setattr(runs.nn.utils, "clip_grad_norm_", keep)
    for pieces in (1, 2, 8):
        train_step(new_run(text, tmp_path / "run", accumulate=pieces))
    for other in kept[1:]:
        torch.testing.assert_close(other, kept[0], atol=1e-7, rtol=1e-5)


def test_gradients_are_clipped(text, tmp_path, monkeypatch):
    norms = []
    step = torch.optim.AdamW.step

    def note(self, *arguments):
        parts = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(torch.nn.utils.get_total_norm(parts).item())
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", note)
    train(new_run(text, tmp_path / "run", clip=0.01), 3)
    train(new_run(text, tmp_path / "run", clip=0.0), 3)
    assert norms[:3] == pytest.approx([0.01] * 3, rel=1e-3)
    assert min(norms[3:]) > 0.1


@pytest.mark.parametrize("preset", ["nano", "laptop-minute"])
def test_the_loss_starts_at_guessing(text, tmp_path, preset):
    run = new_run(text, tmp_path / "run", preset=preset)
    assert evaluate(run) == pytest.approx(
        math.log(run.model.config.vocab_size), abs=0.1
    )


@pytest.mark.parametrize("preset", ["nano", "laptop-minute"])
def test_one_batch_is_learned_by_heart(text, tmp_path, preset):
    run = new_run(
        text, tmp_path / "run", preset=preset, lr=0.02, steps=150, batch_size=2
    )
    batch = run.batches.next()
    run.batches.next = lambda: batch
    assert train(run, 150)[-1] < 0.1


@pytest.mark.parametrize("context", [7, 8])
@pytest.mark.parametrize("batch_size", [3, 8])
def test_the_evaluation_counts_each_target_once(text, tmp_path, context, batch_size):
    run = new_run(
        text,
        tmp_path / "run",
        context_length=context,
        batch_size=batch_size,
        dropout=0.5,
    )
    train(run, 5)
    ids = torch.from_numpy(run.corpus.validation.ids.astype("int64"))
    run.model.eval()
    losses = []
    with torch.no_grad():
        for place in range(1, len(ids)):  # one target after the other
            begin = (place - 1) // context * context
            logits = run.model(ids[None, begin:place])[0, -1]
            losses.append(-logits.log_softmax(0)[ids[place]].item())
    run.model.train()
    assert evaluate(run) == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert run.model.training


# --- checkpoints

KINDS = {
    "plain": {},
    "dropout": {"dropout": 0.3},
    "modern": {"preset": "laptop-minute", "dropout": 0.2},
    "accumulated": {"accumulate": 2, "dropout": 0.1},
}


def interrupted(monkeypatch, step: int, how) -> None:
    """Something happens just before a step."""
    usual = loop.train_step

    def at(run: Run) -> None:
        if run.step == step:
            monkeypatch.setattr(loop, "train_step", usual)
            how()
        usual(run)

    monkeypatch.setattr(loop, "train_step", at)


def crash() -> None:
    raise MemoryError


def states(out: Path) -> dict:
    return read_checkpoint(out / "last.pt")


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_goes_on_as_if_never_stopped(text, tmp_path, monkeypatch, kind):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(words(text, whole, **KINDS[kind])) == 0

    interrupted(monkeypatch, 6, lambda: signal.raise_signal(signal.SIGINT))
    assert main(words(text, parts, **KINDS[kind])) == 130
    assert states(parts)["step"] == 7
    interrupted(monkeypatch, 16, crash)  # six steps after the last save
    torch.manual_seed(99)
    with pytest.raises(MemoryError):
        main(["--resume", "--out", str(parts), "--device", "cpu"])
    assert states(parts)["step"] == 10
    interrupted(monkeypatch, 19, lambda: signal.raise_signal(signal.SIGTERM))
    assert main(["--resume", "--out", str(parts), "--device", "cpu"]) == 130
    assert states(parts)["step"] == 20
    assert main(["--resume", "--out", str(parts), "--device", "cpu"]) == 0

    assert same(states(parts), states(whole))
    best = [read_checkpoint(out / "best.pt") for out in (parts, whole)]
    assert same(*best)
    assert [point["step"] for point in states(whole)["history"]] == [10, 20, 30]
    assert not same(states(whole)["model"], states(whole)["optimizers"])


@pytest.mark.parametrize(
    "part", ["optimizers", "batches", "random", "step", "losses", "model"]
)
def test_each_part_of_a_checkpoint_is_needed(text, tmp_path, monkeypatch, part):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(words(text, whole, dropout=0.3)) == 0
    interrupted(monkeypatch, 6, lambda: signal.raise_signal(signal.SIGINT))
    assert main(words(text, parts, dropout=0.3)) == 130
    fresh = new_run(text, tmp_path / "fresh", dropout=0.3)
    fresh.losses = [9.0]
    save_run(fresh, "last.pt")
    content = states(parts) | {part: states(tmp_path / "fresh")[part]}
    write_atomically(parts / "last.pt", content)
    assert main(["--resume", "--out", str(parts), "--device", "cpu"]) == 0
    assert not same(states(parts), states(whole))


def test_a_second_ctrl_c_stops_at_once(text, tmp_path, monkeypatch, capsys):
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)  # ignored, in a job in the background
    interrupted(monkeypatch, 15, twice)
    assert main(words(text, tmp_path / "run")) == 130
    assert "stopped at once" in capsys.readouterr().err
    assert states(tmp_path / "run")["step"] == 10
    assert signal.getsignal(signal.SIGINT) == before


def test_best_is_kept_where_last_is_worse(text, tmp_path, monkeypatch):
    values = iter([2.0, 1.0, 3.0])
    monkeypatch.setattr(loop, "evaluate", lambda run: next(values))
    assert main(words(text, tmp_path / "run")) == 0
    assert states(tmp_path / "run")["step"] == 30
    assert read_checkpoint(tmp_path / "run" / "best.pt")["step"] == 20


def test_best_is_written_before_last(text, tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(loop, "save_run", lambda run, name: names.append(name))
    main(words(text, tmp_path / "run", steps=10))
    assert names == ["best.pt", "last.pt"]


def test_a_finished_run_has_nothing_to_do(text, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(words(text, out)) == 0
    before = (out / "last.pt").read_bytes()
    assert main(["--resume", "--out", str(out), "--device", "cpu"]) == 0
    assert (out / "last.pt").read_bytes() == before
    assert capsys.readouterr().out.count("30 of 30 steps") == 2


def test_a_folder_in_use_is_refused(text, tmp_path, capsys):
    assert main(words(text, tmp_path / "run")) == 0
    before = (tmp_path / "run" / "last.pt").read_bytes()
    refused(
        capsys, words(text, tmp_path / "run"), "is there already: go on with --resume"
    )
    assert (tmp_path / "run" / "last.pt").read_bytes() == before


@pytest.fixture
def stopped(text, tmp_path, monkeypatch) -> Path:
    """The folder of a run that was stopped after 7 of 30 steps."""
    interrupted(monkeypatch, 6, lambda: signal.raise_signal(signal.SIGINT))
    assert main(words(text, tmp_path / "run")) == 130
    return tmp_path / "run"


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_a_truncated_checkpoint_is_refused(stopped, capsys, part):
    whole = (stopped / "last.pt").read_bytes()
    (stopped / "last.pt").write_bytes(whole[: int(part * len(whole))])
    refused(capsys, ["--resume", "--out", str(stopped)], "last.pt is damaged")


def test_a_flipped_bit_is_refused(stopped, capsys):
    raw = bytearray((stopped / "last.pt").read_bytes())
    weights = states(stopped)["model"]["token.weight"].numpy().tobytes()
    raw[raw.find(weights) + 5] ^= 1
    (stopped / "last.pt").write_bytes(raw)
    refused(capsys, ["--resume", "--out", str(stopped)], "damaged: the checksum")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 1.0}, "lr was 0.001 and is 1.0"),
        ({"d_model": 32}, "d_model was 16 and is 32"),
        ({"steps": 40}, "steps was 30 and is 40"),
        ({"min_lr_ratio": 0.5}, "min_lr_ratio was 0.1 and is 0.5"),
        ({"preset": "laptop-minute"}, "architecture was gpt2 and is modern"),
        ({"tokenizer": "bpe"}, "tokenizer was char and is bpe"),
        ({"seed": 4}, "seed was 3 and is 4"),
    ],
)
def test_another_configuration_is_refused(stopped, text, capsys, changes, message):
    before = (stopped / "last.pt").read_bytes()
    refused(capsys, words(text, stopped, "--resume", **changes), message)
    assert (stopped / "last.pt").read_bytes() == before


def test_another_text_is_refused_and_another_path_is_not(stopped, text, capsys):
    moved = text.with_name("moved.txt")
    shutil.copy(text, moved)
    plain = ["--resume", "--out", str(stopped), "--device", "cpu"]
    moved.write_text(moved.read_text("utf8").replace("gull", "lugl"), "utf8")
    refused(capsys, [*plain, "--data", str(moved)], "the text has changed")
    shutil.copy(text, moved)
    text.unlink()
    assert main([*plain, "--data", str(moved), "--evaluate-every", "30"]) == 0


def test_another_text_is_told_even_if_it_cannot_be_encoded(stopped, text, capsys):
    text.write_text("QUITE ANOTHER\n" * 90, "utf8")
    before = {path: path.read_bytes() for path in stopped.rglob("*.*")}
    plain = ["--resume", "--out", str(stopped), "--device", "cpu"]
    refused(capsys, [*plain, "--data", str(text), "--lr", "1"], "the text has changed")
    assert {path: path.read_bytes() for path in stopped.rglob("*.*")} == before


def with_feed_forward(content):
    """The same, with the names of a block that had a module `feed_forward`."""
    if isinstance(content, str):
        return re.sub(r"\.(up|down)\.", r".feed_forward.\1.", content)
    if isinstance(content, dict):
        made = {with_feed_forward(n): with_feed_forward(v) for n, v in content.items()}
        return made
    if isinstance(content, list):
        return [with_feed_forward(value) for value in content]
    return content


def test_a_checkpoint_in_which_a_block_had_one_module_more(stopped, text, tmp_path):
    for name in ("old", "new"):
        shutil.copytree(stopped, tmp_path / name)
    last = tmp_path / "old" / "last.pt"
    saved = states(tmp_path / "old")
    old = saved | {n: with_feed_forward(saved[n]) for n in ("model", "optimizers")}
    assert "blocks.0.feed_forward.up.weight" in old["model"]
    assert "blocks.0.feed_forward.up.weight" in old["optimizers"]["state"]
    write_atomically(last, old)
    for name in ("old", "new"):
        plain = ["--resume", "--out", str(tmp_path / name), "--device", "cpu"]
        assert main([*plain, "--data", str(text)]) == 0
    assert same(states(tmp_path / "old")["model"], states(tmp_path / "new")["model"])


def linear(text: Path, out: Path, *more: str, **changes: object) -> list[str]:
    """A run whose rate falls from step 16 of 30 on."""
    settings = {"schedule": "linear", "cooldown": 0.5, **changes}
    return words(text, out, *more, **settings)


def test_a_run_can_be_prolonged_until_its_rate_falls(text, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(linear(text, whole, steps=40)) == 0
    interrupted(monkeypatch, 12, lambda: signal.raise_signal(signal.SIGINT))
    assert main(linear(text, parts)) == 130
    plain = ["--resume", "--out", str(parts), "--device", "cpu"]
    assert main([*plain, "--steps", "40"]) == 0
    assert states(parts)["step"] == 40
    assert same(states(parts)["model"], states(whole)["model"])
    assert same(states(parts)["plan"], states(whole)["plan"])


def test_a_run_can_be_ended_earlier(text, tmp_path, monkeypatch):
    interrupted(monkeypatch, 6, lambda: signal.raise_signal(signal.SIGINT))
    assert main(linear(text, tmp_path / "run")) == 130
    plain = ["--resume", "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert main([*plain, "--steps", "20"]) == 0
    rates = scalars(tmp_path / "run", "learning rate")
    assert rates[20] == pytest.approx(1e-3 * (1 - 19 / 20) / 0.5)


def test_a_run_whose_rate_has_fallen_cannot_be_prolonged(text, tmp_path, capsys):
    assert main(linear(text, tmp_path / "run")) == 0
    plain = ["--resume", "--out", str(tmp_path / "run"), "--device", "cpu"]
    told = "steps was 30 and is 60; the rates would have been others from step 17 on"
    refused(capsys, [*plain, "--steps", "60"], told, "before the rate fell")
    refused(capsys, [*plain, "--steps", "20"], "30 steps are done")
    refused(capsys, [*plain, "--cooldown", "0.1"], "cooldown was 0.5 and is 0.1")


def test_how_to_prolong_a_run_is_told(stopped, capsys):
    plain = ["--resume", "--out", str(stopped), "--device", "cpu", "--steps", "60"]
    told = "steps was 30 and is 60; a cosine is made for its number of steps"
    refused(capsys, plain, told, "from step 7 on", "--schedule linear")


def everything(run: Run) -> dict:
    """All that a checkpoint could change, copied."""
    state = random_states() | {"batches": run.batches.generator.get_state()}
    parts = {"model": run.model.state_dict(), "random": state, "step": run.step}
    parts |= {"optimizers": [o.state_dict() for o in run.optimizers]}
    parts |= {"history": run.history, "losses": run.losses, "time": run.seconds}
    return copy.deepcopy(parts)


def change(*path: object, to: object):
    """A change of one place in a checkpoint; None takes it away."""

    def made(saved: dict) -> None:
        place = saved
        for name in path[:-1]:
            place = place[name]
        if to is None:
            del place[path[-1]]
        else:
            place[path[-1]] = to

    return made


STATE = ("optimizers", "state", "norm.weight")
GROUP = ("optimizers", "param_groups", 0)
DAMAGE = {
    "weight missing": (
        change("model", "norm.weight", to=None),
        "norm.weight is missing",
    ),
    "weight of half precision": (
        lambda saved: saved["model"].update(
            {"norm.weight": saved["model"]["norm.weight"].half()}
        ),
        r"norm.weight was \(16,\) torch.float16",
    ),
    "no groups": (change("optimizers", "param_groups", to=None), "had groups of"),
    "a group more": (
        lambda saved: saved["optimizers"]["param_groups"].append({"params": []}),
        "had groups of .*, 0",
    ),
    "other tensors": (
        lambda saved: saved["optimizers"]["param_groups"][0]["params"].reverse(),
        "group 0 of the optimizers had other tensors",
    ),
    "other setting": (
        change(*GROUP, "eps", to=0.5),
        "eps of group 0 was 0.5, is 1e-08",
    ),
    "no setting": (change(*GROUP, "betas", to=None), "betas of group 0 was missing"),
    "no state": (change("optimizers", "state", to={}), "state of .* has nothing"),
    "another kind of optimizer": (
        change(*STATE, to={"momentum_buffer": torch.zeros(16)}),
        "the optimizer's state of norm.weight has momentum_buffer",
    ),
    "state of another size": (
        change(*STATE, "exp_avg", to=torch.zeros(3)),
        r"state of norm.weight has .*exp_avg': torch.Size\(\[3\]\)",
    ),
    "no state of python": (change("random", 0, "python", to=None), "KeyError"),
    "no state of numpy": (change("random", 0, "numpy", to=("MT19937", [1])), "damaged"),
    "state of torch": (
        change("random", 0, "torch", to=torch.zeros(5)),
        "random states",
    ),
    "place in the data": (
        change("batches", to=torch.zeros(5, dtype=torch.uint8)),
        "random states are damaged",
    ),
    "history": (change("history", to=[{"step": 3}]), "its history .*train"),
}


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("started", [False, True])
def test_nothing_is_changed_by_a_checkpoint_that_differs(text, tmp_path, name, started):
    damage, message = DAMAGE[name]
    first = new_run(text, tmp_path / "run", dropout=0.1)
    train(first, 4)
    save_run(first, "last.pt")
    saved = states(tmp_path / "run")
    run = new_run(text, tmp_path / "run", dropout=0.1)
    if started:
        train(run, 2)
    before = everything(run)
    damage(saved)
    with pytest.raises(CheckpointError, match=message) as told:
        load_run(run, saved, Path("last.pt"))
    assert str(told.value).startswith("last.pt is of another run: ")
    assert same(everything(run), before)
    load_run(run, states(tmp_path / "run"), Path("last.pt"))
    assert same(everything(run)["model"], everything(first)["model"])


def test_the_optimizers_of_muon_are_compared_too(text, tmp_path):
    first = new_run(text, tmp_path / "run", preset="laptop-minute")
    train(first, 2)
    save_run(first, "last.pt")
    saved = states(tmp_path / "run")
    run = new_run(text, tmp_path / "run", preset="laptop-minute")
    before = everything(run)
    name = saved["optimizers"]["param_groups"][-1]["params"][0]
    kept = saved["optimizers"]["state"][name].pop("momentum_buffer")
    with pytest.raises(CheckpointError, match=f"state of {name} has nothing"):
        load_run(run, saved, Path("last.pt"))
    assert same(everything(run), before)
    saved["optimizers"]["state"][name]["momentum_buffer"] = kept
    load_run(run, saved, Path("last.pt"))
    assert run.step == 2


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("step", "7", "step is a str"),
        ("model", {"token.weight": [1.0]}, "token.weight is no tensor"),
        ("optimizers", [], "optimizers is a list"),
        ("batches", 3, "batches is a int"),
        ("plan", {"recipe": {"steps": 0}}, "a plan of another program"),
    ],
)
def test_parts_of_another_kind_are_refused(stopped, capsys, part, value, message):
    write_atomically(stopped / "last.pt", states(stopped) | {part: value})
    refused(capsys, ["--resume", "--out", str(stopped), "--device", "cpu"], message)


def test_a_checkpoint_with_the_old_name_of_a_setting_goes_on(stopped):
    content = states(stopped)
    recipe = content["plan"]["recipe"]
    recipe["min_lr"] = recipe.pop("min_lr_ratio")
    del recipe["evaluate_tokens"]
    write_atomically(stopped / "last.pt", content)
    assert main(["--resume", "--out", str(stopped), "--device", "cpu"]) == 0


def test_other_files_are_refused(stopped, capsys):
    plain = ["--resume", "--out", str(stopped)]
    content = states(stopped)
    write_atomically(stopped / "last.pt", {"model": content["model"], "step": 1})
    refused(capsys, plain, "not a checkpoint of this program", "it lacks: plan, model_")
    write_atomically(stopped / "last.pt", content | {"format": 0})
    refused(capsys, plain, "its format is 0 (here 1), and it lacks: nothing")
    del content["plan"]["seed"]
    write_atomically(stopped / "last.pt", content)
    refused(capsys, plain, "a plan of another program")
    (stopped / "last.pt").unlink()
    refused(capsys, plain, "last.pt")


def test_a_checkpoint_with_other_weights_is_refused(stopped, capsys):
    content = states(stopped)
    content["model"]["token.weight"] = content["model"]["token.weight"][:, :8].clone()
    write_atomically(stopped / "last.pt", content)
    refused(
        capsys,
        ["--resume", "--out", str(stopped), "--device", "cpu"],
        "is of another run: token.weight was",
    )


# --- what goes wrong while it runs


def poison(run: Run) -> None:
    with torch.no_grad():
        next(run.model.parameters()).fill_(math.nan)


def test_a_huge_learning_rate_is_told_with_its_step(text, tmp_path, capsys):
    arguments = words(text, tmp_path / "run", lr=1e12, clip=0)
    refused(capsys, arguments, "the loss is nan in step 2:", "try a smaller --lr")
    assert not (tmp_path / "run" / "last.pt").exists()


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(
    text, tmp_path, monkeypatch, capsys
):
    def at(run: Run) -> None:
        if run.step == 13:
            poison(run)
        train_step(run)

    monkeypatch.setattr(loop, "train_step", at)
    out = tmp_path / "run"
    refused(capsys, words(text, out), "the loss is nan in step 14: nothing was saved")
    assert states(out)["step"] == 10
    monkeypatch.undo()
    assert main(["--resume", "--out", str(out), "--device", "cpu"]) == 0


def test_weights_that_are_no_numbers_are_not_saved(text, tmp_path):
    run = new_run(text, tmp_path / "run")
    save_run(run, "last.pt")
    before = (tmp_path / "run" / "last.pt").read_bytes()
    poison(run)
    with pytest.raises(DivergedError, match="weights are not finite after step 0"):
        save_run(run, "last.pt")
    assert (tmp_path / "run" / "last.pt").read_bytes() == before


def test_a_validation_loss_that_is_no_number_is_told(
    text, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(loop, "evaluate", lambda run: math.inf)
    arguments = words(text, tmp_path / "run")
    refused(capsys, arguments, "the validation loss is inf after step 10")


def test_a_checkpoint_that_cannot_be_written_keeps_the_old_one(
    stopped, monkeypatch, capsys
):
    def full(path: Path, content: object) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file")

    before = (stopped / "last.pt").read_bytes()
    monkeypatch.setattr(checkpoints, "write_atomically", full)
    plain = ["--resume", "--out", str(stopped), "--device", "cpu"]
    refused(capsys, plain, "could not write", "best.pt", "is still there")
    monkeypatch.undo()
    assert (stopped / "last.pt").read_bytes() == before
    assert main(plain) == 0


class LimitedFiles:
    """No file may grow beyond some bytes: what a full disk looks like."""

    def __init__(self, most: int) -> None:
        self.resource = pytest.importorskip("resource")  # not on Windows
        self.most = most

    def __enter__(self) -> None:
        kind = self.resource.RLIMIT_FSIZE
        self.before = self.resource.getrlimit(kind)
        self.resource.setrlimit(kind, (self.most, self.before[1]))

    def __exit__(self, *of_error: object) -> None:
        self.resource.setrlimit(self.resource.RLIMIT_FSIZE, self.before)


def limited(most: int, arguments: list[str]) -> int:
    with LimitedFiles(most):
        return main(arguments)


def test_a_full_disk_while_a_checkpoint_is_written(stopped, capsys):
    before = (stopped / "last.pt").read_bytes()
    plain = ["--resume", "--out", str(stopped), "--device", "cpu"]
    assert limited(len(before) // 2, plain) == 2
    told = capsys.readouterr().err
    assert "error: could not write" in told
    assert "best.pt" in told
    assert sorted(p.suffix for p in stopped.iterdir()) == ["", ".bin", ".bin", ".pt"]
    assert (stopped / "last.pt").read_bytes() == before
    assert main(plain) == 0


def test_a_full_disk_while_the_ids_are_written(text, tmp_path, capsys):
    assert limited(100, words(text, tmp_path / "run")) == 2
    told = capsys.readouterr().err
    assert "error: could not write" in told
    assert ".bin" in told
    assert list((tmp_path / "run").iterdir()) == []
    assert main(words(text, tmp_path / "run")) == 0


# TensorBoard writes in a thread, which tells of its end too
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_full_disk_while_tensorboard_writes(stopped, capsys):
    before = (stopped / "last.pt").read_bytes()
    plain = ["--resume", "--out", str(stopped), "--device", "cpu"]
    assert limited(150, plain) == 2
    told = capsys.readouterr().err
    assert f"error: could not write {stopped / 'log'}" in told
    assert (stopped / "last.pt").read_bytes() == before
    assert main(plain) == 0


# --- what is shown


def scalars(out: Path, name: str) -> dict[int, float]:
    """What TensorBoard shows."""
    log = EventAccumulator(str(out / "log"))
    log.Reload()
    return {event.step: event.value for event in log.Scalars(name)}


def test_the_log_of_tensorboard(text, tmp_path):
    out = tmp_path / "run"
    assert main(words(text, out)) == 0
    points = {p["step"]: p for p in states(out)["history"]}
    assert list(points) == [10, 20, 30]
    wanted = {step: p["validation"] for step, p in points.items()}
    assert scalars(out, "loss/validation") == pytest.approx(wanted)
    wanted = {step: p["train"] for step, p in points.items()}
    assert scalars(out, "loss/train") == pytest.approx(wanted)
    recipe = make_plan(TINY).recipe
    wanted = {s: recipe.lr * learning_rate_factor(s - 1, recipe) for s in points}
    assert scalars(out, "learning rate") == pytest.approx(wanted)
    assert min(scalars(out, "tokens per second").values()) > 0


def test_what_a_lost_run_logged_is_dropped(text, tmp_path, monkeypatch):
    out = tmp_path / "run"
    poisoned = 25

    def at(run: Run) -> None:
        if run.step == poisoned:
            raise MemoryError
        train_step(run)

    monkeypatch.setattr(loop, "train_step", at)
    save = loop.save_run
    monkeypatch.setattr(loop, "save_run", lambda run, n: run.step > 10 or save(run, n))
    with pytest.raises(MemoryError):
        main(words(text, out))
    assert list(scalars(out, "loss/validation")) == [10, 20]
    monkeypatch.undo()
    log = EventAccumulator(str(out / "log"))
    assert main(["--resume", "--out", str(out), "--device", "cpu"]) == 0
    log.Reload()
    steps = [event.step for event in log.Scalars("loss/validation")]
    assert steps == [10, 20, 30]


def test_the_bar_shows_loss_speed_and_time_left(text, tmp_path, capsys):
    assert main(words(text, tmp_path / "run")) == 0
    told = capsys.readouterr()
    for word in ("loss ", " tokens/s", "30/30", "step/s", "<", "step 20: validation"):
        assert word in told.err
    assert "30 of 30 steps in" in told.out
    assert "best validation loss" in told.out


def test_a_quiet_run_shows_nothing(text, tmp_path, capsys):
    run = new_run(text, tmp_path / "run", steps=10)
    assert loop.fit(run, quiet=True)
    assert capsys.readouterr() == ("", "")
    assert list(scalars(tmp_path / "run", "loss/validation")) == [10]


# --- settings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "huge"}, "no preset 'huge': there are nano, laptop"),
        ({"device": "tpu"}, "'tpu' is not a device: write cpu"),
        ({"dtype": "float8"}, "no dtype 'float8': there are auto, float32"),
        ({"optimizer": "sgd"}, "no optimizer 'sgd': there are adamw, muon"),
        ({"schedule": "step"}, "no schedule 'step': there are cosine, linear"),
        ({"cooldown": 0}, "cooldown=0.0: it must be in (0, 1]"),
        ({"min_lr_ratio": 2}, "min_lr_ratio=2.0: it must be in [0, 1]"),
        ({"min_lr": 2}, "min_lr_ratio=2.0: it must be in [0, 1]"),
        ({"steps": 0}, "steps=0: it must be at least 1"),
        ({"lr": -1}, "lr=-1.0: it must be 0 or more"),
        ({"lr": "nan"}, "lr=nan: it must be 0 or more"),
        ({"beta1": 2}, "2.0"),
        ({"dropout": 1.5}, "dropout=1.5: it must be in [0, 1)"),
        ({"n_heads": 3}, "d_model=16 is not divisible by n_heads=3"),
        ({"n_heads": 0}, "d_model=16 is not divisible by n_heads=0"),
        ({"n_layers": 0}, "n_layers=0: it must be at least 1"),
        ({"accumulate": 3}, "batch_size=8 does not divide by 3 micro-batches"),
        ({"accumulate": 16}, "batch_size=8 does not divide by 16 micro-batches"),
        ({"context_length": 5000}, "a window takes 5001: give more text"),
        ({"context_length": 200}, "the validation text has"),
        ({"tokenizer": "bpe", "vocab_size": 255}, "vocab_size=255: the 256 bytes"),
    ],
)
def test_bad_settings_are_told(text, tmp_path, capsys, changes, message):
    refused(capsys, words(text, tmp_path / "run", **changes), message)
    assert not list((tmp_path / "run").glob("*.pt"))


@pytest.mark.parametrize(
    ("lr", "min_lr", "ratio"), [(1e-3, 0.1, 0.1), (1e-3, 0.0, 0.0), (6e-4, 1.0, 1.0)]
)
def test_a_lowest_rate_that_can_only_be_a_part_is_one(lr, min_lr, ratio):
    assert make_plan({"lr": lr, "min_lr": min_lr}).recipe.min_lr_ratio == ratio


def test_a_lowest_rate_that_could_be_either_is_refused(text, tmp_path, capsys):
    changes = {"preset": "gpt2-124m", "min_lr": 6e-5}
    arguments = words(text, tmp_path / "run", **changes)
    told = "--min-lr 6e-05 is not clear: a rate of 6e-05 is --min-lr-ratio 0.1, and"
    refused(capsys, arguments, told)
    recipe = make_plan({"preset": "gpt2-124m", "min_lr_ratio": 0.1}).recipe
    last = recipe.lr * learning_rate_factor(recipe.steps - 1, recipe)
    assert last == pytest.approx(6e-5, rel=1e-3)


def test_an_evaluation_has_an_end_and_is_always_the_same(text, tmp_path):
    run = new_run(text, tmp_path / "run", evaluate_tokens=24, batch_size=2)
    seen = []
    run.loss.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    assert evaluate(run) == evaluate(run)
    assert sum(ids.numel() for ids in seen) == 2 * 24
    starts = [row for ids in seen[: len(seen) // 2] for row in ids.tolist()]
    ids = run.corpus.validation.ids.tolist()
    n = (len(ids) - 1) // 8
    assert starts == [ids[w * 8 : w * 8 + 8] for w in (0, n // 3, 2 * n // 3)]
    assert evaluate(run) != evaluate(new_run(text, tmp_path / "run", batch_size=2))


def test_the_largest_preset_evaluates_a_million_tokens_at_most():
    assert {p.recipe.evaluate_tokens for p in PRESETS.values()} == {2**20}


def test_fsdp_without_processes_is_told(text, tmp_path, capsys):
    arguments = words(text, tmp_path / "run", "--fsdp")
    refused(capsys, arguments, "--fsdp needs processes: start the program with")


def test_bad_texts_are_told(tmp_path, capsys):
    path, out = tmp_path / "text.txt", tmp_path / "run"
    refused(capsys, words(path, out), "no text", "text.txt")
    for content, message in (
        (b"", "is empty"),
        (b"caf\xe9", "is not UTF-8"),
        (b"too short", "the training text has 8 ids, and a window takes 9"),
    ):
        path.write_bytes(content)
        refused(capsys, words(path, out), message)


def test_a_word_that_is_no_number_ends_with_code_2(text, tmp_path):
    with pytest.raises(SystemExit) as told:
        main(words(text, tmp_path / "run", steps="many"))
    assert told.value.code == 2


def test_every_setting_is_an_option_and_counts():
    for item in fields(Recipe):
        name = f"--{item.name.replace('_', '-')}"
        value = {"optimizer": "muon", "schedule": "linear", "dtype": "bfloat16"}.get(
            item.name, "1"
        )
        words = [name] if item.name == "compile" else [name, value]
        given = {k: v for k, v in vars(parser().parse_args(words)).items() if v}
        found = getattr(make_plan(given).recipe, item.name)
        assert found == (True if item.name == "compile" else item.type(value))
    assert make_plan({}).recipe == PRESETS["nano"].recipe
    plan = make_plan({"preset": "laptop", "d_model": 64, "seed": 5})
    assert plan.sizes["d_model"] == 64
    assert plan.sizes["context_length"] == 256
    assert plan.seed == 5
    assert make_plan({"lr": 2.0}, plan) == replace(
        plan, recipe=replace(plan.recipe, lr=2.0)
    )


# --- the machine


def test_bfloat16_is_chosen_where_it_is_fast(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    for fast, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(
            torch.cpu, "get_capabilities", lambda fast=fast: {"amx_tile": fast}
        )
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda fast=fast, **options: fast
        )
        assert choose_dtype("auto", cpu) == dtype
        assert choose_dtype("auto", cuda) == dtype
    assert choose_dtype("auto", torch.device("mps")) == torch.float32
    assert choose_dtype("bfloat16", cpu) == torch.bfloat16


def test_weights_stay_in_float32(text, tmp_path):
    run = new_run(text, tmp_path / "run", dtype="bfloat16")
    seen = []
    run.model.blocks[0].up.register_forward_hook(
        lambda module, inputs, output: seen.append(output.dtype)
    )
    losses = train(run, 10)
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in run.model.parameters()} == {torch.float32}
    plain = train(new_run(text, tmp_path / "run"), 10)
    assert losses == pytest.approx(plain, abs=0.02)
    assert losses != plain


@pytest.mark.parametrize("preset", ["nano", "laptop-minute"])
def test_a_compiled_model_takes_the_same_steps(text, tmp_path, monkeypatch, preset):
    eager = functools.partial(torch.compile, backend="eager")
    monkeypatch.setattr(torch, "compile", eager)
    monkeypatch.setattr(runs, "can_compile", lambda device: True)
    settings = {"preset": preset, "dropout": 0.1}
    run = new_run(text, tmp_path / "run", **{**settings, "compile": True})
    assert run.compiled is not run.loss
    # of today's parts, the gather stays out of what is compiled for a CPU
    assert ("embed" in vars(run.model)) == (preset == "laptop-minute")
    plain = new_run(text, tmp_path / "run", **settings)
    torch.manual_seed(1)
    compiled = train(run, 5)
    torch.manual_seed(1)
    assert compiled == pytest.approx(train(plain, 5), abs=1e-5)
    assert evaluate(run) == pytest.approx(evaluate(plain), abs=1e-5)


@pytest.mark.parametrize("preset", ["nano", "laptop-minute"])
def test_nothing_is_compiled_once_the_clock_runs(text, tmp_path, monkeypatch, preset):
    graphs = []

    def counting(graph, inputs):
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()  # what other tests have compiled would be known
    monkeypatch.setattr(
        torch, "compile", functools.partial(torch.compile, backend=counting)
    )
    monkeypatch.setattr(runs, "can_compile", lambda device: True)
    run = new_run(text, tmp_path / "run", preset=preset, compile=True)
    before = len(graphs)
    train(run, 3)
    assert len(graphs) == before > 0


def test_without_a_compiler_it_trains_and_says_so(text, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not can_compile(torch.device("cpu"))
    arguments = words(text, tmp_path / "run", "--compile", steps=10)
    assert main([word for word in arguments if word != "--no-compile"]) == 0
    assert "note: there is no C++ compiler: not compiled" in capsys.readouterr().err


def test_a_compiler_is_found_by_its_name_or_its_variable(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name == "my-compiler")
    monkeypatch.setenv("CXX", "other")
    assert not can_compile(torch.device("cpu"))
    monkeypatch.setenv("CXX", "my-compiler")
    assert can_compile(torch.device("cpu"))


def test_an_error_that_nobody_foresaw_is_not_hidden(text, tmp_path, monkeypatch):
    interrupted(monkeypatch, 3, crash)
    with pytest.raises(MemoryError):
        main(words(text, tmp_path / "run"))
    with pytest.raises(CheckpointError):
        read_run(text)
