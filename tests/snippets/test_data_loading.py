"""`snippets/data_loading.py` and `snippets/workers.py`: order, seeds, streams, padding.

That batches equal DataLoader's is proved in `proofs/data_loading.py`.
"""

import itertools
import re

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from proofs.data_loading import in_its_order
from snippets.data_loading import (
    DigitDataset,
    SimilarLengths,
    load_batches,
    pad_batch,
)
from snippets.digits import Digits, digits
from snippets.workers import (
    SHOWS,
    SOURCES,
    NoiseDataset,
    NumberStream,
    SharedNumberStream,
    SlowDataset,
    draw_noise,
    seed_own,
)

DATA = TensorDataset(torch.arange(23))
WORKERS = (0, 1, 2)
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def order(loader) -> list[list[int]]:
    return [batch.tolist() for (batch,) in loader]


@pytest.mark.parametrize("workers", WORKERS)
def test_order_is_that_of_a_loader_with_any_number_of_workers(workers):
    generator, ours = seeded(), seeded()
    loader = DataLoader(DATA, 5, shuffle=True, num_workers=workers, generator=generator)
    for _ in range(3):
        mine = in_its_order(DATA, ours, batch_size=5, shuffle=True)
        assert order(loader) == order(mine)


def test_the_order_is_that_of_randperm():
    expected = torch.randperm(23, generator=seeded()).tolist()
    found = order(load_batches(DATA, 5, True, generator=seeded()))
    assert list(itertools.chain(*found)) == expected
    torch.manual_seed(7)
    expected = torch.randperm(23).tolist()
    torch.manual_seed(7)
    found = order(load_batches(DATA, 5, True))
    assert list(itertools.chain(*found)) == expected


def test_each_sample_comes_once_in_an_epoch_and_epochs_differ():
    generator = seeded()
    first, second = (
        order(load_batches(DATA, 5, True, generator=generator)) for _ in range(2)
    )
    assert [len(batch) for batch in first] == [5, 5, 5, 5, 3]
    assert sorted(itertools.chain(*first)) == list(range(23))
    assert first != second


def test_drop_last_drops_the_smaller_batch_only():
    assert len(list(load_batches(DATA, 5, drop_last=True))) == 4
    assert len(list(load_batches(DATA, 23, drop_last=True))) == 1
    assert len(list(load_batches(DATA, 24, drop_last=True))) == 0


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="batch_size=0"):
        next(load_batches(DATA, 0))
    with pytest.raises(ValueError, match="batch_size=0"):
        SimilarLengths([1, 2], 0)


def test_digits_come_as_images_and_numbers():
    data = digits()
    dataset = DigitDataset(data)
    image, label = dataset[5]
    assert len(dataset) == 1797
    assert torch.equal(image, data.images[5])
    assert type(label) is int and label == data.labels[5]
    images, labels = next(load_batches(dataset, 7))
    assert torch.equal(images, data.images[:7])
    assert torch.equal(labels, data.labels[:7])
    assert len(DigitDataset(Digits(data.images[:3], data.labels[:3]))) == 3


def test_padding_by_hand():
    ids, real = pad_batch([torch.tensor([7, 8, 9]), torch.tensor([5])], padding=-1)
    assert ids.tolist() == [[7, 8, 9], [5, -1, -1]]
    assert real.tolist() == [[True, True, True], [True, False, False]]


@pytest.mark.parametrize("samples", [[], [torch.zeros(2, 2)], [torch.tensor(1)]])
def test_padding_needs_sequences(samples):
    with pytest.raises(ValueError, match="one axis"):
        pad_batch(samples)


def test_an_empty_sequence_is_all_padding():
    ids, real = pad_batch([torch.tensor([], dtype=torch.long), torch.tensor([4])])
    assert ids.tolist() == [[0], [4]]
    assert real.tolist() == [[False], [True]]


