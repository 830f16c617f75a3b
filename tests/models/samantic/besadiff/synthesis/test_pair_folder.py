from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.app.lib.datastore import SamanticDatastore
from samantic.datasets.studies import read_studies
from samantic.imaging import read_mask, read_volume


def test_trainers_read_every_pair_as_a_labelled_image_of_a_skin_lesion(fill, tmp_path: Path) -> None:
    fill(3)
    studies = read_studies(tmp_path / "synthetic")
    assert studies.left_out == ()
    assert studies.without_label == ()
    assert [one.image_id for one in studies.labelled] == [f"synthetic_{number:06d}" for number in (1, 2, 3)]
    for one in studies.labelled:
        assert one.class_of_value == {1: "skin_lesion"}
        volume = read_volume(one.image)
        assert volume.modality == "RGB"
        assert set(np.unique(read_mask(one.label, volume))) == {0, 1}


def test_the_stock_datastore_lists_the_pairs(fill, tmp_path: Path) -> None:
    from monailabel.datastore.local import LocalDatastore

    fill(2)
    datastore = LocalDatastore(str(tmp_path / "synthetic"), extensions=("*.png",))
    assert sorted(datastore.get_labeled_images()) == ["synthetic_000001", "synthetic_000002"]
    assert sorted(datastore.list_images()) == ["synthetic_000001", "synthetic_000002"]


def test_the_servers_datastore_keeps_what_is_noted(fill, tmp_path: Path) -> None:
    fill(2)
    datastore = SamanticDatastore(tmp_path / "synthetic")
    assert datastore.get_unlabeled_images() == []
    assert datastore.get_label_info("synthetic_000001", "final")["label_names"] == {"skin_lesion": 1}
    assert datastore.get_image_info("synthetic_000002")["synthetic"] is True


@pytest.mark.usefixtures("sheets")
def test_the_contact_sheet_shows_the_accepted_pairs(fill, tmp_path: Path) -> None:
    fill(7)
    sheet = Image.open(tmp_path / "synthetic" / "report" / "contact_sheet.png")
    assert sheet.size == (6 * 300, 2 * (300 + 2 * 40))
    assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 100
