"""What is in a file of `torch.save`, read without `torch.load`.

The file is a zip archive: `data.pkl` tells which objects there are, and `data/0`,
`data/1`, … hold the numbers of the tensors.
"""

# --8<-- [start:imports]
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:rebuild]
def rebuild_tensor(
    numbers: Tensor,
    offset: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    *others: Any,
) -> Tensor:
    """A tensor as a view of its numbers (N,): this is what `data.pkl` asks for."""
    return numbers.as_strided(shape, stride, offset)


PERMITTED = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": rebuild_tensor,
    "torch.DoubleStorage": torch.float64,
    "torch.FloatStorage": torch.float32,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}
# --8<-- [end:rebuild]


# --8<-- [start:unpickler]
class TensorUnpickler(pickle.Unpickler):
    """A pickle reader that can name a few things, and nothing else.

    A pickle is a list of instructions. The one that makes it dangerous is "fetch the
    object of this name", which ends in `find_class`. Here it is a look-up in a table.
    """

    def __init__(self, file: IO[bytes], archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self.archive, self.folder = archive, folder
        self.read: dict[str, Tensor] = {}  # tensors that shared memory share it again

    def find_class(self, module: str, name: str) -> Any:
        """The object of a name; raises UnpicklingError for all that are not listed."""
        full = f"{module}.{name}"
        if full not in PERMITTED:
            raise pickle.UnpicklingError(f"the file asks for {full}: refused")
        return PERMITTED[full]

    def persistent_load(self, reference: tuple[Any, ...]) -> Tensor:
        """The numbers (N,) that `data.pkl` refers to by the name of their file."""
        _, dtype, key, _, count = reference  # the fourth: the device they were on
        if key not in self.read:
            name = f"{self.folder}/data/{key}"
            if name not in self.archive.namelist():
                raise pickle.UnpicklingError(f"the file has no data/{key}")
            raw = self.archive.read(name)
            empty = torch.empty(0, dtype=dtype)  # frombuffer refuses no bytes at all
            self.read[key] = (
                torch.frombuffer(bytearray(raw), dtype=dtype) if raw else empty
            )
        if len(self.read[key]) != count:
            raise pickle.UnpicklingError(f"data/{key} does not hold {count} numbers")
        return self.read[key]


def read_torch_file(path: str | Path | IO[bytes]) -> Any:
    """The content of a file of `torch.save`, as `torch.load(path, "cpu")` gives it.

    Raises UnpicklingError for a file that asks for more than tensors and plain Python
    values, BadZipFile for a damaged one (`zipfile` compares the checksums), and
    ValueError for a zip file of another program or byte order.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickled = next((name for name in names if name.endswith("/data.pkl")), None)
        if pickled is None:
            raise ValueError(f"{path} is not of torch.save: it has no data.pkl")
        folder = pickled.removesuffix("/data.pkl")
        order = f"{folder}/byteorder"  # files of before PyTorch 2.1 have none
        if order in names and archive.read(order) != b"little":
            raise ValueError(f"{path} was written on a machine of another byte order")
        with archive.open(pickled) as file:
            return TensorUnpickler(file, archive, folder).load()


# --8<-- [end:unpickler]
