from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.besadiff.generator import GeneratedPair, LesionCondition
from samantic.besadiff.synthesis import SynthesisError, SynthesisProgress, read_manifest
from samantic.besadiff.synthesis import synthesizing as module
from samantic.besadiff.synthesis.synthesizing import enlarged


def test_the_folder_holds_as_many_pairs_as_were_asked_for(fill, tmp_path: Path) -> None:
    done = fill(5)
    assert done.finished
    names = [f"synthetic_{number:06d}.png" for number in range(1, 6)]
    for folder in (".", "labels/final", "coarse"):
        found = [path.name for path in (tmp_path / "synthetic" / folder).glob("synthetic_*.png")]
        assert sorted(found) == names


def test_every_attempt_is_in_the_manifest_with_its_decision(fill, tmp_path: Path) -> None:
    done = fill(12)
    values = json.loads((tmp_path / "synthetic" / "manifest.json").read_text())
    assert values["synthetic"] is True
    assert values["counts"] == {"accepted": 12, "rejected": done.progress.rejected, "copy": done.progress.copies}
    assert done.progress.rejected > 0
    assert done.progress.copies > 0
    assert [one["attempt"] for one in values["attempts"]] == list(range(done.progress.attempts))
    for one in values["attempts"]:
        assert (one["decision"] == "accepted") == (one["image"] is not None) == (not one["reasons"])
        assert {"seed", "condition", "refinement"} <= one.keys()
    copy = next(one for one in values["attempts"] if one["decision"] == "copy")
    assert copy["reasons"] == ["The image is as near to the training image ISIC_1 as a copy is."]
    assert copy["nearest"]["image"] == "ISIC_1"


def test_the_same_seed_gives_the_same_files_and_another_seed_others(fill, tmp_path: Path, contents) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fill(4, name, seed=seed)
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    assert a["synthetic_000001.png"] != c["synthetic_000001.png"]


class Killed(BaseException):
    """As abrupt as it gets within a process."""


@pytest.mark.parametrize("saved_every_s", [0.0, 15.0])
@pytest.mark.parametrize("moment", [0, 1, 4, 9, 14])
def test_killed_at_any_write_and_begun_again_it_ends_with_the_same_files(
    fill, tmp_path: Path, contents, monkeypatch: pytest.MonkeyPatch, moment: int, saved_every_s: float
) -> None:
    monkeypatch.setattr(module, "SAVED_EVERY_S", saved_every_s)
    fill(4, "straight")
    left = itertools.count(-moment)
    original = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if next(left) >= 0:
            raise Killed
        return original(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(Killed):
            fill(4, "killed")
    fill(4, "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "straight")


@pytest.mark.usefixtures("sheets")
def test_stopped_and_gone_on_with_it_ends_with_the_same_files(fill, tmp_path: Path, contents) -> None:
    fill(6, "straight")
    polls = itertools.count()
    stopped = fill(6, "stopped", is_cancelled=lambda: next(polls) >= 3)
    assert not stopped.finished
    assert stopped.progress.attempts == 3
    assert read_manifest(tmp_path / "stopped").counts.total() == 3
    assert fill(6, "stopped").finished
    assert contents(tmp_path / "stopped") == contents(tmp_path / "straight")


def test_a_larger_number_adds_pairs_to_those_that_are_there(fill, tmp_path: Path, contents) -> None:
    fill(2, "grown")
    few = contents(tmp_path / "grown")
    fill(5, "grown")
    fill(5, "straight")
    grown = contents(tmp_path / "grown")
    assert grown == contents(tmp_path / "straight")
    assert grown["synthetic_000002.png"] == few["synthetic_000002.png"]


def test_a_full_folder_needs_no_further_attempt(fill, stand_ins) -> None:
    fill(3)
    generator = stand_ins["generator"]()
    assert fill(3, generator=generator).finished
    assert generator.drawn == []


def test_what_a_person_noted_and_corrected_meanwhile_stays(fill, tmp_path: Path) -> None:
    fill(2)
    folder = tmp_path / "synthetic"
    record = json.loads((folder / "datastore_v2.json").read_text())
    record["objects"]["synthetic_000001"]["labels"]["final"]["info"]["comment"] = "corrected"
    (folder / "datastore_v2.json").write_text(json.dumps(record))
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(folder / "labels" / "final" / "synthetic_000001.png")
    fill(4)
    record = json.loads((folder / "datastore_v2.json").read_text())
    assert record["objects"]["synthetic_000001"]["labels"]["final"]["info"]["comment"] == "corrected"
    assert len(record["objects"]) == 4
    assert not np.asarray(Image.open(folder / "labels" / "final" / "synthetic_000001.png")).any()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"seed": 7}, r"begun with other settings: seed is 0 there and 7 here\. Choose another folder"),
        ({"diagnoses": ("melanoma",)}, "diagnoses is none there and melanoma here"),
        ({"side": 64}, "side is 32 there and 64 here"),
        ({"copies": None}, "copy_check is some there and none here"),
    ],
)
def test_a_folder_of_other_settings_is_refused(fill, changed: dict, says: str) -> None:
    fill(1)
    with pytest.raises(SynthesisError, match=says):
        fill(1, **changed)


