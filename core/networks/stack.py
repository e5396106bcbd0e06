"""Many 3×3 convolutions one after the other, plain or residual; otherwise the same network."""

import torch
from torch import nn
from torch.nn import functional as F


class StackBlock(nn.Module):
    """Two 3×3 convolutions: plain x' = ReLU(F(x)), residual x' = ReLU(x + F(x)).

    Where the block halves height and width and adds channels, the shortcut takes every second pixel and adds channels
    of zeros, so that it has no weights (He et al. 2015, "Deep Residual Learning for Image Recognition", option A): both
    kinds have the same parameters.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, residual: bool, norm: bool) -> None:
        super().__init__()
        self.stride, self.new_channels, self.residual = stride, out_channels - in_channels, residual
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)
        self.norm1 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.norm2 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride), rounded up."""
        y = F.relu(self.norm1(self.conv1(x)))  # -> (B, out_channels, H/stride, W/stride)
        y = self.norm2(self.conv2(y))
        if self.residual:
            y = y + self.shortcut(x)
        return F.relu(y)

    def shortcut(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, in_channels, H, W) to the shape that the convolutions give it."""
        if self.stride == 1:
            return x
        x = x[:, :, ::2, ::2]  # -> (B, in_channels, H/2, W/2)
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))  # channels of zeros after those of x


class Stack(nn.Module):
    """A network of `depth` = 6n + 2 layers with weights; course: "Go Deeper".

    One convolution, three stages of n blocks of two convolutions each, one linear layer, as for CIFAR-10 in He et al.
    2015, "Deep Residual Learning for Image Recognition", but with few channels and a stride at once, so that 56 layers
    train on a processor.
    """

    def __init__(
        self, depth: int = 20, residual: bool = True, norm: bool = False, channels: int = 8, in_channels: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, kernel_size=3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(channels) if norm else nn.Identity()
        blocks = []
        before = channels
        for stage in range(3):
            after = channels * 2**stage  # channels, 2·channels, 4·channels
            for index in range((depth - 2) // 6):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(StackBlock(before, after, stride, residual, norm))
                before = after
        self.blocks = nn.Sequential(*blocks)
        self.pooling = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4 * channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, in_channels, H, W) to one score per class (B, 10); softmax is part of the loss."""
        x = F.relu(self.norm(self.conv(x)))  # digits: (B, 1, 28, 28) -> (B, channels, 14, 14)
        x = self.blocks(x)  # -> (B, channels, 14, 14) -> (B, 2·channels, 7, 7) -> (B, 4·channels, 4, 4)
        x = self.pooling(x).flatten(1)  # the mean of each channel: (B, 4·channels, 4, 4) -> (B, 4·channels)
        scores: torch.Tensor = self.fc(x)  # (B, 4·channels) -> (B, 10)
        return scores
