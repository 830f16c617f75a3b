"""Which device a command runs on."""

from __future__ import annotations


def usable_device(named: str | None) -> str | None:
    """Return the device as it was named, None for the default; ValueError lists those that this machine has."""
    import torch

    if named is None or named == "cpu":
        return named
    cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if named not in ("cuda", *cuda) or not cuda:
        allowed = ", ".join(["cpu", *(["cuda"] if cuda else []), *cuda])
        raise ValueError(f"--device is '{named}', but on this machine it must be {allowed}.")
    return named
