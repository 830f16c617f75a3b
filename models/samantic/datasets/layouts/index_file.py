"""dataset.json, the index that the Medical Segmentation Decathlon introduced and AMOS took over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samantic.datasets.layouts.case import DatasetError
from samantic.datasets.layouts.tree import Tree

INDEX = "dataset.json"
LISTS = ("training", "validation", "test")


def note_missing(tree: Tree, root: Path, index: Mapping[str, Any]) -> None:
    """Note each file that the index lists and that is not there, or lies outside the data set.

    An entry is a path, or an object with the paths "image" and "label".
    """
    for name in LISTS:
        entries = index.get(name, [])
        if not isinstance(entries, list):
            tree.problem(root / INDEX, f'"{name}" must be a list of images')
            continue
        for entry in entries:
            for path in entry.values() if isinstance(entry, dict) else (entry,):
                if not isinstance(path, str) or "\0" in path or len(path) > 1024:
                    tree.problem(root / INDEX, f'"{name}" has an entry that is no path')
                elif tree.file(*root.relative_to(tree.root).parts, path) is None:
                    tree.problem(root / INDEX, f'"{name}" lists {path}, which is not there')


def label_words(index: Mapping[str, Any]) -> dict[int, str]:
    """Return value -> word of "labels"; DatasetError if they are written otherwise."""
    labels = index.get("labels")
    words = {}
    for value, word in labels.items() if isinstance(labels, dict) else ():
        if not (value.isdecimal() and len(value) <= 3 and isinstance(word, str)):
            raise DatasetError(f'"labels" of {INDEX} must map values to names, such as "1": "liver"; found "{value}".')
        words[int(value)] = word
    if not set(words) - {0}:
        raise DatasetError(f'{INDEX} names no labels; expected "labels": {{"0": "background", "1": ...}}.')
    return words
