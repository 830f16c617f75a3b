"""A downloaded folder, looked at without leaving it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from samantic.datasets.layouts.case import DatasetError, Problem

MAX_TEXT_BYTES = 16 << 20  # the largest published index has 0.2 MB


class Tree:
    """The files below `root`; links that lead out of it are not followed but noted in `problems`."""

    def __init__(self, root: Path) -> None:
        """Take the folder that nothing may lead out of."""
        self.root = root
        self._real = root.resolve()
        self.problems: list[Problem] = []

    def folder(self, *names: str) -> Path | None:
        """Return a folder below the root; None if it is not there or is reached by a link that leaves the root."""
        path = self.root.joinpath(*names)
        return path if path.is_dir() and self._is_inside(path) else None

    def file(self, *names: str) -> Path | None:
        """Return a file below the root; None if it is not there or is reached by a link that leaves the root."""
        path = self.root.joinpath(*names)
        return path if path.is_file() and self._is_inside(path) else None

    def files(self, folder: Path | None, *suffixes: str) -> dict[str, Path]:
        """Return name -> path of the files in `folder` with these suffixes (in any case), sorted; hidden ones, such as
        the "._" companions that macOS packs, are passed over."""
        return {
            entry.name: Path(entry.path)
            for entry in self._entries(folder)
            if entry.name.lower().endswith(suffixes) and self._is_allowed(entry) and entry.is_file()
        }

    def folders(self, folder: Path | None) -> dict[str, Path]:
        """Return name -> path of the folders in `folder`, sorted."""
        return {
            entry.name: Path(entry.path)
            for entry in self._entries(folder)
            if self._is_allowed(entry) and entry.is_dir()
        }

    def text(self, path: Path) -> str:
        """Return the text of a small file; DatasetError if it is large, missing or not UTF-8."""
        try:
            if path.stat().st_size > MAX_TEXT_BYTES:
                raise DatasetError(
                    f"'{path.name}' is larger than {MAX_TEXT_BYTES >> 20} MiB; it is no index of images."
                )
            return path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"'{path.name}' cannot be read as text ({error}).") from error

    def json(self, path: Path) -> dict[str, Any]:
        """Return the object in a small JSON file; DatasetError if there is none."""
        try:
            document = json.loads(self.text(path))
        except (ValueError, RecursionError) as error:
            raise (
                error if isinstance(error, DatasetError) else DatasetError(f"'{path.name}' is not JSON ({error}).")
            ) from error
        if not isinstance(document, dict):
            raise DatasetError(f"'{path.name}' must hold a JSON object, not a {type(document).__name__}.")
        return document

    def problem(self, path: Path, text: str) -> None:
        """Note what is wrong with a path below the root."""
        self.problems.append(Problem(path.relative_to(self.root), text))

    def _entries(self, folder: Path | None) -> list[os.DirEntry[str]]:
        if folder is None:
            return []
        try:
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            self._note(folder, f"cannot be looked into ({error.strerror or error})")
            return []
        return sorted(visible, key=lambda entry: entry.name)

    def _is_allowed(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_symlink() or self._is_inside(Path(entry.path)):
            return True
        self._note(Path(entry.path), "is a link that leaves the folder; it is not followed")
        return False

    def _note(self, path: Path, text: str) -> None:
        problem = Problem(path.relative_to(self.root), text)  # a folder is looked into more than once
        if problem not in self.problems:
            self.problems.append(problem)

    def _is_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._real)
        except (OSError, RuntimeError):  # a loop of links
            return False
