"""The orders in which a shuffling DataLoader visits the rows, without loading torch.

`torch.utils.data.DataLoader(dataset, shuffle=True, generator=torch.Generator().manual_seed(seed))` takes these
numbers of 32 bits from its generator in each epoch that is read to its end (torch/utils/data/dataloader.py and
sampler.py; torch.randperm in ATen/native/TensorFactories.cpp):

1. two for the seed that the loader keeps for its workers;
2. count - 1 for the permutation of the rows;
3. count - 1 for a second permutation, which RandomSampler draws when the first is used up, and takes nothing from.

The generator is the Mersenne Twister with the seeding of its authors, which NumPy's RandomState has too
(M. Matsumoto and T. Nishimura, "Mersenne Twister", 1998).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.intp]


@lru_cache(maxsize=8)
def orders(count: int, epochs: int, seed: int) -> Order:
    """Return the rows in the order of their visits, (epochs, count), read-only; the same for every batch size.

    Args:
        count: rows, 1 or more.
        epochs: passes over them with the same generator, 1 or more.
        seed: of the generator, 0 to 2**32 - 1.

    """
    numbers = np.random.RandomState(seed).randint(0, 2**32, size=(epochs, 2 * count), dtype=np.uint32)
    taken = numbers[:, 2 : count + 1]  # (epochs, count - 1)
    partners = np.arange(count - 1) + taken % np.arange(count, 1, -1)  # where place 0, 1, … takes its row from
    order = _swapped(partners.T)
    order.flags.writeable = False
    return order.T


def _swapped(partners: NDArray[np.int64]) -> Order:
    """Swap each place with its partner, place after place: the shuffle of Fisher and Yates.

    All epochs at once, so that one NumPy call serves every epoch: (count - 1, epochs) -> (count, epochs).
    """
    places, epochs = len(partners) + 1, np.arange(partners.shape[1])
    order = np.repeat(np.arange(places)[:, None], len(epochs), axis=1)  # (count, epochs)
    for place, partner in enumerate(partners):
        here = order[place].copy()
        order[place] = order[partner, epochs]
        order[partner, epochs] = here
    return order
