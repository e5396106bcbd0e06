"""A fully connected network, the course's first for MNIST."""

import torch
from torch import nn
from torch.nn import functional as F


class MLP(nn.Module):
    """Five linear layers over the pixels, which forget where each pixel was; course: "MINIST dataset".

    575,050 parameters, of them 784·512 + 512 in the first layer.
    """

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.l1 = nn.Linear(784, 512)
        self.l2 = nn.Linear(512, 256)
        self.l3 = nn.Linear(256, 128)
        self.l4 = nn.Linear(128, 64)
        self.dropout = nn.Dropout(dropout)
        self.l5 = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        x = x.flatten(1)  # (B, 1, 28, 28) -> (B, 784)
        x = F.relu(self.l1(x))  # (B, 784) -> (B, 512)
        x = F.relu(self.l2(x))  # (B, 512) -> (B, 256)
        x = F.relu(self.l3(x))  # (B, 256) -> (B, 128)
        x = F.relu(self.l4(x))  # (B, 128) -> (B, 64)
        scores: torch.Tensor = self.l5(self.dropout(x))  # (B, 64) -> (B, 10)
        return scores
