from pathlib import Path

import numpy as np
from PIL import Image

from samantic.evaluation import SheetTile, write_contact_sheet
from samantic.evaluation.contact_sheet import CAPTION, PREDICTED_COLOUR, PROMPT_COLOUR, TILE


def _tile(columns: int = 60) -> SheetTile:
    image = np.full((40, columns, 3), 90, dtype=np.uint8)
    truth, predicted = np.zeros((40, columns), dtype=bool), np.zeros((40, columns), dtype=bool)
    truth[10:30, 10:30] = True
    predicted[10:30, 15:35] = True
    return SheetTile(image, truth, predicted, "Dice 0.75", click_xy=(20.0, 20.0))


def test_every_tile_has_its_place_and_shows_prediction_truth_and_prompt(tmp_path: Path):
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, [("first row", [_tile(), _tile()]), ("second row", [_tile(40)])])
    sheet = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert sheet.shape == (2 * (TILE + 2 * CAPTION), 2 * TILE, 3)
    tile = sheet[CAPTION : CAPTION + TILE, :TILE]

    def shows(colour: tuple[int, int, int]) -> bool:
        return bool((np.abs(tile - np.array(colour)).sum(axis=2) < 60).any())

    assert shows(PREDICTED_COLOUR)
    assert shows((255, 255, 255))
    assert shows(PROMPT_COLOUR)
    assert [entry.name for entry in tmp_path.iterdir()] == ["sheet.png"]
