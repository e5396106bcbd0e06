"""Residual blocks, the course's and those of the paper that it points to, and the course's small residual network."""

import torch
from torch import nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what went in; course: "Residule Net".

    With F for the two convolutions, x' = ReLU(x + F(x)). The addition gives the gradient a way back that no layer can
    shrink (He et al. 2015, "Deep Residual Learning for Image Recognition").
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


class ConstantScaling(ResidualBlock):
    """Both ways are halved: x' = ReLU(0.5·x + 0.5·F(x)).

    After L blocks the shortcut has shrunk to 0.5 to the power of L, and the gradient through it as well (He et al.
    2016, "Identity Mappings in Deep Residual Networks", section 3.1 with λ = 0.5).
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, H, W) to the same shape."""
        y = F.relu(self.conv1(x))
        y = self.conv2(y)
        return F.relu(0.5 * x + 0.5 * y)


class ExclusiveGating(ResidualBlock):
    """A gate shares out between the ways: x' = ReLU((1 − g)·x + g·F(x)) with g = sigmoid(W·x + b − 6).

    W·x + b is a 1×1 convolution; the 6 leaves the shortcut open at the start, as the paper does with b = −6 (He et al.
    2016, "Identity Mappings in Deep Residual Networks", section 3.1; the gate is that of highway networks).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.gate = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, H, W) to the same shape."""
        g = torch.sigmoid(self.gate(x) - 6)  # (B, channels, H, W), 0 to 1, about 0.0025 at the start
        y = F.relu(self.conv1(x))
        y = self.conv2(y)
        return F.relu((1 - g) * x + g * y)


class ShortcutGating(ResidualBlock):
    """A gate on the shortcut alone: x' = ReLU((1 − g)·x + F(x)) with g = sigmoid(W·x + b − 6).

    The gate is that of `ExclusiveGating`; F(x) passes it by (He et al. 2016, "Identity Mappings in Deep Residual
    Networks", section 3.1).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.gate = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, H, W) to the same shape."""
        g = torch.sigmoid(self.gate(x) - 6)  # (B, channels, H, W), 0 to 1, about 0.0025 at the start
        y = F.relu(self.conv1(x))
        y = self.conv2(y)
        return F.relu((1 - g) * x + y)


class ConvShortcut(ResidualBlock):
    """A 1×1 convolution V in place of the identity: x' = ReLU(V·x + F(x)).

    It could learn the identity and has more freedom, and still trains worse once there are many of them (He et al.
    2016, "Identity Mappings in Deep Residual Networks", section 3.1).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.shortcut = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, H, W) to the same shape."""
        y = F.relu(self.conv1(x))
        y = self.conv2(y)
        return F.relu(self.shortcut(x) + y)


class DropoutShortcut(ResidualBlock):
    """Half of the shortcut is dropped at random in training: x' = ReLU(dropout(x) + F(x)).

    On average that is a scaling of the shortcut, so it hinders the signal in the same way (He et al. 2016, "Identity
    Mappings in Deep Residual Networks", section 3.1).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, H, W) to the same shape."""
        y = F.relu(self.conv1(x))
        y = self.conv2(y)
        return F.relu(self.drop(x) + y)


class PreActivation(ResidualBlock):
    """Normalisation and ReLU before each convolution, nothing after the addition: x' = x + F(x).

    F is BN, ReLU, convolution, twice. Now the whole way from one block to any later one is an identity
    (He et al. 2016, "Identity Mappings in Deep Residual Networks", section 4, "full pre-activation").
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.norm1 = nn.BatchNorm2d(channels)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, H, W) to the same shape."""
        y = self.conv1(F.relu(self.norm1(x)))
        out: torch.Tensor = x + self.conv2(F.relu(self.norm2(y)))
        return out


class ResNet(nn.Module):
    """Two convolutions, each followed by a residual block; course: "Residule Net".

    41,514 parameters with the course's block. The last layer takes 32·4·4 = 512 numbers.
    """

    def __init__(self, block: type[ResidualBlock] = ResidualBlock, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=5)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5)
        self.rblock1 = block(16)
        self.rblock2 = block(32)
        self.pooling = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(512, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 1, 28, 28) to one score per digit (B, 10); softmax is part of the loss."""
        # The course applies relu before the pooling: the same numbers, for the largest of four survives either way.
        x = F.relu(self.pooling(self.conv1(x)))  # (B, 1, 28, 28) -> (B, 16, 24, 24) -> (B, 16, 12, 12)
        x = self.rblock1(x)  # (B, 16, 12, 12) -> (B, 16, 12, 12)
        x = F.relu(self.pooling(self.conv2(x)))  # (B, 16, 12, 12) -> (B, 32, 8, 8) -> (B, 32, 4, 4)
        x = self.rblock2(x)  # (B, 32, 4, 4) -> (B, 32, 4, 4)
        x = x.flatten(1)  # (B, 32, 4, 4) -> (B, 512)
        scores: torch.Tensor = self.fc(self.dropout(x))  # (B, 512) -> (B, 10)
        return scores
