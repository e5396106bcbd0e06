import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import mnist
from core.lead import find_lead, harder_to_train
from core.records import Epoch


def epochs(*accuracies, predicted=""):
    return [
        Epoch(
            epoch=number, train_loss=1.0, test_loss=1.0, test_accuracy=accuracy, seconds=1.0,
            images_per_second=1.0, device="cpu", worst=(), train_accuracy=accuracy, predicted=predicted,
        )
        for number, accuracy in enumerate(accuracies, 1)
    ]  # fmt: skip


def test_the_leader_is_named_with_its_lead_and_since_when():
    lead = find_lead([epochs(0.9, 0.91, 0.92), epochs(0.8, 0.93, 0.97, 0.99), epochs(0.7, 0.8, 0.95)])
    assert (lead.order, lead.epoch, lead.since) == ((1, 2, 0), 3, 2)
    assert lead.ahead == pytest.approx(0.02)
    assert lead.clear


def test_a_lead_of_chance_is_not_clear():
    assert not find_lead([epochs(0.990), epochs(0.991)]).clear


LABELS = mnist().test_labels
RIGHT = "".join(map(str, LABELS))


def seen(*wrong):
    """Return what a network sees that takes the images of these ranges for other digits."""
    digits = LABELS.copy()
    for images in wrong:
        digits[images] = (digits[images] + 1) % 10
    return "".join(map(str, digits))


def test_where_it_was_kept_what_two_runs_saw_the_images_on_which_they_differ_decide():
    better, worse = (
        epochs(0.99 - share, predicted=seen(range(*images))) for share, images in ((0, (0, 100)), (0.001, (0, 110)))
    )
    lead = find_lead([worse, better])
    assert (lead.leader, lead.split.first, lead.split.second) == (1, 10, 0)
    assert lead.split.chance == pytest.approx(2 * 0.5**10)
    assert lead.clear  # where the errors of two accuracies would not tell
    assert not find_lead([epochs(0.99), epochs(0.989)]).clear
    mixed = epochs(0.9898, predicted=seen(range(60, 162)))
    assert not find_lead([better, mixed]).clear


def test_a_run_that_falls_behind_in_training_is_hard_to_train():
    assert harder_to_train([epochs(0.7, 0.9), epochs(0.6, 0.3, 0.99), epochs(0.6, 0.88)]) == [1]
    assert harder_to_train([epochs(0.9), epochs(0.3, 0.99)]) == []  # the first epoch is that of a beginner
    assert harder_to_train([]) == []


def test_without_two_runs_that_have_an_epoch_nobody_leads():
    assert find_lead([]) is None
    assert find_lead([epochs(0.9)]) is None
    assert find_lead([epochs(0.9), []]) is None


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), min_size=2, max_size=5))
def test_nobody_is_ahead_of_the_leader_from_then_on(tables):
    lead = find_lead([epochs(*table) for table in tables])
    assert 1 <= lead.since <= lead.epoch
    assert lead.ahead >= 0
    for epoch in range(lead.since, lead.epoch + 1):
        assert tables[lead.leader][epoch - 1] == max(table[epoch - 1] for table in tables)
    if lead.since > 1:
        assert tables[lead.leader][lead.since - 2] < max(table[lead.since - 2] for table in tables)
