"""What was embedded before a server was killed is not embedded again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from monailabel.client import MONAILabelClient

CLICK = {"foreground": [[22, 30, 12]], "slice": 12}


@pytest.mark.slow
def test_after_a_kill_the_first_click_on_a_known_slice_is_served_from_disk(
    start_server: Callable[..., Any], tmp_path: Path
) -> None:
    def clicked(server: Any) -> tuple[np.ndarray, dict[str, Any]]:
        client = MONAILabelClient(server.url, str(tmp_path), "radiologist")
        file, result = client.infer("segsam", "ct", dict(CLICK))
        mask = np.asarray(nibabel.load(file).dataobj)
        Path(file).unlink()
        return mask, result

    home = tmp_path / "home"
    first = start_server(home=home)
    mask, result = clicked(first)
    assert result["embedding_source"] == "encoder"
    assert result["latencies"]["encode"] > 0
    first.kill()

    kept = home / "cache" / "embeddings"
    assert any(kept.rglob("*.safetensors"))
    assert kept.stat().st_mode & 0o077 == 0, "embeddings show what the image shows; only their owner may read them"

    second = start_server(home=home, studies=first.studies)
    again, result = clicked(second)
    assert result["embedding_source"] == "disk"
    assert "encode" not in result["latencies"]
    np.testing.assert_array_equal(again, mask)
    second.kill()
    shutil.rmtree(home)
