"""Several kernel sizes side by side, after GoogLeNet."""

import torch
from torch import nn
from torch.nn import functional as F


class InceptionA(nn.Module):
    """Four ways to see the same patch, side by side; course: "GoogLeNet".

    Whatever goes in, 16 + 24 + 24 + 24 = 88 channels come out, of the same height and width; a branch that is switched
    off takes its channels with it.
    """

    def __init__(
        self,
        in_channels: int,
        branch1x1: bool = True,
        branch5x5: bool = True,
        branch3x3: bool = True,
        branch_pool: bool = True,
    ) -> None:
        super().__init__()
        self.use_1x1, self.use_5x5, self.use_3x3, self.use_pool = branch1x1, branch5x5, branch3x3, branch_pool
        if branch1x1:
            self.branch1x1 = nn.Conv2d(in_channels, 16, kernel_size=1)
        if branch5x5:
            self.branch5x5_1 = nn.Conv2d(in_channels, 16, kernel_size=1)
            self.branch5x5_2 = nn.Conv2d(16, 24, kernel_size=5, padding=2)
        if branch3x3:
            self.branch3x3_1 = nn.Conv2d(in_channels, 16, kernel_size=1)
            self.branch3x3_2 = nn.Conv2d(16, 24, kernel_size=3, padding=1)
            self.branch3x3_3 = nn.Conv2d(24, 24, kernel_size=3, padding=1)
        if branch_pool:
            self.branch_pool = nn.Conv2d(in_channels, 24, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, in_channels, H, W) to (B, 88, H, W), or to fewer channels."""
        branches = []
        if self.use_1x1:
            branches.append(self.branch1x1(x))  # (B, in_channels, H, W) -> (B, 16, H, W)
        if self.use_5x5:
            branches.append(self.branch5x5_2(self.branch5x5_1(x)))  # -> (B, 16, H, W) -> (B, 24, H, W)
        if self.use_3x3:
            branches.append(self.branch3x3_3(self.branch3x3_2(self.branch3x3_1(x))))  # -> 16 -> 24 -> (B, 24, H, W)
        if self.use_pool:
            pooled = F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)  # -> (B, in_channels, H, W)
            branches.append(self.branch_pool(pooled))  # -> (B, 24, H, W)
        return torch.cat(branches, dim=1)  # 16 + 24 + 24 + 24 channels -> (B, 88, H, W)


class Inception(nn.Module):
    """Two convolutions, each followed by an Inception block; course: "GoogLeNet".

    With all branches 97,298 parameters, and the last layer takes 88·4·4 = 1408 numbers.
    """

    def __init__(
        self,
        branch1x1: bool = True,
        branch5x5: bool = True,
        branch3x3: bool = True,
        branch_pool: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        branches = 16 * branch1x1 + 24 * branch5x5 + 24 * branch3x3 + 24 * branch_pool  # channels of a block, up to 88
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(branches, 20, kernel_size=5)
        self.incep1 = InceptionA(10, branch1x1, branch5x5, branch3x3, branch_pool)
        self.incep2 = InceptionA(20, branch1x1, branch5x5, branch3x3, branch_pool)
        self.pooling = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(branches * 4 * 4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        x = F.relu(self.pooling(self.conv1(x)))  # (B, 1, 28, 28) -> (B, 10, 24, 24) -> (B, 10, 12, 12)
        x = self.incep1(x)  # (B, 10, 12, 12) -> (B, 88, 12, 12)
        x = F.relu(self.pooling(self.conv2(x)))  # (B, 88, 12, 12) -> (B, 20, 8, 8) -> (B, 20, 4, 4)
        x = self.incep2(x)  # (B, 20, 4, 4) -> (B, 88, 4, 4)
        x = x.flatten(1)  # (B, 88, 4, 4) -> (B, 1408)
        scores: torch.Tensor = self.fc(self.dropout(x))  # (B, 1408) -> (B, 10)
        return scores
