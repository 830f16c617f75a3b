"""`samantic evaluate` with the bundled weights, on a data folder of four lesions that the test draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.bundled import bundled_weights, model_card

Run = Callable[..., tuple[int, str]]


def _draw(image: Path, mask: Path, x: int, y: int, radius: int) -> None:
    rows, columns = np.mgrid[:96, :96]
    lesion = np.hypot(columns - x, rows - y) <= radius
    noise = np.random.default_rng(x).integers(0, 40, (96, 96))
    for path, pixels in ((image, np.where(lesion, 40, 150) + noise), (mask, lesion * 255)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as SAMANTIC_DATA names it, with a BUSI of two test and two validation images."""
    folder = tmp_path / "data"
    parts = {"train": [], "val": ["benign_3", "benign_4"], "test": ["benign_1", "benign_2"]}
    for number in range(1, 5):
        root, name = folder / "busi", f"benign_{number}.png"
        _draw(root / "images" / "benign" / name, root / "masks" / "benign" / name, 30 + 8 * number, 50, 14 + number)
    (folder / "splits.json").write_text(json.dumps({"busi": parts}))
    monkeypatch.setenv("SAMANTIC_DATA", str(folder))
    return folder


@pytest.fixture
def publishers_folder(tmp_path: Path) -> Path:
    """Two images as the publisher of BUSI packs them."""
    folder = tmp_path / "Dataset_BUSI_with_GT"
    for kind in ("malignant", "normal"):
        (folder / kind).mkdir(parents=True)
    for number in (1, 2):
        name = f"benign ({number})"
        _draw(folder / "benign" / f"{name}.png", folder / "benign" / f"{name}_mask.png", 40 + number, 50, 18)
    return folder


QUICK = ("--clicks", 2, "--click-limit", 3, "--device", "cpu")


@pytest.mark.usefixtures("data")
def test_a_set_is_measured_beside_its_image_blind_rows(run: Run, tmp_path: Path) -> None:
    report, numbers = tmp_path / "report.html", tmp_path / "numbers.json"
    code, output = run("evaluate", "segsam-tiny", "busi", *QUICK, "--report", report, "--json", numbers)
    assert code == 0, output
    for words in ("box", "ellipse in the box", "disc at the click", "2 clicks", "2 of 2 structures"):
        assert words in output
    stored = json.loads(numbers.read_text(encoding="utf-8"))
    assert stored["weights_hash"] == model_card("segsam-tiny")["sha256"]
    assert [one["image_id"] for one in stored["results"]] == ["benign_1", "benign_2"]
    # The validation lesions, which the disc's radius is chosen on, have radii of 17 and 18 pixels.
    assert 15 < stored["disc_radius"] < 20
    assert stored["summary"]["prompts"][0]["dice"]["mean"] == pytest.approx(
        np.mean([one["box"]["dice"] for one in stored["results"]])
    )
    text = report.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 4
    assert stored["weights_hash"] in text


def test_a_limit_the_other_part_and_a_file_of_weights(run: Run, data: Path, tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(bundled_weights("segsam-tiny").read_bytes())
    splits = json.loads((data / "splits.json").read_text())
    splits["busi"]["train"] = ["benign_1"]
    (data / "splits.json").write_text(json.dumps(splits))
    code, output = run("evaluate", weights, "busi", "--part", "val", "--limit", 1, *QUICK)
    assert code == 0, output
    assert "mine.safetensors on breast ultrasound (BUSI), part val: 1 of 2 structures" in output


def test_a_publishers_folder_is_measured_without_a_disc_where_there_are_no_other_images(
    run: Run, publishers_folder: Path
) -> None:
    code, output = run("evaluate", "segsam-tiny", publishers_folder, *QUICK)
    assert code == 0, output
    assert "2 of 2 structures" in output
    assert "disc at the click: --validation names images" in output


@pytest.mark.usefixtures("data")
def test_an_interrupt_leaves_no_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("samantic.evaluation.run.summarise", interrupt)
    folder = tmp_path / "out"
    folder.mkdir()
    code, output = run(
        "evaluate", "segsam-tiny", "busi", *QUICK, "--report", folder / "r.html", "--json", folder / "r.json"
    )
    assert code == 130
    assert "Interrupted" in output
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("segsam-tin", "busi"), "There is no model 'segsam-tin': name a bundled one (segsam-tiny"),
        (
            ("segsam-tiny", "bussi"),
            "There is no data set 'bussi'; use isic2017, busi, hippocampus, dicom-ct or the path",
        ),
        (("segsam-tiny", "busi", "--part", "tset"), "'tset' is not a part to measure on; use test or val."),
        (("segsam-tiny", "dicom-ct", "--part", "val"), "only the part test"),
        (("segsam-tiny", "busi", "--report", "report.pdf"), "--report 'report.pdf' must end with .html"),
        (("segsam-tiny", "busi", "--json", "nowhere/numbers.json"), "there is no folder 'nowhere'"),
        (("segsam-tiny", "busi", "--clicks", "11"), "The clicks must be 1 to the limit of 10, not 11."),
        (("segsam-tiny", "busi", "--smallest", "9000"), "shows no structure with at least 9000 pixels"),
    ],
)
@pytest.mark.usefixtures("data")
def test_a_mistake_is_answered_with_one_line(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    code, output = run("evaluate", *arguments)
    assert code == 2
    assert sentence in output
    assert output.count("\n") == 1


def test_without_the_data_the_answer_says_how_to_set_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAMANTIC_DATA", raising=False)
    code, output = run("evaluate", "segsam-tiny", "busi")
    assert code == 2
    assert "export SAMANTIC_DATA=" in output


def test_the_same_images_cannot_be_measured_and_chosen_on(run: Run, publishers_folder: Path) -> None:
    code, output = run("evaluate", "segsam-tiny", publishers_folder, "--validation", publishers_folder)
    assert code == 2
    assert "other images" in output