def test_a_folder_of_other_weights_or_rules_is_refused(fill, stand_ins) -> None:
    fill(1)
    with pytest.raises(SynthesisError, match="generator is discs there and others here"):
        fill(1, generator=stand_ins["generator"]("others"))
    with pytest.raises(SynthesisError, match=r"refiner.name is threshold there and strict here"):
        fill(1, refiner=stand_ins["refiner"](name="strict"))


def test_a_folder_with_other_files_is_refused(fill, tmp_path: Path) -> None:
    (tmp_path / "synthetic").mkdir()
    (tmp_path / "synthetic" / "holiday.png").write_bytes(b"sand")
    with pytest.raises(SynthesisError, match=r"holds other files and no manifest.json; choose a folder that is new"):
        fill(1)


def test_a_damaged_manifest_is_refused(fill, tmp_path: Path) -> None:
    fill(1)
    (tmp_path / "synthetic" / "manifest.json").write_text('{"format": "samantic.synthesis/1"')
    with pytest.raises(SynthesisError, match=r"manifest.json' cannot be read.*Choose another folder"):
        fill(1)


def test_two_at_once_in_one_folder_are_refused(fill) -> None:
    def again(_: SynthesisProgress) -> None:
        with pytest.raises(SynthesisError, match="Another process is synthesising into"):
            fill(1)

    fill(1, on_progress=again)


def test_diagnoses_are_taken_in_turn(fill, stand_ins) -> None:
    generator = stand_ins["generator"]()
    fill(4, generator=generator, diagnoses=("melanoma", "nevus"))
    assert [one.diagnosis for one in generator.drawn[:4]] == ["melanoma", "nevus", "melanoma", "nevus"]


def test_an_unknown_diagnosis_is_named_beside_the_known_ones(fill) -> None:
    with pytest.raises(SynthesisError, match="'mole' is no class that can be synthesised; use nevus, melanoma, seb"):
        fill(1, diagnoses=("mole",))


@pytest.mark.parametrize(
    ("options", "says"), [({"count": 0}, "not 0"), ({"seed": -1}, "0 or more"), ({"side": 8}, "8")]
)
def test_impossible_wishes_are_refused(fill, options: dict, says: str) -> None:
    with pytest.raises(SynthesisError, match=says):
        fill(**options)


def test_parts_that_are_of_no_use_end_the_search_with_the_reason(
    fill, stand_ins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 20)
    refiner = stand_ins["refiner"](trusts=lambda _: False)
    with pytest.raises(SynthesisError, match=r"Of 20 attempts 0 were accepted.*The seed is \d+, a multiple of four"):
        fill(1, refiner=refiner)
    assert read_manifest(tmp_path / "synthetic").counts["rejected"] == 20


def test_progress_tells_how_far_it_is(fill) -> None:
    seen: list[SynthesisProgress] = []
    fill(3, on_progress=seen.append)
    assert seen[0] == SynthesisProgress(0, 3, 0, 0, 0)
    assert [one.attempts for one in seen] == list(range(len(seen)))
    assert seen[-1].accepted == 3


def test_the_report_on_copies_is_about_all_accepted_images(fill, stand_ins, tmp_path: Path) -> None:
    fill(2)
    copies = stand_ins["copies"]()
    fill(4, copies=copies)
    assert copies.reported == [f"synthetic_{number:06d}" for number in range(1, 5)]
    assert (tmp_path / "synthetic" / "report" / "memorisation.json").is_file()


def test_small_pairs_are_enlarged_with_their_borders_in_place() -> None:
    mask = np.zeros((32, 32), np.float32)
    mask[8:24, 4:28] = 1
    image = np.where(mask[..., None] > 0, (90, 60, 50), (220, 180, 160)).astype(np.uint8)
    large, soft = enlarged(GeneratedPair(image, mask, LesionCondition(), 0), 128)
    assert large.shape == (128, 128, 3)
    assert soft.shape == (128, 128)
    expected = np.kron(mask, np.ones((4, 4))) > 0
    assert np.mean((soft > 0.5) != expected) < 0.001
    assert np.mean((large.mean(axis=2) < 130) != expected) < 0.01
