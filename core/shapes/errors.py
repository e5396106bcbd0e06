"""One exception for every net that PyTorch would refuse, with PyTorch's words and what they mean."""

from __future__ import annotations

from typing import Literal

from core.errors import InputError

Place = Literal["definition", "call"]


class ShapeError(InputError):
    """A layer or an operation that cannot work, with two texts about it.

    `str(error)` is a plain sentence of what is wrong and what would be right, as a template with its values apart
    (see `InputError`). `torch` is what PyTorch says, word for word, with the exception's name in `error_type`; both
    are "" where PyTorch would not complain and only our own limits do.

    `at` says which line is to blame: PyTorch checks some arguments when the layer is built ("definition"), the rest
    when data flows through it ("call").
    """

    def __init__(
        self, message: str, *, torch: str = "", error_type: str = "RuntimeError", at: Place = "call", **values: object
    ) -> None:
        self.torch = torch
        self.error_type = error_type if torch else ""
        self.at: Place = at
        super().__init__(message, **values)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep everything when the error crosses a process boundary."""
        return (_rebuild, (self.message, self.torch, self.error_type, self.at, self.values))


def _rebuild(message: str, torch: str, error_type: str, at: Place, values: dict[str, object]) -> ShapeError:
    return ShapeError(message, torch=torch, error_type=error_type, at=at, **values)
