"""The pictures of the model cards: the best, the median and the worst answers on test images.

    SAMANTIC_DATA=... python benchmarks/card_pictures.py [--model NAME] [--to docs/pictures/cards]

Six of each, by the Dice of what the model draws: truth in white, answer in amber. Of a volume it is the slice with most
truth in it. Of skin photographs, which are made up, lesions are scored. Two images of one volume or lesion may be among
them: nothing was picked by hand.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from student_sets import SETS

from samantic.breast import BreastReader
from samantic.breast.training.examples import busi_examples
from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import busi, data_folder, image_ids, isic2017
from samantic.evaluation import SheetTile, dice, write_contact_sheet
from samantic.imaging import SliceView, atomic_path, read_volume, to_uint8, window_for
from samantic.skinphoto.classes import LESION
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.skinphoto.training.bundled import composites_of, lesions_of
from samantic.student import StudentPredictor

EACH = 6
COMPOSITES, COMPOSITES_SEED, SHAPE = 120, 72, (240, 320)
Scored = tuple[float, SheetTile]


def students(name: str) -> Callable[[], Iterator[Scored]]:
    def scored() -> Iterator[Scored]:
        predictor = StudentPredictor.load(bundled_weights(SETS[name].model))
        if name == "hippocampus":
            yield from _slices(predictor)
            return
        for view in (isic2017 if name == "dermoscopy" else busi)(data_folder(), "test"):
            if view.labels.any():
                answer = predictor.segment(view.image)
                yield _scored(view.image, view.labels > 0, answer.labels > 0, f"unsure {answer.border_uncertainty:.2f}")

    return scored


def _slices(predictor: StudentPredictor) -> Iterator[Scored]:
    root = data_folder() / "msd_hippocampus"
    for image_id in image_ids(data_folder(), "msd_hippocampus", "test"):
        volume = read_volume(root / "imagesTr" / f"{image_id}.nii.gz", modality="MR")
        truth = read_volume(root / "labelsTr" / f"{image_id}.nii.gz").array
        found = predictor.segment_volume(volume).labels
        score = float(np.mean([dice(found == value, truth == value) for value in (1, 2)]))
        # The anterior part of the slice across the first axis: where both parts are seen, the border between them is.
        view = SliceView.of(volume, 0, int((truth > 0).sum(axis=(1, 2)).argmax()))
        picture = to_uint8(view.extract(volume.array), window_for(volume))
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], 3, axis=2)
        tile = SheetTile(picture, view.extract(truth) == 1, view.extract(found) == 1, f"{image_id}  Dice {score:.2f}")
        yield score, tile


def breast() -> Iterator[Scored]:
    reader = BreastReader.load(bundled_weights("breast-ultrasound"))
    for example in busi_examples(data_folder(), "test"):
        if example.mask.any():
            answer = reader.read(example.image)
            truth = example.image_id.partition(" ")[0].partition("_")[0]
            yield _scored(
                example.image, example.mask, answer.mask, f"{truth}: {answer.diagnosis} {answer.confidence:.2f}"
            )


def skin_photographs() -> Iterator[Scored]:
    segmenter = SkinSegmenter.load(bundled_weights("skin-photo"))
    for composite in composites_of(lesions_of(data_folder(), "test"), COMPOSITES, COMPOSITES_SEED, SHAPE):
        truth = composite.labels == LESION
        if truth.any():
            yield _scored(composite.image, truth, segmenter.segment(composite.image).labels(SHAPE) == LESION, "lesion")


def _scored(image: np.ndarray, truth: np.ndarray, found: np.ndarray, told: str) -> Scored:
    score = dice(found, truth)
    return score, SheetTile(image, truth, found, f"Dice {score:.2f}  {told}")


MODELS: dict[str, Callable[[], Iterator[Scored]]] = {
    "breast-ultrasound": breast,
    "skin-photo": skin_photographs,
    **{SETS[name].model: students(name) for name in SETS},
}


def write_picture(path: Path, scored: Sequence[Scored]) -> None:
    """Three rows as a JPEG, atomically."""
    tiles = [tile for _, tile in sorted(scored, key=lambda one: -one[0])]
    middle = len(tiles) // 2 - EACH // 2
    rows = [("Best", tiles[:EACH]), ("Median", tiles[middle : middle + EACH]), ("Worst", tiles[-EACH:])]
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        write_contact_sheet(sheet, rows)
        stream = io.BytesIO()
        with Image.open(sheet) as picture:
            picture.convert("RGB").resize((picture.width * 2 // 3, picture.height * 2 // 3)).save(
                stream, "JPEG", quality=82
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(stream.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=tuple(MODELS), help="default: all")
    parser.add_argument("--to", type=Path, default=Path(__file__).parents[1] / "docs" / "pictures" / "cards")
    arguments = parser.parse_args()
    for name in (arguments.model,) if arguments.model else tuple(MODELS):
        scored = list(MODELS[name]())
        write_picture(arguments.to / f"{name}.jpg", scored)
        print(f"{name}: {len(scored)} images, median Dice {np.median([score for score, _ in scored]):.3f}")


if __name__ == "__main__":
    main()
