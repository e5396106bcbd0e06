"""One exception for everything that a person may type wrong."""


class Names(tuple[str, ...]):
    """Several names in a sentence; in English with commas between them, and a page writes them as its language does."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(self)


class InputError(ValueError):
    """A value that was refused, with one sentence that says what would be right.

    The sentence is an English template and its values are kept apart, so that a page can translate the
    template and fill it in afterwards; `str(error)` is the English sentence.

    >>> str(InputError("lr must be above 0, not {lr}", lr=-1))
    'lr must be above 0, not -1'
    """

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values
        super().__init__(message.format(**values))

    def __reduce__(self) -> tuple[object, ...]:
        """Keep template and values when the error crosses a process boundary."""
        return (_rebuild, (self.message, self.values))


def _rebuild(message: str, values: dict[str, object]) -> InputError:
    return InputError(message, **values)
