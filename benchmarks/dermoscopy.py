"""How well the lesion is drawn on the dermoscopic images of the test part, by BESA-Diff and by what stands beside it.

    SAMANTIC_DATA=... python benchmarks/dermoscopy.py --unet UNET.safetensors --without-boundary SEGMENTER.safetensors
        [--segmenter SEGMENTER.safetensors] [--part val] [--pictures FOLDER]

Rows: the mean training mask, placed without looking (how much of it is drawn is chosen on the validation part); MONAI's
U-Net of the same size, trained as long, and its mean over the orientations that our ensemble looks at; DermoSegDiff
without and with the boundary in its loss, trained as long too; BESA-Diff, which has the refiner redraw the mask where
its rules accept it. Per-image Dice, IoU, boundary F (2 and 4 pixels at 256x256) and HD95 in pixels; differences are
paired by image, with bootstrap intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from monai.networks.nets import UNet
from results import machine, write_section
from unet_baseline import load_unet, probability_of

from samantic.besadiff import BesaDiffPipeline
from samantic.besadiff.answer import lesion_mask
from samantic.besadiff.orientations import turned, turned_back
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import data_folder, isic2017
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import (
    BorderDistances,
    SheetTile,
    dice,
    intersection_over_union,
    mean_with_interval,
    paired_difference,
    write_contact_sheet,
)

MEMBERS = 5
Mask = Callable[[np.ndarray], np.ndarray]
COLUMNS = ("Dice", "IoU", "boundary F 2 px", "boundary F 4 px", "HD95 px")


def scores(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """The five columns for one image."""
    borders = BorderDistances.between(predicted, truth)
    return (
        dice(predicted, truth),
        intersection_over_union(predicted, truth),
        borders.boundary_f(2.0),
        borders.boundary_f(4.0),
        borders.hausdorff95(),
    )


def image_blind(train: Sequence[LabelledView], chosen_on: Sequence[LabelledView]) -> Mask:
    """The mean training mask, cut where it agrees best with the validation part."""
    mean = np.mean([view.labels > 0 for view in train], axis=0)
    shares = (0.2, 0.3, 0.4, 0.5, 0.6)
    best = max(shares, key=lambda share: np.mean([dice(mean > share, view.labels > 0) for view in chosen_on]))
    return lambda _: mean > best


def averaged(unet: UNet, image: np.ndarray) -> np.ndarray:
    """The U-Net's mean probability (rows, cols) over the orientations of a square photograph (rows, cols, 3)."""
    photograph, found = torch.from_numpy(image).permute(2, 0, 1), []
    for orientation in range(MEMBERS):
        lying = turned(photograph, orientation).permute(1, 2, 0).contiguous().numpy()
        found.append(turned_back(torch.from_numpy(probability_of(unet, lying)), orientation))
    return torch.stack(found).mean(dim=0).numpy()


def measured(mask_of: Mask, views: Sequence[LabelledView]) -> np.ndarray:
    """Scores (images, columns)."""
    return np.array([scores(mask_of(view.image), view.labels > 0) for view in views])


def table(rows: dict[str, np.ndarray]) -> str:
    lines = ["| model | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, values in rows.items():
        cells = [str(mean_with_interval(column.tolist())) for column in values.T]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def differences(rows: dict[str, np.ndarray], pairs: Sequence[tuple[str, str]]) -> str:
    lines = ["| difference, paired by image | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for first, second in pairs:
        cells = []
        for index in range(len(COLUMNS)):
            found = paired_difference(rows[first][:, index].tolist(), rows[second][:, index].tolist())
            cells.append(f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})")
        lines.append(f"| {first} - {second} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_pictures(folder: Path, views: Sequence[LabelledView], mask_of: Mask, values: np.ndarray) -> None:
    """The best, the median and the worst six by Dice."""
    order = np.argsort(-values[:, 0])
    middle = len(order) // 2 - 3
    rows = []
    for title, places in (("Best", order[:6]), ("Median", order[middle : middle + 6]), ("Worst", order[-6:])):
        tiles = []
        for place in places:
            view = views[place]
            caption = f"Dice {values[place, 0]:.2f}  {view.image_id}"
            tiles.append(SheetTile(view.image, view.labels > 0, mask_of(view.image), caption))
        rows.append((title, tiles))
    folder.mkdir(parents=True, exist_ok=True)
    write_contact_sheet(folder / "besadiff_test.png", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segmenter", type=Path, default=None, help="default: the bundled one")
    parser.add_argument("--unet", type=Path)
    parser.add_argument("--without-boundary", type=Path)
    parser.add_argument("--part", choices=("val", "test"), default="test")
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    folder = data_folder()
    views = list(isic2017(folder, arguments.part))
    segmenter = LesionSegmenter.load(arguments.segmenter or bundled_weights("besadiff-segmenter"))
    besadiff = BesaDiffPipeline.bundled(segmenter)
    masks: dict[str, Mask] = {
        "image-blind": image_blind(list(isic2017(folder, "train")), list(isic2017(folder, "val"))),
    }
    if arguments.unet is not None:
        unet = load_unet(arguments.unet)
        masks["U-Net"] = lambda image: lesion_mask(probability_of(unet, image))
        masks[f"U-Net, {MEMBERS} orientations"] = lambda image: lesion_mask(averaged(unet, image))
    if arguments.without_boundary is not None:
        without = LesionSegmenter.load(arguments.without_boundary)
        masks["core without boundary loss"] = lambda image: without.segment(image).mask
    masks["core with boundary loss"] = lambda image: segmenter.segment(image).mask
    masks["BESA-Diff"] = lambda image: besadiff.segment(image).mask
    rows = {name: measured(mask_of, views) for name, mask_of in masks.items()}
    pairs = [("BESA-Diff", name) for name in masks if name != "BESA-Diff"]
    pairs += [
        ("core with boundary loss", name)
        for name in ("core without boundary loss", "U-Net", f"U-Net, {MEMBERS} orientations")
        if name in masks
    ]
    text = (
        f"ISIC 2017, part {arguments.part} of splits.json, n {len(views)}; mean (95 % bootstrap interval). "
        f"`python benchmarks/dermoscopy.py`\n\n{table(rows)}\n\n{differences(rows, pairs)}\n\n{machine()}"
    )
    print(text)
    if arguments.part == "test":
        write_section("dermoscopy: BESA-Diff on the test part", text)
    if arguments.pictures is not None:
        write_pictures(arguments.pictures, views, masks["BESA-Diff"], rows["BESA-Diff"])


if __name__ == "__main__":
    main()
