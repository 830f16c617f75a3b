"""Starting a server: `serve` is what `samantic serve` calls."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from samantic.app.lib.server.settings import Limits, allowed_origins
from samantic.imaging.atomic import atomic_path

HOME_VARIABLE = "SAMANTIC_HOME"
SERVER_MODULE = "samantic.app.asgi:app"
LOG_BYTES = 10 * 1024 * 1024


class LaunchError(ValueError):
    """A server cannot be started as asked; the message is one plain sentence."""


@dataclass(frozen=True)
class ServerCommand:
    """What starts a server: the arguments of `monailabel`, and the environment variables it needs beside them."""

    arguments: tuple[str, ...]
    environment: dict[str, str]


def serve(
    studies: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    conf: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> None:
    """Serve a studies folder until the process is told to stop.

    conf: as `--conf key value`, e.g. {"models": "segsam"} or {"initial_weights": "mine.safetensors"}. home: where the
    server keeps its own files, otherwise SAMANTIC_HOME, otherwise ~/.samantic. Call it in a process that has not
    imported `monailabel` yet, because that reads the environment when it is imported. Raises LaunchError with one plain
    sentence. Source: ours.
    """
    command = server_command(Path(studies), host, port, conf or {}, home or home_folder())
    check_port_is_free(host, port)
    _empty_folder(Path(command.environment["TMPDIR"]))
    os.environ.update(command.environment)
    tempfile.tempdir = command.environment["TMPDIR"]

    from monailabel.main import Main  # late, see above

    stock = Main()
    stock.action_start_server(stock.args_parser().parse_args(list(command.arguments)))


def home_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what servers and commands keep: SAMANTIC_HOME, or ~/.samantic. Source: ours."""
    named = environment.get(HOME_VARIABLE, "").strip()
    return Path(named).expanduser().resolve() if named else Path.home() / ".samantic"


def server_command(studies: Path, host: str, port: int, conf: Mapping[str, str], home: Path) -> ServerCommand:
    """Return what starts a server on `studies`, after putting a fresh copy of the app into `home`.

    Raises LaunchError if the studies folder or an asked model is not there, or `home` cannot be written.
    """
    studies = studies.expanduser()
    if not studies.is_dir():
        raise LaunchError(f"There is no folder '{studies}'; name a folder with images.")
    if not 0 < port < 65536:
        raise LaunchError(f"The port is {port}, but it must be a number from 1 to 65535.")
    _check_models(conf.get("models", "all"))
    _check_initial_weights(conf)
    _check_environment()
    try:
        app = copy_app(home)
        log_config = _write_log_config(app)
    except OSError as error:
        raise LaunchError(f"Nothing can be written to '{home}' ({error.strerror}); set {HOME_VARIABLE}.") from error
    arguments = ["start_server", "--app", str(app), "--studies", str(studies.resolve())]
    arguments += ["--host", host, "--port", str(port), "--uvicorn_app", SERVER_MODULE, "--log_config", str(log_config)]
    for key, value in conf.items():
        arguments += ["--conf", key, value]
    environment = {
        HOME_VARIABLE: str(home),
        # A folder of its own, by the port, so that the next start can remove what a killed server left of uploads.
        "TMPDIR": str(home / "tmp" / str(port)),
        # A scoring process at every next image and every end of training costs more than it tells.
        "MONAI_LABEL_AUTO_UPDATE_SCORING": "false",
        "MONAI_LABEL_SESSION_PATH": str(home / "sessions"),
        # The experiment tracker would write into whatever folder the server was started from.
        "MONAI_LABEL_TRACKING_ENABLED": "false",
    }
    return ServerCommand(tuple(arguments), environment)


def copy_app(home: Path) -> Path:
    """Put the app's entry file into `home`/app and return that folder.

    The stock server makes folders inside the app's; the installed package stays clean. The entry file imports
    everything else from the package, so nothing of an older version can be mixed in. Source: ours.
    """
    app = home / "app"
    (app / "logs").mkdir(parents=True, exist_ok=True)
    with atomic_path(app / "main.py", durable=False) as temporary:
        temporary.write_bytes(files("samantic.app").joinpath("main.py").read_bytes())
    return app


def check_port_is_free(host: str, port: int) -> None:
    """Raise LaunchError if nobody can listen on this address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise LaunchError(f"There is no host '{host}'; use 127.0.0.1 for this machine only.") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise LaunchError(_bind_refusal(host, port, error)) from error


def _empty_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _bind_refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use, perhaps by another server of this kind; choose a different one."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the system; choose one above 1023."
    return f"This machine cannot listen on {host}, port {port} ({error.strerror})."


def _check_models(models: str) -> None:
    folder = files("samantic.app").joinpath("lib", "configs")
    known = sorted(
        name.removesuffix(".py")
        for entry in folder.iterdir()
        if (name := entry.name).endswith(".py") and not name.startswith("_")
    )
    unknown = [name.strip() for name in models.split(",") if name.strip() not in (*known, "all")]
    if unknown:
        raise LaunchError(f"There is no model '{unknown[0]}'; use all or any of {', '.join(known)}.")


def _check_initial_weights(conf: Mapping[str, str]) -> None:
    if not any(key.endswith("_weights") and value for key, value in conf.items()):
        return
    from samantic.app.lib.initial_weights import ALL, InitialWeightsError  # imports torch

    keys = [weights.key for weights in ALL]
    unknown = [key for key in conf if key.endswith("_weights") and key not in keys]
    if unknown:
        raise LaunchError(f"There are no weights called '{unknown[0]}'; use {', '.join(keys)}.")
    try:
        for weights in ALL:
            if conf.get(weights.key):
                weights.of(conf)
    except InitialWeightsError as error:
        raise LaunchError(str(error)) from error


def _check_environment() -> None:
    try:
        Limits.from_environment()
        allowed_origins()
    except ValueError as error:
        raise LaunchError(str(error)) from error


def _write_log_config(app: Path) -> Path:
    # Without one the stock server leaves a temporary file behind at every start.
    line = "[%(asctime)s] [%(process)s] [%(threadName)s] [%(levelname)s] (%(name)s:%(lineno)d) - %(message)s"
    log_file = {"filename": str(app / "logs" / "app.log"), "maxBytes": LOG_BYTES, "backupCount": 10}
    rotating = {"class": "logging.handlers.RotatingFileHandler", "encoding": "utf-8", **log_file}
    task = {"level": "INFO", "propagate": False, "handlers": ["task_console", "task_file"]}
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": line}, "message": {"format": "%(message)s"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line"},
            "file": {**rotating, "formatter": "line"},
            "task_console": {"class": "logging.StreamHandler", "formatter": "message"},
            "task_file": {**rotating, "formatter": "message"},
        },
        "root": {"level": "INFO", "handlers": ["console", "file"]},
        "loggers": {
            **{f"task_{name}": task for name in ("train", "scoring", "batch_infer")},
            "uvicorn": {"level": "INFO", "propagate": False, "handlers": ["console", "file"]},
            "uvicorn.access": {"level": "WARNING", "propagate": False, "handlers": ["console"]},
            "urllib3.connectionpool": {"level": "ERROR"},
        },
    }
    path = app / "logging.json"
    with atomic_path(path, durable=False) as temporary:
        temporary.write_text(json.dumps(config, indent=2), encoding="utf-8")
    return path
