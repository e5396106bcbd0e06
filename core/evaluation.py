"""What a test says about a network: loss, accuracy, what it sees in each image and where it is most wrong."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.records import Mistake

WORST = 24  # mistakes that a test reports


def evaluate(scores: Tensor, labels: Tensor) -> dict[str, Any]:
    """Return the fields of an Epoch that a test fills; `scores` (N, 10) in float32, `labels` (N,) the digits."""
    log_p, labels = F.log_softmax(scores, dim=1).cpu(), labels.cpu()
    predicted = log_p.argmax(1)  # (N,)
    return {
        "test_loss": F.nll_loss(log_p, labels).item(),
        "test_accuracy": (predicted == labels).sum().item() / len(labels),
        "worst": worst_mistakes(log_p, labels),
        "predicted": (predicted + ord("0")).to(torch.uint8).numpy().tobytes().decode("ascii"),
    }


def worst_mistakes(log_p: Tensor, labels: Tensor) -> tuple[Mistake, ...]:
    """Return the mistakes where the truth got the least probability; none where a network has diverged to NaN.

    `log_p` (N, 10) are log probabilities, `labels` (N,) the digits.
    """
    predicted = log_p.argmax(1)  # (N,)
    of_truth = log_p.gather(1, labels[:, None]).squeeze(1)  # (N,)
    wrong = ((predicted != labels) & log_p.isfinite().all(1)).nonzero().squeeze(1)
    chosen = wrong[of_truth[wrong].argsort(stable=True)][:WORST]
    return tuple(
        Mistake(
            index=index,
            label=int(labels[index]),
            predicted=int(predicted[index]),
            confidence=log_p[index].max().exp().item(),
            true_probability=of_truth[index].exp().item(),
        )
        for index in chosen.tolist()
    )
