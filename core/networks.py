"""The course's networks as plain modules; the shapes stand beside the lines that make them."""

import torch
from torch import nn
from torch.nn import functional as F


class MLP(nn.Module):
    """Five linear layers over the pixels, which forget where each pixel was; course: "MINIST dataset".

    575,050 parameters, of them 784·512 + 512 in the first layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Linear(784, 512)
        self.l2 = nn.Linear(512, 256)
        self.l3 = nn.Linear(256, 128)
        self.l4 = nn.Linear(128, 64)
        self.l5 = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        x = x.flatten(1)  # (B, 1, 28, 28) -> (B, 784)
        x = F.relu(self.l1(x))  # (B, 784) -> (B, 512)
        x = F.relu(self.l2(x))  # (B, 512) -> (B, 256)
        x = F.relu(self.l3(x))  # (B, 256) -> (B, 128)
        x = F.relu(self.l4(x))  # (B, 128) -> (B, 64)
        scores: torch.Tensor = self.l5(x)  # (B, 64) -> (B, 10)
        return scores


class CNN(nn.Module):
    """Two convolutions and one linear layer; course: "把之前全连接网络改成CNN".

    8,490 parameters: 10·(1·25 + 1) + 20·(10·25 + 1) + 10·(320 + 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.pooling = nn.MaxPool2d(2)
        self.fc = nn.Linear(320, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        x = F.relu(self.pooling(self.conv1(x)))  # (B, 1, 28, 28) -> (B, 10, 24, 24) -> (B, 10, 12, 12)
        x = F.relu(self.pooling(self.conv2(x)))  # (B, 10, 12, 12) -> (B, 20, 8, 8) -> (B, 20, 4, 4)
        x = x.flatten(1)  # (B, 20, 4, 4) -> (B, 320)
        scores: torch.Tensor = self.fc(x)  # (B, 320) -> (B, 10)
        return scores


class InceptionA(nn.Module):
    """Four ways to see the same patch, side by side; course: "GoogLeNet".

    Whatever goes in, 16 + 24 + 24 + 24 = 88 channels come out, of the same height and width.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.branch1x1 = nn.Conv2d(in_channels, 16, kernel_size=1)
        self.branch5x5_1 = nn.Conv2d(in_channels, 16, kernel_size=1)
        self.branch5x5_2 = nn.Conv2d(16, 24, kernel_size=5, padding=2)
        self.branch3x3_1 = nn.Conv2d(in_channels, 16, kernel_size=1)
        self.branch3x3_2 = nn.Conv2d(16, 24, kernel_size=3, padding=1)
        self.branch3x3_3 = nn.Conv2d(24, 24, kernel_size=3, padding=1)
        self.branch_pool = nn.Conv2d(in_channels, 24, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, in_channels, H, W) to (B, 88, H, W)."""
        branches = [
            self.branch1x1(x),  # (B, in_channels, H, W) -> (B, 16, H, W)
            self.branch5x5_2(self.branch5x5_1(x)),  # -> (B, 16, H, W) -> (B, 24, H, W)
            self.branch3x3_3(self.branch3x3_2(self.branch3x3_1(x))),  # -> 16 -> 24 -> (B, 24, H, W)
            self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)),  # -> (B, 24, H, W)
        ]
        return torch.cat(branches, dim=1)  # 16 + 24 + 24 + 24 channels -> (B, 88, H, W)


class Inception(nn.Module):
    """Two convolutions, each followed by an Inception block; course: "GoogLeNet".

    97,298 parameters. The last layer takes 88·4·4 = 1408 numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(88, 20, kernel_size=5)
        self.incep1 = InceptionA(in_channels=10)
        self.incep2 = InceptionA(in_channels=20)
        self.pooling = nn.MaxPool2d(2)
        self.fc = nn.Linear(1408, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        x = F.relu(self.pooling(self.conv1(x)))  # (B, 1, 28, 28) -> (B, 10, 24, 24) -> (B, 10, 12, 12)
        x = self.incep1(x)  # (B, 10, 12, 12) -> (B, 88, 12, 12)
        x = F.relu(self.pooling(self.conv2(x)))  # (B, 88, 12, 12) -> (B, 20, 8, 8) -> (B, 20, 4, 4)
        x = self.incep2(x)  # (B, 20, 4, 4) -> (B, 88, 4, 4)
        x = x.flatten(1)  # (B, 88, 4, 4) -> (B, 1408)
        scores: torch.Tensor = self.fc(x)  # (B, 1408) -> (B, 10)
        return scores


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what went in; course: "Residule Net".

    The addition gives the gradient a way back that no layer can shrink (He et al. 2015, "Deep Residual Learning for
    Image Recognition").
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, H, W) to the same shape."""
        y = F.relu(self.conv1(x))
        y = self.conv2(y)
        return F.relu(x + y)


class ResNet(nn.Module):
    """Two convolutions, each followed by a residual block; course: "Residule Net".

    41,514 parameters. The last layer takes 32·4·4 = 512 numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=5)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5)
        self.rblock1 = ResidualBlock(16)
        self.rblock2 = ResidualBlock(32)
        self.pooling = nn.MaxPool2d(2)
        self.fc = nn.Linear(512, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        # The course applies relu before the pooling: the same numbers, for the largest of four survives either way.
        x = F.relu(self.pooling(self.conv1(x)))  # (B, 1, 28, 28) -> (B, 16, 24, 24) -> (B, 16, 12, 12)
        x = self.rblock1(x)  # (B, 16, 12, 12) -> (B, 16, 12, 12)
        x = F.relu(self.pooling(self.conv2(x)))  # (B, 16, 12, 12) -> (B, 32, 8, 8) -> (B, 32, 4, 4)
        x = self.rblock2(x)  # (B, 32, 4, 4) -> (B, 32, 4, 4)
        x = x.flatten(1)  # (B, 32, 4, 4) -> (B, 512)
        scores: torch.Tensor = self.fc(x)  # (B, 512) -> (B, 10)
        return scores
