"""Random numbers that belong to one run: initial weights and dropout draw from torch's own generators, as all do."""

import torch


class Stream:
    """torch's own generator of a device as one run sees it: in each ``with`` it goes on where the run left it."""

    def __init__(self, device: torch.device, seed: int) -> None:
        """Begin as after ``torch.manual_seed(seed)``."""
        self.generator = _own_generator(device)
        self.state = torch.Generator(device).manual_seed(seed).get_state()
        self._others = self.state  # what everybody else draws from, kept while this run draws

    def __enter__(self) -> None:
        """Put the run's state in place of the others'."""
        self._others = self.generator.get_state()
        self.generator.set_state(self.state)

    def __exit__(self, *error: object) -> None:
        """Put theirs back."""
        self.state = self.generator.get_state()
        self.generator.set_state(self._others)


def _own_generator(device: torch.device) -> torch.Generator:
    """Return the generator that torch uses on this device where none is given."""
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index or 0]
    if device.type == "mps":
        return torch.mps._get_default_mps_generator()  # torch has no public name for it
    return torch.default_generator
