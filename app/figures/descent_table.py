"""Every update of a run as a table: what the course's listings print, number for number, and the loss of all data."""

import numpy as np
import pandas as pd

from app.i18n import _
from core.descent import Trajectory


def updates(course: Trajectory) -> pd.DataFrame:
    """Return a row an update, in full precision.

    The epoch counts from 0, as the listings do. "loss before" is what the listing of the full batch prints, "loss
    after" what the listing of SGD prints: of the samples of this update alone. The rows of a batch count from 1.
    """
    columns: dict[str, object] = {_("update"): np.arange(1, len(course) + 1), _("epoch"): course.epoch}
    size = course.spec.size(len(course.points))
    if 1 < size < len(course.points):
        batches = [course.rows(update) + 1 for update in range(len(course))]
        columns[_("rows of the batch")] = [" ".join(map(str, batch.tolist())) for batch in batches]
    if size == 1:
        rows = course.spec.order(len(course.points)).reshape(-1)[: len(course)]
        x, y = course.points.arrays
        columns |= {"x": x[rows], "y": y[rows]}
    columns |= {_("gradient"): course.gradient_w, "w": course.w}
    if course.spec.with_bias:
        columns |= {_("gradient by b"): course.gradient_b, "b": course.b}
    before, after = course.loss, course.loss_after
    if size == len(course.points):  # the same but for rounding, added up as listed
        before, after = np.concatenate(([course.start_cost], course.cost[:-1])), course.cost
    columns |= {_("loss before"): before, _("loss after"): after, _("loss of all data"): course.cost}
    return pd.DataFrame(columns)
