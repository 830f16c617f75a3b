from __future__ import annotations

import json
import logging.config
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from monailabel.main import Main

from samantic.app.launch import LaunchError, check_port_is_free, copy_app, home_folder, serve, server_command


def test_the_command_is_one_that_monai_label_understands(studies: Path, tmp_path: Path) -> None:
    command = server_command(studies, "127.0.0.1", 8123, {"models": "segsam", "other": "x"}, tmp_path / "home")
    understood = Main().args_parser().parse_args(list(command.arguments))
    assert (understood.host, understood.port, understood.uvicorn_app) == ("127.0.0.1", 8123, "samantic.app.asgi:app")
    assert understood.conf == [["models", "segsam"], ["other", "x"]]
    assert Path(understood.studies) == studies and (Path(understood.app) / "main.py").is_file()
    assert command.environment["MONAI_LABEL_AUTO_UPDATE_SCORING"] == "false"
    assert command.environment["SAMANTIC_HOME"] == str(tmp_path / "home")


def test_the_log_is_kept_in_the_home_folder_and_its_configuration_is_valid(studies: Path, tmp_path: Path) -> None:
    command = server_command(studies, "127.0.0.1", 8123, {}, tmp_path / "home")
    config = json.loads(Path(Main().args_parser().parse_args(list(command.arguments)).log_config).read_text())
    assert Path(config["handlers"]["file"]["filename"]).parent == tmp_path / "home" / "app" / "logs"
    logging.config.DictConfigurator(config).configure_handler(config["handlers"]["console"] | {"formatter": None})


def test_the_copy_of_the_app_follows_the_package(tmp_path: Path) -> None:
    app = copy_app(tmp_path)
    whole = (app / "main.py").read_bytes()
    (app / "main.py").write_text("an older version")
    assert copy_app(tmp_path) == app and (app / "main.py").read_bytes() == whole


def test_a_missing_studies_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="nowhere"):
        serve(tmp_path / "nowhere", home=tmp_path / "home")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("models", ["nothing", "segsam,nothing"])
def test_an_unknown_model_is_said_before_anything_starts(models: str, studies: Path, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"'nothing'.*segsam"):
        serve(studies, conf={"models": models}, home=tmp_path / "home")


@pytest.mark.parametrize("variable", ["SAMANTIC_MAX_UPLOAD_MB", "SAMANTIC_ALLOWED_ORIGINS"])
def test_a_setting_that_makes_no_sense_is_said_before_anything_starts(
    variable: str, studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "a lot")
    with pytest.raises(LaunchError, match=rf"{variable}.*'a lot'"):
        serve(studies, home=tmp_path / "home")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_said(port: int, studies: Path, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="1 to 65535"):
        serve(studies, port=port, home=tmp_path / "home")


def test_a_port_in_use_is_said(studies: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LaunchError, match="in use"):
            serve(studies, port=taken.getsockname()[1], home=tmp_path / "home")


def test_a_host_that_is_not_this_machine_is_said() -> None:
    with pytest.raises(LaunchError, match="cannot listen"):
        check_port_is_free("192.0.2.1", 8123)


def test_a_home_that_cannot_be_written_is_said(studies: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file is in the way")
    with pytest.raises(LaunchError, match="SAMANTIC_HOME"):
        serve(studies, home=tmp_path / "home")


def test_the_home_folder_is_what_the_environment_says_or_hidden_in_the_users(tmp_path: Path) -> None:
    assert home_folder({"SAMANTIC_HOME": str(tmp_path)}) == tmp_path
    assert home_folder({"SAMANTIC_HOME": " "}) == home_folder({}) == Path.home() / ".samantic"


def test_launching_imports_neither_torch_nor_monai_label_before_it_has_checked_the_request(tmp_path: Path) -> None:
    code = (
        "import sys; from samantic.app.launch import serve, LaunchError\n"
        "try: serve('/nowhere')\n"
        "except LaunchError as error: print(error)\n"
        "assert not {'torch', 'monailabel'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "SAMANTIC_HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "/nowhere" in done.stdout