def test_similar_lengths_give_each_index_once_and_less_padding():
    torch.manual_seed(0)
    lengths = torch.randint(1, 100, (203,)).tolist()
    sampler = SimilarLengths(lengths, 16)
    first, second = list(sampler), list(sampler)
    assert len(first) == len(sampler) == 13
    assert sorted(itertools.chain(*first)) == list(range(203))
    assert sorted(map(sorted, first)) != sorted(map(sorted, second))
    assert [len(batch) for batch in first].count(16) == 12

    def padding(batches) -> float:
        rows = [[lengths[index] for index in batch] for batch in batches]
        return 1 - sum(lengths) / sum(max(row) * len(row) for row in rows)

    plain = [list(range(start, min(start + 16, 203))) for start in range(0, 203, 16)]
    assert padding(first) < 0.2 < 0.4 < padding(plain)


def test_padding_is_made_where_the_samples_are():
    samples = [torch.tensor([7, 8, 9]), torch.tensor([5])]
    with torch.device("meta"):
        ids, real = pad_batch(samples)
    assert ids.device == real.device == samples[0].device
    moved = pad_batch([sample.to("meta") for sample in samples])
    assert moved.ids.device.type == moved.real.device.type == "meta"


def test_no_lengths_are_no_batches():
    nothing = SimilarLengths([], 4)
    assert list(nothing) == [] and len(nothing) == 0
    assert list(DataLoader(TensorDataset(torch.ones(0)), batch_sampler=nothing)) == []


def test_similar_lengths_repeat_with_the_seed():
    lengths = list(range(50))
    assert list(SimilarLengths(lengths, 8)) == list(SimilarLengths(lengths, 8))
    assert list(SimilarLengths(lengths, 8)) != list(SimilarLengths(lengths, 8, seed=1))


def distinct(draws: torch.Tensor) -> dict[str, int]:
    """How many different numbers came from each source."""
    return {name: len(draws[:, n].unique()) for n, name in enumerate(SOURCES)}


def test_only_a_generator_of_the_dataset_repeats_between_workers_and_epochs():
    draws = draw_noise(2, epochs=2)
    expected = dict.fromkeys(SOURCES, 16) | {"own": 4}
    assert distinct(draws) == expected
    assert torch.equal(draws, draw_noise(2, epochs=2))


def test_only_numbers_by_index_do_not_depend_on_the_number_of_workers():
    draws = [draw_noise(workers, epochs=1) for workers in (1, 2)]
    same = (draws[0] == draws[1]).all(dim=0).tolist()
    assert [name for name, equal in zip(SOURCES, same, strict=True) if equal] == [
        "by index"
    ]
    alone = draw_noise(0, epochs=1)[:, SOURCES.index("by index")]
    assert torch.equal(alone, draws[0][:, SOURCES.index("by index")])


def test_worker_init_fn_repairs_the_generator_of_the_dataset():
    assert distinct(draw_noise(2, 2, worker_init_fn=seed_own))["own"] == 16


def test_persistent_workers_keep_the_dataset_that_they_began_with():
    kept = distinct(draw_noise(2, 2, persistent_workers=True))
    assert kept["by index"] == 8
    assert kept["own"] == 8  # its state goes on: equal between workers, not epochs


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("n", [0, 1, 8, 9])
def test_a_shared_stream_gives_each_number_once(workers, n):
    for stream, times in (
        (NumberStream(n), max(1, workers)),
        (SharedNumberStream(n), 1),
    ):
        loader = DataLoader(stream, batch_size=2, num_workers=workers)
        numbers = sorted(itertools.chain(*(batch.tolist() for batch in loader)))
        assert numbers == sorted(list(range(n)) * times)


def test_datasets_of_the_script_have_a_length():
    assert len(NoiseDataset()) == 8
    assert len(list(DataLoader(SlowDataset(5, 0.0), 2))) == 3


def test_the_script_shows_each_thing(capsys):
    for name, pattern in (
        ("seeds", r"own +(\d.\d\d \d.\d\d) +\1 +\1 +4 of 16   True   False"),
        ("repairs", r"seed_own: 16 of 16 different\n.*: 8 of 16"),
        ("streams", r"SharedNumberStream, 2 workers: \[\[0, 2\], \[1, 3\]"),
    ):
        SHOWS[name]()
        assert re.search(pattern, capsys.readouterr().out)
