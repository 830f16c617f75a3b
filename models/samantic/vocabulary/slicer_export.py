"""Write the files that 3D Slicer loads."""

from __future__ import annotations

from pathlib import Path

from samantic.imaging.atomic import atomic_path
from samantic.vocabulary.slicer import color_table, terminology_json
from samantic.vocabulary.vocabulary import Vocabulary

TERMINOLOGY_FILE = "Samantic.term.json"
COLOR_TABLE_FILE = "Samantic.ctbl"


def export_for_slicer(vocabulary: Vocabulary, folder: Path) -> tuple[Path, Path]:
    """Write the terminology file and the colour table into `folder` (made when missing) and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {TERMINOLOGY_FILE: terminology_json(vocabulary), COLOR_TABLE_FILE: color_table(vocabulary)}
    for name, text in contents.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / TERMINOLOGY_FILE, folder / COLOR_TABLE_FILE
