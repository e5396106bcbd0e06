"""The one folder where everything is kept that is made or fetched here: runs, measurements, downloaded data."""

from __future__ import annotations

import os
from pathlib import Path


def home(root: Path | str | None = None) -> Path:
    """Return `root`, or TORCHSCAPE_HOME, or the user's cache folder; it need not exist yet."""
    return Path(root or os.environ.get("TORCHSCAPE_HOME") or _cache_folder()).expanduser().resolve()


def _cache_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("torchscape")
