"""The complete PyTorch script of what "Epochs, batches, iterations" shows: the code panel's source."""

from core.loading import Loading
from core.samples import FEW

_SCRIPT = '''\
"""Hand out the diabetes table in batches. Needs PyTorch, and {file} beside it, from the page's section on the data.

Rows, epochs and iterations are counted from 0, as Python counts.
"""

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class DiabetesDataset(Dataset):
    def __init__(self, filepath):
        xy = np.loadtxt(filepath, delimiter=",", dtype=np.float32)
{chosen}        self.len = xy.shape[0]  # shape is (rows, columns)
        self.x_data = torch.from_numpy(xy[:, :-1])  # ({count}, 8)
        self.y_data = torch.from_numpy(xy[:, [-1]])  # ({count}, 1)

    def __getitem__(self, index):
        # The table is small, so all of it was read in __init__. The number of the row is there to be printed.
        return index, self.x_data[index], self.y_data[index]

    def __len__(self):
        return self.len


dataset = DiabetesDataset("{file}")
train_loader = DataLoader(
    dataset=dataset,
    batch_size={batch_size},
    shuffle={shuffle},
    drop_last={drop_last},
    num_workers=0,
    generator=torch.Generator().manual_seed({seed}),  # the orders of this page; without it each run has others
)

if __name__ == "__main__":
    print(f"{{len(dataset)}} samples, {{len(train_loader)}} iterations per epoch")
    for epoch in range({epochs}):
        for i, data in enumerate(train_loader, 0):  # i is the iteration
            rows, inputs, labels = data  # inputs: (batch, 8), labels: (batch, 1)
            print(epoch, i, f"ones={{int(labels.sum())}}", "rows", *rows.tolist())
'''


_FEW = "        xy = xy[:: len(xy) // {few}]  # {few} rows, spread evenly over the table\n"
_SORTED = '        xy = xy[np.argsort(xy[:, -1], kind="stable")]  # sorted by label\n'


def script(spec: Loading, arrangement: str, file: str) -> str:
    """Write the script; it prints the length of an epoch, and each batch's epoch, iteration, label sum and rows.

    `file` is the whole table; the script takes the rows that `core.samples` takes, in the same arrangement.
    """
    chosen = (_FEW.format(few=FEW) if spec.count == FEW else "") + (_SORTED if arrangement == "sorted" else "")
    return _SCRIPT.format(
        file=file,
        chosen=chosen,
        count=spec.count,
        batch_size=spec.batch_size,
        shuffle=spec.shuffle,
        drop_last=spec.drop_last,
        seed=spec.seed,
        epochs=spec.epochs,
    )
