import os
from dataclasses import fields

import pytest
import torch

from core import device
from core.device import Placement, find_placement, spin_briefly, usable_cores
from core.errors import InputError


def test_facts_about_the_machine_agree_with_torch():
    assert find_placement().torch == torch.__version__
    assert device.has_bfloat16() == (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    assert device._is_cpu_build() == (torch.version.cuda is None and torch.version.hip is None)
    expected = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    assert device._accelerators() == tuple(name for name, there in expected.items() if there)


def test_every_choice_has_its_reason():
    for shared in (False, True):
        placement = find_placement(shared=shared)
        assert set(placement.reasons) == {"device", "dtype", "layout", "threads"}
        assert all(reason.endswith(".") for reason in placement.reasons.values())


def test_facts_are_all_fields_but_the_reasons():
    assert set(find_placement().facts()) == {field.name for field in fields(Placement)} - {"reasons"}


def test_bfloat16_only_with_channels_last_and_only_where_the_processor_has_it(monkeypatch):
    monkeypatch.setattr(device, "has_bfloat16", lambda: True)
    placement = find_placement("cpu")
    assert (placement.dtype, placement.layout) == ("bfloat16", "channels_last")
    monkeypatch.setattr(device, "has_bfloat16", lambda: False)
    assert find_placement("cpu").dtype == "float32"


def test_a_job_beside_the_server_takes_one_thread():
    assert find_placement("cpu", shared=True).threads == 1
    assert find_placement("cpu").threads == min(usable_cores(), device.TERMINAL_THREADS)
    assert find_placement("cpu", 3, shared=True).threads == 3


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot tell which cores are allowed")
def test_cores_that_are_not_allowed_do_not_count(monkeypatch):
    allowed = min(os.sched_getaffinity(0))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {allowed})
    assert usable_cores() == 1


@pytest.mark.parametrize("accelerators", [(), ("cuda",), ("mps",)])
def test_auto_takes_the_accelerator_that_is_there(monkeypatch, accelerators):
    monkeypatch.setattr(device, "_accelerators", lambda: accelerators)
    assert find_placement().device == (accelerators[0] if accelerators else "cpu")
    assert find_placement("cpu").device == "cpu"
    for name in {"cuda", "mps"} - set(accelerators):
        with pytest.raises(InputError, match=f"no {name} device"):
            find_placement(name)


@pytest.mark.parametrize(("name", "threads"), [("gpu", None), ("", None), ("cpu", 0), ("cpu", 65)])
def test_nonsense_gets_a_sentence(name, threads):
    with pytest.raises(InputError, match="must be"):
        find_placement(name, threads)


def test_threads_wait_as_the_person_said_or_briefly(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    spin_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    spin_briefly()
    assert int(os.environ["GOMP_SPINCOUNT"]) > 0
