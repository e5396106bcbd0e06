"""Epochs, batches and iterations: which samples a DataLoader hands out, and when.

The orders come from `core.shuffle`, which draws as torch does, so that a page shows them without loading torch;
`from_torch` lets the DataLoader itself hand them out. Course: "加载数据集".
https://docs.pytorch.org/docs/stable/data.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.messages import N_
from core.samples import Samples
from core.shuffle import orders

MAX_EPOCHS = 10


@dataclass(frozen=True, kw_only=True)
class Loading:
    """What a DataLoader is told, for a number of epochs.

    Raises InputError for a batch larger than the data and for whatever is no whole number within its range.
    """

    count: int = 12  # samples of the data set, from 1
    batch_size: int = 5  # samples, 1 to count
    shuffle: bool = True  # a new order each epoch
    drop_last: bool = False  # leave a short last batch out
    epochs: int = 3  # 1 to 10
    seed: int = 0  # of the orders, 0 to 2**32 - 1

    def __post_init__(self) -> None:
        numbers = {name: getattr(self, name) for name in limits(self.count)}
        for error in refusals(self.count, numbers):
            raise error

    @property
    def iterations(self) -> int:
        """Return the batches of an epoch: ⌈count / batch_size⌉, with drop_last ⌊count / batch_size⌋."""
        return self.count // self.batch_size if self.drop_last else math.ceil(self.count / self.batch_size)

    @property
    def rest(self) -> int:
        """Return the samples that fill no whole batch: the size of the short last one, or what is dropped; maybe 0."""
        return self.count % self.batch_size

    @property
    def handed_out(self) -> int:
        """Return the samples that an epoch hands out."""
        return self.count - (self.rest if self.drop_last else 0)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Return the order of each epoch, (epochs, count), the dropped samples at its end."""
        if self.shuffle:
            return orders(self.count, self.epochs, self.seed)
        return np.tile(np.arange(self.count), (self.epochs, 1))

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return the rows of each batch of an epoch, counted from 0."""
        starts = range(0, self.handed_out, self.batch_size)
        return [self.order[epoch, start : start + self.batch_size] for start in starts]

    def dropped(self, epoch: int) -> NDArray[np.int64]:
        """Return the rows that this epoch leaves out."""
        return self.order[epoch, self.handed_out :]

    @cached_property
    def never_seen(self) -> NDArray[np.int64]:
        """Return the rows that none of the epochs hands out."""
        return np.setdiff1d(np.arange(self.count), self.order[:, : self.handed_out])


def limits(count: int) -> dict[str, tuple[int, int]]:
    """Return the least and the largest value of each number of a Loading over `count` samples."""
    return {"batch_size": (1, count), "epochs": (1, MAX_EPOCHS), "seed": (0, 2**32 - 1)}


def refusals(count: int, numbers: Mapping[str, float]) -> list[InputError]:
    """Return what is wrong with the numbers of a Loading over `count` samples, a sentence for each of them."""
    sentences = {
        "batch_size": N_(
            "The batch size must be a whole number from 1 to {high:,}, the number of samples, not {value}."
        ),
        "epochs": N_("The number of epochs must be a whole number from 1 to {high:,}, not {value}."),
        "seed": N_("The seed must be a whole number from 0 to {high:,}, not {value}."),
    }
    return [
        InputError(sentences[name], high=high, value=f"{numbers[name]:,.15g}")
        for name, (low, high) in limits(count).items()
        if not low <= numbers[name] <= high or numbers[name] != int(numbers[name])  # NaN and infinity are none
    ]


def from_torch(spec: Loading, samples: Samples) -> list[list[list[int]]]:
    """Return the rows of each batch of each epoch, as torch's own DataLoader hands them out.

    The Dataset is the course's, with the number of the row beside its values.
    """
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Rows(Dataset[tuple[int, torch.Tensor, torch.Tensor]]):
        def __init__(self) -> None:
            self.x = torch.from_numpy(samples.x.astype(np.float32))  # (n, 8)
            self.y = torch.from_numpy(samples.y.astype(np.float32)[:, None])  # (n, 1)

        def __getitem__(self, index: int) -> tuple[int, torch.Tensor, torch.Tensor]:
            return index, self.x[index], self.y[index]

        def __len__(self) -> int:
            return len(self.y)

    loader = DataLoader(
        Rows(),
        batch_size=spec.batch_size,
        shuffle=spec.shuffle,
        drop_last=spec.drop_last,
        generator=torch.Generator().manual_seed(spec.seed),
    )
    return [[rows.tolist() for rows, _x, _y in loader] for _epoch in range(spec.epochs)]
