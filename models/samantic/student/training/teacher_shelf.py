"""What the teacher says about every picture and its perturbations, worked out once and kept beside the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.nn import functional

from samantic.imaging import atomic_path
from samantic.student.squares import stretched
from samantic.student.teacher import Teacher
from samantic.student.training.perturbations import perturbed
from samantic.student.training.pictures import Pictures

NAME = "teacher.safetensors"


def teacher_features(
    teacher: Teacher,
    pictures: Pictures,
    perturbations: torch.Tensor,
    size: int,
    folder: Path,
    check: Callable[[], None] = lambda: None,
) -> torch.Tensor:
    """Features of N pictures, first as they are, then under perturbations (N, P, KINDS).

    (N, 1 + P, D, size, size) float16, averaged to `size`; read from `folder` where they are there already. `check` may
    raise before every picture.
    """
    identity = _identity(teacher, pictures, perturbations, size)
    kept = _read(folder / NAME, identity)
    if kept is not None:
        return kept
    found = []
    for original, several in zip(pictures.originals, perturbations, strict=True):
        check()
        picture = stretched(original, teacher.side)[None].float() / 255
        views = [picture, *(perturbed(picture, one[None]) for one in several)]
        found.append(torch.stack([_small(teacher.features(_as_uint8(view[0])), size) for view in views]))
    features = torch.stack(found)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / NAME) as temporary:
        save_file({"features": features}, temporary, metadata={"identity": identity})
    return features


def _small(features: torch.Tensor, size: int) -> torch.Tensor:
    if features.shape[-1] > size:
        features = functional.adaptive_avg_pool2d(features, size)
    elif features.shape[-1] < size:
        features = functional.interpolate(features[None], size=(size, size), mode="bilinear")[0]
    # Half precision ends at 65504.
    return features.clamp(-6e4, 6e4).half()


def _as_uint8(picture: torch.Tensor) -> np.ndarray:
    return (picture * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def _identity(teacher: Teacher, pictures: Pictures, perturbations: torch.Tensor, size: int) -> str:
    digest = hashlib.sha256(f"{teacher.weights_hash} {teacher.side} {size} {pictures.digest}".encode())
    digest.update(perturbations.numpy().tobytes())
    return digest.hexdigest()


def _read(path: Path, identity: str) -> torch.Tensor | None:
    try:
        with safe_open(path, framework="pt") as stored:
            if (stored.metadata() or {}).get("identity") == identity:
                return stored.get_tensor("features")
    except (OSError, SafetensorError):
        pass
    return None
