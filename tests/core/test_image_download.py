import errno
import json
import re
import socket
import textwrap
import threading
import time
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError, URLError

import numpy as np
import pytest

from app import i18n
from core import image_data, image_download
from core.__main__ import main
from core.errors import InputError
from core.image_data import folder, is_here, read_part
from core.image_download import download
from core.image_job import Download
from core.image_job import image_download as shared_download
from core.image_sets import DATASETS
from core.torchvision_ops import prepare_torchvision
from tests.core.published_sets import cifar_files, idx_files, made_up, md5

GETS = 2  # of each file: torchvision looks for a redirection first
CUT = 5_000  # bytes after which a connection breaks off


class Mirror:
    """A web server on this machine that has the files of a set."""

    def __init__(self, files):
        self.files, self.asked, self.cut, self.hold = files, [], False, threading.Event()
        self.hold.set()
        mirror = self

        class Handler(SimpleHTTPRequestHandler):
            def do_HEAD(self):
                self.answer(body=False)

            def do_GET(self):
                mirror.asked.append(self.path[1:])
                self.answer(body=True)

            def answer(self, *, body):
                content = mirror.files.get(self.path[1:])
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if body:
                    self.wfile.write(content[:CUT])
                    mirror.hold.wait(60)
                    self.wfile.write(b"" if mirror.cut else content[CUT:])

            def handle(self):
                with suppress(ConnectionError):  # the other side has gone
                    super().handle()

            def log_message(self, *_):
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def close(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def published(fashion):
    return idx_files(fashion)


@pytest.fixture
def mirror(published, monkeypatch):
    """A mirror of FashionMNIST with these files, which torchvision believes to be the only one."""
    prepare_torchvision()
    from torchvision.datasets import FashionMNIST

    mirror = Mirror(dict(published))
    monkeypatch.setattr(FashionMNIST, "mirrors", [mirror.url])
    monkeypatch.setattr(FashionMNIST, "resources", [(name, md5(content)) for name, content in published.items()])
    yield mirror
    mirror.close()


@pytest.fixture
def no_network(mirror):
    """Close the mirror: nobody answers at its address."""
    mirror.close()


def test_a_set_is_downloaded_once_and_kept(home, mirror, fashion):
    shares = []
    download("fashion", shares.append)
    assert is_here("fashion")
    for kind in image_data.PARTS:
        assert np.array_equal(read_part("fashion", kind).images, fashion[kind].images)
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert sorted(path.name for path in folder("fashion").iterdir()) == [
        "manifest.json", "test.safetensors", "train.safetensors"
    ]  # fmt: skip
    asked = list(mirror.asked)
    download("fashion")
    assert mirror.asked == asked
    assert list(dict.fromkeys(asked)) == list(mirror.files)


def test_cifar_is_downloaded_and_kept(home, monkeypatch):
    prepare_torchvision()
    from torchvision.datasets import CIFAR10

    parts = made_up("cifar10")
    mirror = Mirror(cifar_files(parts))
    ((name, content),) = mirror.files.items()
    monkeypatch.setattr(CIFAR10, "url", mirror.url + name)
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(content))
    try:
        download("cifar10")
    finally:
        mirror.close()
    assert np.array_equal(read_part("cifar10", "test").images, parts["test"].images)
    assert read_part("cifar10", "train").labels.tolist() == parts["train"].labels.tolist()


def test_without_a_network_it_says_what_to_do(home, no_network):
    with pytest.raises(InputError) as caught:
        download("fashion")
    sentence = str(caught.value)
    assert "Connect this computer to the internet once and try again, or copy train-images-idx3-ubyte.gz" in sentence
    assert f"t10k-labels-idx1-ubyte.gz into {folder('fashion')}, which are then used" in sentence
    assert not is_here("fashion")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (URLError(socket.gaierror(-2, "Name or service not known")), "no server of that name was found"),
        (URLError(OSError(errno.ENETUNREACH, "Network is unreachable")), "no way leads to the server"),
        (URLError(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")), "refused the connection"),
        (TimeoutError("timed out"), "did not answer in time"),
        (OSError(errno.ENETDOWN, "Network is down"), "no way leads to the server"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "broke the connection off"),
        (URLError("unknown url type: gopher"), "unknown url type"),
        (HTTPError("http://127.0.0.1", 404, "Not Found", None, None), "HTTP 404"),
    ],
)
def test_what_a_network_does_is_said_in_our_words(error, said):
    assert said in image_download._reason(error)


def test_without_a_network_a_page_says_it_in_its_language(home, no_network):
    with pytest.raises(InputError) as caught:
        download("fashion")
    with i18n.speaking("zh"):
        sentence = i18n.error_sentence(caught.value)
    assert re.search(r"[a-z] [a-z]", sentence) is None
    assert "train-labels-idx1-ubyte.gz、" in sentence


def test_files_that_were_copied_are_used_without_a_network(home, no_network, published):
    folder("fashion").mkdir(parents=True)
    for name, content in published.items():
        (folder("fashion") / name).write_bytes(content)
    download("fashion")
    assert read_part("fashion", "test").labels[1] == 7


def test_a_copied_file_that_is_damaged_is_named(home, no_network, published):
    folder("fashion").mkdir(parents=True)
    for name, content in published.items():
        (folder("fashion") / name).write_bytes(content)
    (folder("fashion") / "t10k-images-idx3-ubyte.gz").write_bytes(published["t10k-images-idx3-ubyte.gz"][:-3])
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte.gz in .* is damaged.*Copy it there again"):
        download("fashion")


