"""Folders of images and of labels in which the same name means the same case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from samantic.datasets.layouts.tree import Tree

NIFTI = (".nii.gz", ".nii")


def stem(name: str) -> str:
    """Return a NIfTI file's name without its suffix."""
    return name.removesuffix(".gz").removesuffix(".nii")


def pairs(
    tree: Tree, images: Path | None, labels: Path | None, label_name: Callable[[str], str] = lambda name: name
) -> Iterator[tuple[str, Path, Path | None]]:
    """Yield image id, image and label file of each image; note images without labels and labels without images.

    label_name: the name without suffix of the label file of an image's. Without a label folder no labels are published.
    """
    pictures = _by_stem(tree.files(images, *NIFTI))
    found = _by_stem(tree.files(labels, *NIFTI))
    for image_id, path in pictures.items():
        label = found.pop(label_name(image_id), None)
        if label is None and labels is not None:
            tree.problem(path, f"has no labels {labels.name}/{label_name(image_id)}.nii.gz")
        yield image_id, path, label
    for path in found.values():
        tree.problem(path, f"has no image in {'the image folder' if images is None else images.name}")


def _by_stem(files: Mapping[str, Path]) -> dict[str, Path]:
    return {stem(name): path for name, path in files.items()}
