"""Windows that slide along one axis: how many fit, written out with their numbers.

Source: the "Shape" sections of torch.nn.Conv2d, MaxPool2d, ConvTranspose2d and AdaptiveAvgPool2d.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from core.messages import N_

NAMES = {1: (N_("length"),), 2: (N_("height"), N_("width")), 3: (N_("depth"), N_("height"), N_("width"))}
LETTERS = {1: ("C", "L"), 2: ("C", "H", "W"), 3: ("C", "D", "H", "W")}  # of one image, in PyTorch's documentation
FEW = 100_000  # positions that are worth listing one by one


@dataclass(frozen=True, kw_only=True)
class Axis:
    """How the windows of a convolution or of pooling meet one axis of their input."""

    name: str  # to be translated
    size: int  # of the input, in pixels
    kernel: int  # weights of a window
    stride: int = 1  # pixels from one window to the next
    before: int = 0  # padding in front, in pixels
    after: int = 0  # padding behind
    dilation: int = 1  # pixels from one weight to the next
    ceil: bool = False  # pooling with ceil_mode: a last window may hang over the end

    @property
    def span(self) -> int:
        """Pixels from the first weight of a window to its last, both included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def quotient(self) -> Fraction:
        """How many strides there is room for, not yet rounded."""
        return Fraction(self.size + self.before + self.after - self.span, self.stride)

    @property
    def dropped(self) -> bool:
        """Whether ceil_mode adds a window that would begin in the padding behind, and so is left out again."""
        return self.ceil and ceil(self.quotient) * self.stride >= self.size + self.before

    @property
    def out(self) -> int:
        """The size of the output: the number of windows."""
        strides = ceil(self.quotient) if self.ceil else self.quotient.__floor__()
        return strides + 1 - self.dropped

    @property
    def discarded(self) -> int:
        """Pixels at the end of the axis behind the last window."""
        last = (self.out - 1) * self.stride - self.before + self.span
        return min(self.size, max(0, self.size - last)) if self.out > 0 else self.size

    @property
    def jump(self) -> Fraction:
        """Input pixels from one output pixel to the next."""
        return Fraction(self.stride)

    @property
    def reach(self) -> int:
        """Input pixels from the first to the last that one output pixel sees, both included."""
        return self.span

    @property
    def offset(self) -> Fraction:
        """The input position at which the first output pixel begins to see; negative in the padding."""
        return Fraction(-self.before)

    def positions(self, index: int) -> tuple[int, ...]:
        """Return the input pixels that output pixel `index` sees, padding left out."""
        first = index * self.stride - self.before
        seen = range(first, first + self.span, self.dilation)
        return tuple(position for position in seen if 0 <= position < self.size)

    def unreached(self) -> tuple[int, ...]:
        """Return all input pixels that no window meets, also those between windows; () for very long axes."""
        if max(self.size, self.out * self.kernel) > FEW:
            return ()
        met = {position for index in range(self.out) for position in self.positions(index)}
        return tuple(position for position in range(self.size) if position not in met)

    @property
    def skipped(self) -> int:
        """Pixels between windows, or in the gaps of dilated ones, that no window meets."""
        return max(0, len(self.unreached()) - self.discarded)

    def formula(self) -> str:
        """Write the sum: ⌊(28 + 2·0 − 1·(5 − 1) − 1)/1⌋ + 1 = 24."""
        padding = f"2·{self.before}" if self.before == self.after else f"{self.before} + {self.after}"
        inside = f"({self.size} + {padding} − {self.dilation}·({self.kernel} − 1) − 1)/{self.stride}"
        less = " − 1" if self.dropped else ""
        rounded = self._rounded(inside)
        if self.quotient.denominator == 1:
            return f"{rounded} + 1{less} = {number(self.out)}"
        return f"{rounded} + 1{less} = {self._rounded(decimal(self.quotient))} + 1{less} = {number(self.out)}"

    def latex(self) -> str:
        """Write the same for a formula on a page."""
        return _latex(self.formula())

    def _rounded(self, text: str) -> str:
        return f"⌈{text}⌉" if self.ceil else f"⌊{text}⌋"


