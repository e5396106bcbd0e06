"""Sets of images other than MNIST: offered where they are not here, and followed by all that shows images."""

import json
import threading
import time

import numpy as np
import pytest

from core import image_data, image_job, jobs
from core.image_data import folder
from core.image_job import Download
from core.image_sets import DATASETS
from core.run import RunSpec
from core.torch_thread import torch_ready
from tests.core.published_sets import kept
from tests.pages.visits import fine, pictures, said, visitor_of_app

PHOTOS = RunSpec(model="stack", options={"depth": 8, "channels": 4}, data="cifar10", epochs=1, train_images=200, lr=0.1)
LINK = {
    "model": "stack",
    "stack.depth": 8,
    "stack.channels": 4,
    "data": "cifar10",
    "epochs": 1,
    "images": 200,
    "lr": 0.1,
}
PATIENCE = 180  # s for a small run on a busy machine
visit = visitor_of_app("training", PATIENCE)
HOLD = 'import json, sys; print(json.dumps({"kind": "progress", "done": 0.5}), flush=True); sys.stdin.read()'
REFUSE = 'import json; print(json.dumps({"kind": "refused", "message": "No {what}.", "values": {"what": "luck"}}))'


@pytest.fixture(scope="module", autouse=True)
def manager(tmp_path_factory):
    """The jobs of this module, in a store of their own, with a stand-in for CIFAR-10 beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHSCAPE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(jobs, "_manager", None)
        image_data._read_kept.cache_clear()
        with kept("cifar10"):
            yield jobs.manager()
            jobs.manager().close()
        image_data._read_kept.cache_clear()


@pytest.fixture(scope="module")
def photos(manager):
    """A small run that was trained on the stand-in."""
    job = manager.submit(PHOTOS)
    assert job.wait_for(lambda job: not job.active and not job.at_work, PATIENCE)
    assert job.status == "done", job.error
    return job


@pytest.fixture
def download(monkeypatch):
    """Return a function that puts a program in place of FashionMNIST's download."""
    begun = []

    def put(program):
        begun.append(Download("fashion", ("-c", program)))
        monkeypatch.setitem(image_job._downloads, ("fashion", str(folder("fashion"))), begun[-1])
        return begun[-1]

    yield put
    for one in begun:
        one.stop()


def keys(at):
    return {button.key for button in at.button}


def wait_for(holds):
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def test_a_link_to_a_set_that_is_not_here_offers_it(download):
    download(HOLD)
    at = visit(data="fashion")
    assert not at.error
    assert not at.warning
    assert (
        "FashionMNIST is not on the computer that runs this app: clothes, shoes and bags, 60,000 training images"
        in said(at)
    )
    assert at.button(key="data_get_page").label == "Download FashionMNIST (31 MB)"
    assert at.button(key="start").disabled
    assert "its images have to be downloaded first" in said(at)
    fine(at.button(key="quick").click().run())  # no run that would fail at once
    assert not [job for job in jobs.manager().list() if job.spec.data == "fashion"]


def test_all_who_ask_share_one_download_and_may_stop_it(download):
    job = download(HOLD)
    first, second = visit(data="fashion"), visit(data="fashion")
    fine(first.button(key="data_get_page").click().run())
    fine(second.button(key="data_get_page").click().run())
    wait_for(lambda: job.snapshot.done)
    program = job._process
    for at in (fine(first.run()), fine(second.run())):
        assert "data_get_page" not in keys(at)
        (progress,) = (bar.proto.text for bar in at.get("progress"))
        assert "16 of 31 MB have arrived" in progress
    assert job._process is program
    fine(second.button(key="data_stop_page").click().run())
    assert not job.snapshot.running
    assert "The last download was stopped at" in said(fine(first.run()))
    assert "data_get_page" in keys(first)


