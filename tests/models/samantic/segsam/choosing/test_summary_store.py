from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from samantic.segsam.choosing import ImageSummary, SummaryOptions, SummaryStore, summary_key

A_SUMMARY = ImageSummary(0.25, np.array([0.6, 0.8], np.float32))


def test_a_summary_comes_back_as_it_was_also_to_the_next_start(tmp_path: Path) -> None:
    SummaryStore(tmp_path / "s").put("ab", A_SUMMARY)
    SummaryStore(tmp_path / "s").put("cd", ImageSummary(None, A_SUMMARY.embedding))
    found = SummaryStore(tmp_path / "s").get("ab")
    assert found is not None and found.uncertainty == 0.25
    np.testing.assert_array_equal(found.embedding, A_SUMMARY.embedding)
    assert SummaryStore(tmp_path / "s").get("cd").uncertainty is None
    assert SummaryStore(tmp_path / "s").get("ef") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "samantic.summary/1", "uncertainty": 0.5}',
        '{"format": "samantic.summary/1", "uncertainty": 0.5, "embedding": [NaN]}',
        '{"format": "samantic.summary/1", "uncertainty": "much", "embedding": [1.0]}',
        '{"format": "other", "uncertainty": 0.5, "embedding": [1.0]}',
    ],
)
def test_a_damaged_file_counts_as_absent_and_is_replaced(tmp_path: Path, text: str) -> None:
    store = SummaryStore(tmp_path)
    (tmp_path / "ab.json").write_text(text)
    assert store.get("ab") is None
    store.put("ab", A_SUMMARY)
    assert store.get("ab") is not None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    store = SummaryStore(tmp_path, most_entries=2)
    store.put("a", A_SUMMARY)
    for number, name in enumerate("bcd", 1):
        SummaryStore(tmp_path, most_entries=9).put(name, A_SUMMARY)
        os.utime(tmp_path / f"{name}.json", (number, number))
    os.utime(tmp_path / "a.json", (0, 0))
    assert store.get("a") is not None
    SummaryStore(tmp_path, most_entries=2).put("e", A_SUMMARY)
    assert {path.stem for path in tmp_path.iterdir()} == {"a", "e"}


def test_a_folder_that_cannot_be_written_costs_only_the_persistence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    store = SummaryStore(tmp_path / "file" / "s")
    store.put("a", A_SUMMARY)
    store.put("b", A_SUMMARY)
    assert store.get("a") is None
    assert len(caplog.records) == 1


def test_the_key_depends_on_image_weights_and_classes_but_not_on_their_order() -> None:
    classes = SummaryOptions(("liver", "kidney_left"))
    keys = {
        summary_key("image", "weights", SummaryOptions()),
        summary_key("another", "weights", SummaryOptions()),
        summary_key("image", "other weights", SummaryOptions()),
        summary_key("image", "weights", classes),
        summary_key("image", "weights", SummaryOptions(slices=5)),
    }
    assert len(keys) == 5
    assert summary_key("image", "weights", SummaryOptions(("kidney_left", "liver"))) in keys