@dataclass(frozen=True, kw_only=True)
class TransposedAxis(Axis):
    """How a transposed convolution spreads one axis: each input pixel paints a window of the output."""

    extra: int = 0  # output_padding: pixels added behind

    @property
    def quotient(self) -> Fraction:
        """The number of output pixels; nothing is rounded here."""
        return Fraction(self.out)

    @property
    def dropped(self) -> bool:
        """No window is left out."""
        return False

    @property
    def out(self) -> int:
        """The size of the output."""
        return (self.size - 1) * self.stride - self.before - self.after + self.span + self.extra

    @property
    def discarded(self) -> int:
        """Every input pixel is used."""
        return 0

    @property
    def jump(self) -> Fraction:
        """Input pixels from one output pixel to the next: less than one."""
        return Fraction(1, self.stride)

    @property
    def reach(self) -> int:
        """Most input pixels that meet in one output pixel."""
        return -(-self.span // self.stride)

    @property
    def offset(self) -> Fraction:
        """The input position, as a fraction of a pixel, of the first window's begin."""
        return Fraction(self.before - self.span + 1, self.stride)

    def positions(self, index: int) -> tuple[int, ...]:
        """Return the input pixels whose windows meet output pixel `index`."""
        painted = index + self.before
        begins = (painted - weight * self.dilation for weight in reversed(range(self.kernel)))
        seen = (begin // self.stride for begin in begins if begin % self.stride == 0)
        return tuple(position for position in seen if 0 <= position < self.size)

    def formula(self) -> str:
        """Write the sum: (12 − 1)·2 − 2·1 + 1·(4 − 1) + 0 + 1 = 24."""
        return (
            f"({self.size} − 1)·{self.stride} − 2·{self.before} + {self.dilation}·({self.kernel} − 1)"
            f" + {self.extra} + 1 = {number(self.out)}"
        )


@dataclass(frozen=True, kw_only=True)
class WantedAxis(Axis):
    """An axis of which the size of the output is wanted, and not the windows."""

    wanted: int  # pixels of the output

    @property
    def quotient(self) -> Fraction:
        """Input pixels per output pixel."""
        return Fraction(self.size, self.wanted) if self.wanted else Fraction(0)

    @property
    def out(self) -> int:
        """The wanted size."""
        return self.wanted

    @property
    def discarded(self) -> int:
        """Every input pixel is used."""
        return 0

    @property
    def jump(self) -> Fraction:
        """Input pixels from one output pixel to the next, on average."""
        return self.quotient


@dataclass(frozen=True, kw_only=True)
class AdaptiveAxis(WantedAxis):
    """Windows that are laid out so that a wanted number of them covers the axis; they may overlap and differ."""

    kernel: int = 1  # not used: windows differ in size

    @property
    def reach(self) -> int:
        """Pixels of the largest window."""
        few = range(min(self.wanted, self.size, FEW))  # the pattern repeats after `size` windows
        return max((len(self.window(index)) for index in few), default=0)

    @property
    def offset(self) -> Fraction:
        """The first window begins at the first pixel."""
        return Fraction(0)

    def window(self, index: int) -> range:
        """Return the pixels of one window: from ⌊i·size/out⌋ to ⌈(i + 1)·size/out⌉, without the end."""
        return range(index * self.size // self.wanted, -(-(index + 1) * self.size // self.wanted))

    def positions(self, index: int) -> tuple[int, ...]:
        """Return the input pixels that output pixel `index` sees."""
        return tuple(self.window(index))

    def formula(self) -> str:
        """Write what is laid out: 7 pixels in 3 windows, 7/3 = 2.333."""
        return f"{self.size} → {self.wanted} ({self.size}/{self.wanted} = {decimal(self.quotient)})"


@dataclass(frozen=True, kw_only=True)
class ScaledAxis(WantedAxis):
    """An axis that is resized; each output pixel is read from `kernel` input pixels."""

    def formula(self) -> str:
        """Write the new size."""
        return f"{self.size} → {self.wanted}"


def number(value: int) -> str:
    """Write a whole number with a true minus sign."""
    return str(value).replace("-", "−")


def decimal(value: Fraction) -> str:
    """Write a fraction with at most three decimals: 11.5, 2.333."""
    return f"{float(value):.3f}".rstrip("0").rstrip(".").replace("-", "−")


def _latex(text: str) -> str:
    signs = {
        "⌊": r"\lfloor ",
        "⌋": r"\rfloor ",
        "⌈": r"\lceil ",
        "⌉": r"\rceil ",
        "·": r"\cdot ",
        "−": "-",
        "→": r"\to ",
    }
    for sign, command in signs.items():
        text = text.replace(sign, command)
    return text
