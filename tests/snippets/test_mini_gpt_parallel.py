"""Two processes on a CPU, as `torchrun` starts them, against one process.

Two tests are about `torchrun` and start it. For the others the two are forked from a
server that has torch, with the variables that it would set (`tests/processes.py`).
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from literate.project import ROOT
from snippets.mini_gpt import parallel
from snippets.mini_gpt.checkpoints import read_run, save_run
from snippets.mini_gpt.parallel import (
    PeerError,
    Processes,
    all_gather,
    all_reduce_sum,
    is_lost_connection,
    joined_processes,
    rank0_first,
)
from snippets.mini_gpt.run import evaluate
from tests.helpers import SLOW
from tests.processes import Done, Program, run_together
from tests.snippets.mini_gpt_processes import HALF, MORE, STEPS, TINY, curve, run_of

ALONE = Processes(0, 1, torch.device("cpu"))
LEAVE = 10  # groups; where DDP lets go of them last, leaving one of them hangs
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
PROGRAM = str(Path(__file__).with_name("mini_gpt_processes.py"))
needs_torchrun = pytest.mark.skipif(
    sys.platform == "win32", reason="torchrun's store needs libuv, which Windows lacks"
)
not_on_windows = pytest.mark.skipif(
    sys.platform == "win32", reason="training shared out is not promised on Windows"
)


def environment() -> dict[str, str]:
    """One thread for each process, and the loopback device to talk over."""
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    return os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": loopback,
        "PYTHONUTF8": "1",
    }


def torchrun(*words: str) -> subprocess.Popen:
    """Start a program in two processes."""
    return subprocess.Popen(
        [sys.executable, *TORCHRUN, *words],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf8",
    )


def free_ports(number: int) -> list[str]:
    """Ports of this machine that nobody uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [str(each.getsockname()[1]) for each in sockets]


def both(what: str, folder: Path) -> tuple[list[Done], list[dict]]:
    """Run a part of `mini_gpt_processes.py`: how the two ended, and their results."""
    ports = free_ports(LEAVE)
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": ports[0]}
    common["PORTS"] = " ".join(ports)
    programs = [
        Program(
            str(ROOT),
            PROGRAM,
            arguments=[what, str(folder)],
            environment=environment()
            | common
            | {"RANK": rank, "LOCAL_RANK": rank, "USE_LIBUV": "0"},
        )
        for rank in ("0", "1")
    ]
    done = run_together(programs)
    files = (folder / f"{what}-{rank}.json" for rank in (0, 1))
    found = [json.loads(f.read_text("utf8")) if f.exists() else {} for f in files]
    return done, found


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("processes")
    draw = torch.Generator().manual_seed(0)
    words = ["sea", "gull", "crab", "rope", "mast", "fog", "tide", "net"]
    chosen = torch.randint(len(words), (800,), generator=draw).tolist()
    text = " ".join(words[n] for n in chosen)
    (made / "text.txt").write_text(text, "utf8")
    return made


