"""What augmentation makes of a training image, as one picture."""

import io
from functools import lru_cache

from core.run import RunSpec
from core.torch_thread import in_torch_thread

COUNT = 8  # epochs
SIDE = 56  # px of an image
IMAGE = 7  # of the training set: a 3 that shows which way it is turned


@lru_cache(maxsize=64)
def strip(shift: int, rotate: float, seed: int) -> bytes:
    """Return a PNG of one training image as the first epochs may see it, side by side, dark ink on white paper."""
    from PIL import Image

    from core.augmentation import examples

    spec = RunSpec(shift=shift, rotate=rotate, seed=seed)
    images = in_torch_thread(lambda: examples(IMAGE, spec, COUNT))  # (COUNT, 28, 28)
    row = 255 - images.transpose(1, 0, 2).reshape(images.shape[1], -1)  # (28, COUNT * 28)
    content = io.BytesIO()
    Image.fromarray(row).resize((COUNT * SIDE, SIDE), Image.Resampling.NEAREST).save(content, "PNG")
    return content.getvalue()