def test_a_copied_file_that_is_damaged_is_downloaded_instead(home, mirror):
    folder("fashion").mkdir(parents=True)
    (folder("fashion") / "t10k-images-idx3-ubyte.gz").write_bytes(b"half of it")
    download("fashion")
    assert is_here("fashion")


def test_a_mirror_that_lacks_a_file_is_told_by_its_answer(home, mirror):
    del mirror.files["train-labels-idx1-ubyte.gz"]
    with pytest.raises(InputError, match=r"cannot be downloaded \(HTTP 404\)"):
        download("fashion")


def test_damage_on_the_way_is_noticed_and_what_was_whole_is_not_loaded_again(home, mirror):
    name = "t10k-images-idx3-ubyte.gz"
    content = bytearray(mirror.files[name])
    content[len(content) // 2] ^= 1
    whole, mirror.files[name] = mirror.files[name], bytes(content)
    with pytest.raises(InputError, match=rf"{name} of FashionMNIST is not what was published"):
        download("fashion")
    assert not is_here("fashion")
    mirror.files[name] = whole
    mirror.asked.clear()
    download("fashion")
    assert is_here("fashion")
    assert list(dict.fromkeys(mirror.asked)) == [name, "t10k-labels-idx1-ubyte.gz"]


def test_a_connection_that_breaks_off_is_noticed(home, mirror):
    mirror.cut = True
    with pytest.raises(InputError, match="the connection broke off"):
        download("fashion")
    assert not list(folder("fashion").iterdir())


def test_what_is_published_under_the_right_checksum_must_hold_images(home, mirror, monkeypatch):
    from torchvision.datasets import FashionMNIST

    name, *others = mirror.files
    mirror.files[name] = b"not a gzip file, whatever its checksum says"
    sums = [(name, md5(mirror.files[name])), *((other, md5(mirror.files[other])) for other in others)]
    monkeypatch.setattr(FashionMNIST, "resources", sums)
    with pytest.raises(InputError, match="does not hold the expected images"):
        download("fashion")
    assert not is_here("fashion")


def test_a_full_disk_is_said(home, mirror, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(image_data, "write_file", full)
    with pytest.raises(InputError, match=r"FashionMNIST cannot be kept in .* \(No space left on device\)"):
        download("fashion")
    assert not is_here("fashion")


def test_the_terminal_lists_and_downloads(home, mirror, capsys):
    assert main(["data", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["name"]: row["here"] for row in listed} == {name: name == "mnist" for name in DATASETS}
    assert main(["train", "--data", "fashion", "--epochs", "1"]) == 2
    assert "get it with: python -m core data fashion" in capsys.readouterr().err
    assert main(["data", "fashion", "--json"]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    pixels = read_part("fashion", "train").images / 255
    assert row["here"]
    assert row["measured_mean"] == [pytest.approx(pixels.mean(), abs=1e-4)]
    assert row["measured_std"] == [pytest.approx(pixels.std(), abs=1e-4)]
    assert main(["data"]) == 0
    assert "not here: python -m" in capsys.readouterr().out
    assert main(["data", "imagenet"]) == 2
    assert "must be one of mnist, fashion, kmnist, cifar10" in capsys.readouterr().err


# --- Beside a server


def program(mirror):
    """Return the program with this mirror: it does not share the memory that the fixture has changed."""
    sums = [(name, md5(content)) for name, content in mirror.files.items()]
    return ("-c", textwrap.dedent(f"""
        import sys
        from core import image_download
        from core.measuring import end_with_server
        kind = image_download._torchvision_class("fashion")
        kind.mirrors, kind.resources = [{mirror.url!r}], {sums!r}
        end_with_server()
        image_download.main(sys.argv[1])
    """))  # fmt: skip


def ended(job):
    until = time.monotonic() + 60
    while job.snapshot.running:
        assert time.monotonic() < until
        threading.Event().wait(0.02)
    return job.snapshot


def test_however_many_ask_there_is_one_download(home, mirror):
    mirror.hold.clear()
    job = Download("fashion", program(mirror))
    askers = [threading.Thread(target=job.start) for _ in range(30)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert job.snapshot.running
    other = Download("fashion", program(mirror))  # of another server on the same folder
    other.start()
    mirror.hold.set()
    assert ended(job).finished
    assert ended(other).finished
    assert is_here("fashion")
    assert mirror.asked == [name for name in mirror.files for _ in range(GETS)]


def test_a_download_can_be_stopped_and_begun_again(home, mirror):
    mirror.hold.clear()
    job = Download("fashion", program(mirror))
    job.start()
    until = time.monotonic() + 60
    while not mirror.asked:
        assert time.monotonic() < until
        threading.Event().wait(0.02)
    job.stop()
    assert not job.snapshot.running
    assert job.snapshot.stopped
    assert not is_here("fashion")
    mirror.hold.set()
    job.start()
    assert ended(job).finished
    assert is_here("fashion")
    assert not (folder("fashion") / image_download.BESIDE).exists()


def test_the_server_says_why_a_download_failed(home, mirror):
    job = Download("fashion", program(mirror))
    mirror.close()
    job.start()
    error = ended(job).error
    assert "Connect this computer to the internet once" in error.message
    assert error.values["folder"] == str(folder("fashion"))


def test_a_program_that_dies_is_a_download_that_stopped_early(home):
    job = Download("fashion", ("-c", "import os; os._exit(3)"))
    job.start()
    assert str(ended(job).error) == "The download stopped early (exit code 3). Start it again."


def test_the_server_has_one_download_for_each_set(home):
    assert shared_download("fashion") is shared_download("fashion")
    assert shared_download("fashion") is not shared_download("kmnist")
    with pytest.raises(InputError, match="must be one of"):
        shared_download("imagenet")
