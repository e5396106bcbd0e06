"""Layers that see the results of all layers before them."""

import torch
from torch import nn
from torch.nn import functional as F


class DenseLayer(nn.Module):
    """Adds `growth` channels to what went in: x' = [x, H(x)]; course: "DenseNet".

    H is BN, ReLU, a 1×1 convolution to 4·growth channels (the bottleneck), BN, ReLU, a 3×3 convolution to `growth`
    (Huang et al. 2017, "Densely Connected Convolutional Networks", section 3, DenseNet-B).
    """

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, 4 * growth, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, kernel_size=3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, in_channels, H, W) to (B, in_channels + growth, H, W)."""
        y = self.conv1(F.relu(self.norm1(x)))  # -> (B, 4·growth, H, W)
        y = self.conv2(F.relu(self.norm2(y)))  # -> (B, growth, H, W)
        return torch.cat([x, y], dim=1)  # nothing is added up: what was found stays as it is


class Transition(nn.Module):
    """Halves channels, height and width between two dense blocks.

    BN, ReLU, a 1×1 convolution, the mean of each 2×2 (Huang et al. 2017, section 3, compression θ = 0.5).
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, in_channels // 2, kernel_size=1, bias=False)
        self.pooling = nn.AvgPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, in_channels, H, W) to (B, in_channels/2, H/2, W/2), rounded down."""
        out: torch.Tensor = self.pooling(self.conv(F.relu(self.norm(x))))
        return out


class DenseNet(nn.Module):
    """Three dense blocks of `layers` layers, a transition after the first two; course: "DenseNet".

    Begins with 2·growth channels (Huang et al. 2017, "Densely Connected Convolutional Networks", DenseNet-BC), but
    with a stride at once, so that it trains on a processor.
    """

    def __init__(self, growth: int = 8, layers: int = 4, in_channels: int = 1) -> None:
        super().__init__()
        channels = 2 * growth
        self.conv = nn.Conv2d(in_channels, channels, kernel_size=3, stride=2, padding=1, bias=False)
        blocks: list[nn.Module] = []
        for block in range(3):
            for _ in range(layers):
                blocks.append(DenseLayer(channels, growth))
                channels += growth
            if block < 2:
                blocks.append(Transition(channels))
                channels //= 2
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(channels)
        self.pooling = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, in_channels, H, W) to one score per class (B, 10); softmax is part of the loss."""
        x = self.conv(x)  # digits: (B, 1, 28, 28) -> (B, 2·growth, 14, 14)
        x = self.blocks(x)  # each transition halves: 14×14 -> 7×7 -> 3×3; with growth 8 and 4 layers (B, 60, 3, 3)
        x = self.pooling(F.relu(self.norm(x))).flatten(1)  # the mean of each channel: -> (B, 60)
        scores: torch.Tensor = self.fc(x)  # (B, 60) -> (B, 10)
        return scores