@pytest.fixture(scope="module")
def alone(folder) -> dict:
    """The run of one process: its losses, and its evaluation in the middle."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    run = run_of(folder, "one", ALONE)
    losses = curve(run, HALF)
    evaluation = evaluate(run)
    save_run(run, "last.pt")
    found = {"losses": losses + curve(run), "evaluation": evaluation}
    muon = run_of(folder, "one-muon", ALONE, "--optimizer", "muon")
    found["muon"] = curve(muon, MORE)
    torch.set_num_threads(threads)
    return found


@pytest.fixture(scope="module")
def shared(folder, alone) -> dict:
    """What two processes found."""
    done, found = both("curves", folder)
    for process in done:
        assert process.returncode == 0, process.stderr
        assert "Warning" not in process.stderr
    return found[0]


def close(one: list[float], other: list[float]) -> bool:
    return (
        len(one) == len(other)
        and max(abs(a - b) for a, b in zip(one, other, strict=True)) < 1e-4
    )


@not_on_windows
@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_two_processes_have_the_curve_of_one(shared, alone, kind):
    assert len(shared[kind]["losses"]) == STEPS == 100
    assert close(shared[kind]["losses"], alone["losses"])
    assert alone["losses"][-1] < alone["losses"][0] - 0.5
    assert shared[kind]["evaluation"] == pytest.approx(alone["evaluation"], abs=1e-5)


@not_on_windows
@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_two_processes_accumulate_as_one(shared, alone, kind):
    found = shared[f"{kind}-accumulate"]["losses"]
    assert close(found, alone["losses"][:MORE])


@not_on_windows
def test_muon_shared_out_takes_nearly_the_same_steps(shared, alone):
    pairs = zip(shared["fsdp-muon"]["losses"], alone["muon"], strict=True)
    assert max(abs(a - b) for a, b in pairs) < 2e-2  # its products are in bfloat16
    assert not close(alone["muon"], alone["losses"][:MORE])


@not_on_windows
def test_each_kind_of_run_goes_on_with_the_checkpoint_of_another(shared, alone):
    wanted = alone["losses"][HALF : HALF + MORE]
    for name in ("one goes on", "ddp goes on", "fsdp goes on", "one goes on with fsdp"):
        assert close(shared[name], wanted), name


@not_on_windows
@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_one_process_goes_on_with_the_checkpoint_of_two(shared, alone, folder, kind):
    run = run_of(folder, kind, ALONE, "--resume")
    assert close(curve(run, HALF + MORE), alone["losses"][HALF : HALF + MORE])


@not_on_windows
def test_where_one_process_fails_all_stop(folder):
    done, (first, second) = both("failures", folder)
    assert [process.returncode for process in done] == [0, 0], done
    stops = "PeerError: process {} stops, since another one failed"
    assert first["told"][0] == stops.format(0)
    assert second["told"][0] == "ValueError: this one"
    assert first["told"][1].startswith("OSError: could not write ")
    assert second["told"][1] == stops.format(1)


@not_on_windows
def test_a_model_may_outlive_the_group_that_it_was_shared_out_in(folder):
    done, found = both("leaving", folder)
    assert [process.returncode for process in done] == [0, 0], done
    assert found == [{"left": True}] * 2


@needs_torchrun
def test_a_process_that_dies_takes_the_other_with_it(folder):
    started = torchrun(PROGRAM, "lost", str(folder))
    _, told = started.communicate(timeout=SLOW)
    assert started.returncode == 1
    assert "exitcode  : 7" in told


def test_a_process_that_loses_the_other_says_so(folder):
    """Without torchrun, which may end the one that is left before it can speak."""
    done, found = both("lost", folder)
    assert done[1].returncode == 7
    assert "error: process 0 lost another one (" in done[0].stderr
    assert found[0] == {"code": 2}


@needs_torchrun
def test_the_program_stops_by_a_signal_and_goes_on(folder):
    out = folder / "stopped"
    words = ["-m", "snippets.mini_gpt.train", *TINY, "--data", str(folder / "text.txt")]
    words += ["--out", str(out), "--steps", "100000", "--evaluate-every", "50000"]
    started = torchrun(*words)
    deadline = time.monotonic() + SLOW
    while not list(out.glob("log/*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=SLOW)
    step = read_run(out / "last.pt")["step"]
    assert 0 < step < 50_000
    assert started.returncode != 0
    run = run_of(folder, "stopped", ALONE, "--steps", "100000", "--resume")
    assert run.step == step


def test_one_process_needs_no_other():
    value = torch.tensor(3.0)
    assert all_reduce_sum(value, ALONE) is value
    assert all_gather("a", ALONE) == ["a"]
    assert rank0_first(lambda: 5, ALONE) == 5
    with pytest.raises(ZeroDivisionError):
        rank0_first(lambda: 1 / 0, ALONE)


def test_mps_is_for_one_process(monkeypatch):
    monkeypatch.setattr(parallel, "pick_device", torch.device)
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "0")):
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(ValueError, match="mps is for one process: take --device cpu"),
        joined_processes("mps"),
    ):
        pass


def test_each_process_of_a_machine_has_its_own_gpu(monkeypatch):
    class Joined(Exception):
        pass

    def join(kind: str, device_id: torch.device) -> None:
        raise Joined(f"{kind} on {device_id}")

    monkeypatch.setattr(parallel, "pick_device", torch.device)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.setattr(torch.distributed, "init_process_group", join)
    for name, value in (("RANK", "5"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(Joined, match="nccl on cuda:1"), joined_processes("cuda"):
        pass


def test_a_lost_connection_is_told_from_other_errors():
    assert is_lost_connection(RuntimeError("[gloo/pair.cc] Connection closed by peer"))
    assert is_lost_connection(torch.distributed.DistBackendError("NCCL"))
    assert not is_lost_connection(RuntimeError("shapes do not match"))
    assert issubclass(PeerError, Exception)


@pytest.mark.parametrize("fails", [True, False])
def test_all_are_told_of_the_one_that_fails(monkeypatch, fails):
    second = Processes(1, 2, torch.device("cpu"))
    answers = iter([[fails, False], [False, False]])
    monkeypatch.setattr(parallel, "all_gather", lambda value, processes: next(answers))
    called = []
    if fails:
        with pytest.raises(PeerError, match="process 1 stops"):
            rank0_first(lambda: called.append(1), second)
        assert called == []
    else:
        rank0_first(lambda: called.append(1), second)
        assert called == [1]
