"""`samantic models`: listing, verifying and downloading from the command line."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from samantic.bundled import bundled_models
from samantic.cli.models import app
from samantic.sam import Checkpoint, zoo

CONTENT = b"weights" * 1000


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SAMANTIC_WEIGHTS", raising=False)
    return tmp_path / "home"


@pytest.fixture
def a_model(tmp_path, monkeypatch):
    """A zoo of one small checkpoint, served by a real server on this machine."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a_model.pth").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path / "served"))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/a_model.pth"
    digest = hashlib.sha256(CONTENT).hexdigest()
    checkpoint = Checkpoint("a_model", "A model", "vit_b", "a_model.pth", (url,), len(CONTENT), digest, "MIT", "here")
    monkeypatch.setattr(zoo, "load_zoo", lambda: (checkpoint,))
    yield checkpoint
    server.shutdown()
    server.server_close()


def samantic_models(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def test_the_list_names_bundled_models_and_checkpoints_with_size_and_licence(home):
    result = samantic_models("list")
    assert result.exit_code == 0
    for part in (*bundled_models(), "sam_vit_h", "2,564.6 MB", "medsam_vit_b", "CC-BY-4.0", "not downloaded"):
        assert part in result.output
    assert not home.exists()


@pytest.mark.usefixtures("a_model")
def test_a_checkpoint_is_downloaded_and_then_verified(home):
    result = samantic_models("download", "a_model")
    assert result.exit_code == 0, result.output
    assert (home / "models" / "a_model.pth").read_bytes() == CONTENT
    assert "a_model: right" in result.output
    assert "a_model: right" in samantic_models("verify", "a_model").output


def test_a_damaged_file_is_reported_with_both_hashes(home, a_model):
    samantic_models("download", "a_model")
    damaged = CONTENT[:-1] + b"x"
    (home / "models" / "a_model.pth").write_bytes(damaged)
    result = samantic_models("verify", "a_model")
    assert result.exit_code == 1
    assert a_model.sha256 in result.output
    assert hashlib.sha256(damaged).hexdigest() in result.output


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["download", "verify"])
def test_an_unknown_name_is_one_sentence_with_the_nearest_name(command):
    result = samantic_models(command, "sam_vit_bb")
    assert result.exit_code == 1
    assert "did you mean sam_vit_b?" in result.output
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("home")
def test_verifying_what_is_not_here_says_how_to_get_it():
    result = samantic_models("verify", "sam_vit_b")
    assert result.exit_code == 1
    assert "`samantic models download sam_vit_b` fetches it" in result.output


@pytest.mark.usefixtures("home")
def test_an_offline_folder_that_does_not_exist_is_one_sentence(monkeypatch):
    monkeypatch.setenv("SAMANTIC_WEIGHTS", "/nowhere")
    result = samantic_models("download", "sam_vit_b")
    assert result.exit_code == 1
    assert "SAMANTIC_WEIGHTS names /nowhere" in result.output
