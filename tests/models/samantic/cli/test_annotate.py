from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.app.lib.annotating import annotate_studies
from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.segsam_auto import SegSamAuto
from samantic.imaging import Volume, read_mask, read_volume, write_volume
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor, save_network
from samantic.segsam.checkpoint import file_hash
from samantic.segsam.training.fit import text_vectors

KNOWN = ("liver", "spleen", "skin_lesion")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained weights with a head that takes everything for one class or another."""
    torch.manual_seed(5)
    network = SegSam(SegSamConfig(KNOWN, image_size=64, prompt_free_width=8), text_vectors(KNOWN))
    torch.nn.init.normal_(network.prompt_free_head.classes.weight, std=0.3)
    path = tmp_path_factory.mktemp("weights") / "own.safetensors"
    save_network(network, path)
    return path


@pytest.fixture
def studies(ct: Path, photograph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CT and a photograph."""
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    folder = tmp_path / "studies"
    folder.mkdir()
    for image in (ct, photograph):
        shutil.copy(image, folder)
    return folder


def test_every_image_gets_a_label_that_says_where_it_came_from(run, studies: Path, weights: Path) -> None:
    code, output = run("annotate", studies, "--model", weights, "--classes", "spleen,liver")
    assert code == 0, output
    assert "2 labelled (tag original)" in output
    store = SamanticDatastore(studies)
    for image, suffix in (("ct", ".nii.gz"), ("mole", ".png")):
        info = store.get_label_info(image, "original")
        assert info["name"] == f"{image}{suffix}"
        assert info["params"]["label_names"] == {"spleen": 1, "liver": 2}
        assert info["params"]["weights_hash"] == file_hash(weights)
        assert info["provenance"]["kind"] == "model"
        assert info["provenance"]["weights_hash"] == file_hash(weights)
        file = next(studies.glob(f"{image}.*"))
        labels = read_mask(studies / "labels" / "original" / info["name"], read_volume(file))
        assert set(np.unique(labels)) <= {0, 1, 2}


def test_images_with_a_label_of_any_tag_are_left_alone_and_the_command_can_be_repeated(
    run, studies: Path, weights: Path, tmp_path: Path
) -> None:
    drawn = tmp_path / "drawn.nii.gz"
    write_volume(drawn, Volume(np.ones((48, 56, 10), np.uint8), np.eye(4)))
    SamanticDatastore(studies).save_label("ct", str(drawn), "final", {"by": "a person"})
    code, output = run("annotate", studies, "--model", weights)
    assert code == 0, output
    assert "1 labelled" in output
    assert "1 with a label already" in output
    store = SamanticDatastore(studies)
    assert set(store.get_labels_by_image_id("ct")) == {"final"}
    before = store.get_label_info("mole", "original")
    assert "0 labelled" in run("annotate", studies, "--model", weights)[1]
    assert SamanticDatastore(studies).get_label_info("mole", "original") == before


def test_one_bad_image_is_reported_at_the_end_and_the_others_are_labelled(run, studies: Path, weights: Path) -> None:
    (studies / "broken.nii.gz").write_bytes(b"not an image")
    code, output = run("annotate", studies, "--model", weights, "--tag", "draft")
    assert code == 1
    assert "2 labelled (tag draft)" in output
    assert "broken: " in output
    store = SamanticDatastore(studies)
    assert [sorted(store.get_labels_by_image_id(image)) for image in ("broken", "ct", "mole")] == [
        [],
        ["draft"],
        ["draft"],
    ]


def test_a_label_that_comes_while_the_model_works_is_kept(studies: Path, weights: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.png"
    write_volume(drawn, Volume(np.ones((64, 48, 1), np.uint8), np.diag([-1.0, -1, 1, 1]), kind="photograph"))

    def a_person_works_meanwhile(_done: int, _total: int, image: str, share: float) -> None:
        if image == "mole" and share == 1.0:
            SamanticDatastore(studies).save_label("mole", str(drawn), "final", {})

    predictor = SegSamPredictor.from_checkpoint(weights, "cpu")
    done = annotate_studies(studies, SegSamAuto(lambda: predictor), {}, "original", a_person_works_meanwhile)
    assert (done.labelled, done.left_out, done.failed) == (["ct"], ["mole"], {})
    assert set(SamanticDatastore(studies).get_labels_by_image_id("mole")) == {"final"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tag", "final"], "what a person has looked at"),
        (["--tag", "../x"], "not allowed"),
        (["--model", "no-such-model"], "segsam-tiny"),
        (["--classes", "livre"], "livre"),
        (["--proposals", "oracle"], "auto, head, grid"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    run, studies: Path, weights: Path, arguments: list[str], says: str
) -> None:
    options = arguments if "--model" in arguments else ["--model", weights, *arguments]
    code, output = run("annotate", studies, *options)
    assert code == 2, output
    assert says in output
    assert not SamanticDatastore(studies).get_labels_by_image_id("ct")


def test_a_folder_that_is_not_there_is_a_mistake(run, tmp_path: Path) -> None:
    code, output = run("annotate", tmp_path / "nowhere")
    assert code == 2
    assert "There is no folder" in output
