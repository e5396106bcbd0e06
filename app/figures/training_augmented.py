"""What augmentation makes of a training image, as one picture."""

import io
from functools import lru_cache

import numpy as np

from app.figures.training_rows import picture
from core.run import RunSpec
from core.torch_thread import in_torch_thread

COUNT = 8  # epochs
ANY = "stack"  # a network that takes all images
SIDE = 56  # px of an image
IMAGE = 7  # of the training set: of MNIST a 3 that shows which way it is turned


@lru_cache(maxsize=64)
def strip(data: str, shift: int, rotate: float, seed: int) -> bytes:
    """Return a PNG of one training image as the first epochs may see it, side by side, as its set is shown.

    Raises InputError where the set is not here.
    """
    from PIL import Image

    from core.augmentation import examples

    spec = RunSpec(model=ANY, data=data, shift=shift, rotate=rotate, seed=seed)
    images = in_torch_thread(lambda: examples(IMAGE, spec, COUNT))  # (COUNT, C, H, W)
    row = np.concatenate(list(images), axis=2)  # (C, H, COUNT * W)
    content = io.BytesIO()
    picture(row).resize((COUNT * SIDE, SIDE), Image.Resampling.NEAREST).save(content, "PNG")
    return content.getvalue()
