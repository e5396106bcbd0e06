import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.augmentation import augment, examples, turn_and_move
from core.datasets import mnist
from core.run import RunSpec


def digits(count):
    return torch.tensor(mnist().train_images[:count], dtype=torch.float32).unsqueeze(1)  # (count, 1, 28, 28)


@settings(deadline=None)
@given(angle=st.floats(-45, 45), move=st.tuples(st.integers(-8, 8), st.integers(-8, 8)))
def test_turning_and_moving_is_torchvision_s(angle, move):
    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    from torchvision.transforms.v2 import functional as tv

    pixels = digits(3)
    expected = tv.affine(
        pixels, angle=angle, translate=list(move), scale=1, shear=[0, 0], interpolation=tv.InterpolationMode.BILINEAR
    )
    ours = turn_and_move(pixels, torch.full((3,), angle), torch.tensor([move] * 3))
    assert torch.allclose(ours, expected, atol=0.02)  # of 255


def test_a_shift_moves_whole_pixels_and_brings_in_zeros():
    pixels = digits(2) + 1  # no zero in it
    moved = turn_and_move(pixels, torch.zeros(2), torch.tensor([[3, 0], [0, -2]]))
    assert torch.allclose(moved[0, :, :, 3:], pixels[0, :, :, :-3], atol=0.01)
    assert moved[0, :, :, :3].max() < 0.01
    assert torch.allclose(moved[1, :, :-2], pixels[1, :, 2:], atol=0.01)
    assert moved[1, :, -2:].max() < 0.01


def test_every_shift_within_the_bound_is_drawn_and_none_beyond():
    pixels = torch.zeros(2_000, 1, 28, 28)
    pixels[:, :, 14, 14] = 255
    moved = augment(pixels, torch.Generator().manual_seed(0), shift=2, rotate=0)
    places = moved.flatten(1).argmax(1)  # (2000,)
    found = {(place % 28 - 14, place // 28 - 14) for place in places.tolist()}
    assert found == {(x, y) for x in range(-2, 3) for y in range(-2, 3)}


def test_angles_stay_within_the_bound():
    pixels = torch.zeros(500, 1, 28, 28)
    pixels[:, :, 2] = 255  # a line far from the centre
    turned = augment(pixels, torch.Generator().manual_seed(0), shift=0, rotate=5)
    rows = torch.arange(28.0).view(1, 28)
    left, right = ((turned[:, 0, :, column] * rows).sum(1) / turned[:, 0, :, column].sum(1) for column in (8, 19))
    angles = torch.atan((right - left) / 11).rad2deg()  # (500,), positive clockwise
    assert 4 < angles.max() < 5.3
    assert -5.3 < angles.min() < -4


def test_equal_generators_give_equal_images_and_they_go_on():
    first, second = (torch.Generator().manual_seed(7) for _ in range(2))
    assert torch.equal(augment(digits(9), first, 2, 10), augment(digits(9), second, 2, 10))
    assert not torch.equal(
        augment(digits(9), first, 2, 10), augment(digits(9), torch.Generator().manual_seed(7), 2, 10)
    )


def test_examples_are_bytes_that_differ_and_come_again():
    spec = RunSpec(shift=2, rotate=15)
    shown = examples(4, spec, 12)
    assert (shown.shape, shown.dtype) == ((12, 1, 28, 28), "uint8")
    assert len({image.tobytes() for image in shown}) == 12
    assert (examples(4, spec, 12) == shown).all()


def test_without_augmentation_an_example_is_the_image():
    assert (examples(4, RunSpec(), 2) == mnist().train_images[4]).all()


@pytest.mark.parametrize("device", [torch.device("cpu")])
def test_the_result_lives_where_the_images_do(device):
    assert augment(digits(2).to(device), torch.Generator(), 1, 1).device == device
