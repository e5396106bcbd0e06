"""Two convolutions, the course's first network that keeps the pixels' places."""

import torch
from torch import nn
from torch.nn import functional as F


class CNN(nn.Module):
    """Two convolutions and one linear layer; course: "把之前全连接网络改成CNN".

    8,490 parameters: 10·(1·25 + 1) + 20·(10·25 + 1) + 10·(320 + 1).
    """

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.pooling = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(320, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        x = F.relu(self.pooling(self.conv1(x)))  # (B, 1, 28, 28) -> (B, 10, 24, 24) -> (B, 10, 12, 12)
        x = F.relu(self.pooling(self.conv2(x)))  # (B, 10, 12, 12) -> (B, 20, 8, 8) -> (B, 20, 4, 4)
        x = x.flatten(1)  # (B, 20, 4, 4) -> (B, 320)
        scores: torch.Tensor = self.fc(self.dropout(x))  # (B, 320) -> (B, 10)
        return scores