def test_why_a_download_failed_is_said_and_it_is_offered_again(download):
    job = download(REFUSE)
    at = visit(data="fashion")
    fine(at.button(key="data_get_page").click().run())
    wait_for(lambda: not job.snapshot.running)
    assert "No luck." in said(fine(at.run()))
    assert "data_get_page" in keys(at)


def test_a_set_that_was_damaged_is_offered_again(download):
    download(HOLD)
    place = folder("fashion")
    place.mkdir(parents=True, exist_ok=True)
    (place / f"test.safetensors{image_data.ASIDE}").write_bytes(b"")
    assert "was damaged on the computer that runs this app" in said(visit(data="fashion"))
    (place / f"test.safetensors{image_data.ASIDE}").unlink()


def test_a_network_that_cannot_take_the_images_is_refused_with_the_reason():
    at = visit(model="cnn", data="cifar10")
    (error,) = at.error
    assert "first linear layer as 320 numbers; images of 3 × 32 × 32 would arrive as 500" in error.value


def test_the_number_of_images_follows_the_set():
    at = visit(model="stack")
    fine(at.selectbox(key="data").select("cifar10").run())
    assert at.number_input(key="images").value == 50_000
    assert at.query_params["data"] == "cifar10"
    assert "it takes" in said(at)
    fine(at.selectbox(key="data").select("mnist").run())
    assert at.number_input(key="images").value == 60_000


def test_the_pictures_of_a_run_have_its_classes_and_its_images(photos):
    wait_for(torch_ready)
    at = visit("results", "inside", "card", "digit", look="image", **LINK)
    data = pictures(at)
    mistakes = data["run"]["data"]["mistakes"]["columns"]
    classes = set(DATASETS["cifar10"].classes)
    assert set(mistakes["what"]) <= classes
    assert set(mistakes["taken"]) <= classes
    confusion = data["confusion"]
    assert confusion["data"]["classes"]["columns"]["name"] == list(DATASETS["cifar10"].classes)
    assert "Aeroplane: " in confusion["alt"]
    assert data["maps"]["sliders"][0]["names"][0] == "0 image"
    card = " ".join(element.proto.body for element in at.get("html"))
    assert "CIFAR-10 (photographs in colour)" in card
    assert "only networks that were trained on MNIST answer" in said(at)


def test_an_image_in_colour_is_drawn_in_its_colours():
    import base64
    import io

    from PIL import Image

    from app.figures.training_rows import image_url

    url = image_url("cifar10", 3)
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))
    assert np.array_equal(drawn, image_data.read_part("cifar10", "test").images[3].transpose(1, 2, 0))


def test_a_run_whose_images_are_gone_still_shows_its_curves(photos, tmp_path):
    place = folder("cifar10")
    moved = place.rename(tmp_path / "away")
    image_data._read_kept.cache_clear()
    try:
        at = visit("results", **LINK)
        assert "The images of CIFAR-10 are not on this computer" in json.dumps(pictures(at)["run"], ensure_ascii=False)
        assert "CIFAR-10 is not on this computer. Get it" in said(at)
        assert "confusion" not in pictures(at)
        assert "data_get_page" in keys(at)
    finally:
        moved.rename(place)


def test_an_exported_run_keeps_its_set(photos, manager, tmp_path):
    from core.exchange import export_run, import_run
    from core.store import Store

    store = Store(tmp_path)
    key = import_run(export_run(photos.key, manager.store), store)
    assert store.load(key).spec == PHOTOS
    assert store.load(key).epochs == tuple(photos.epochs)


def test_runs_on_different_images_are_not_ranked(photos, manager):
    from core import run_text

    other = RunSpec(epochs=1, train_images=200)
    job = manager.submit(other)
    assert job.wait_for(lambda job: not job.active, PATIENCE)
    at = visit(compare=run_text.write_all((PHOTOS, other)))
    assert "tested on different images (CIFAR-10 and MNIST)" in said(at)
    assert "leads" not in said(at)
