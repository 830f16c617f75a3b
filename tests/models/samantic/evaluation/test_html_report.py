from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from samantic.evaluation.contact_sheet import SheetTile
from samantic.evaluation.html_report import report_html, write_report
from samantic.evaluation.interactive_protocol import GivenName, InteractiveProtocol, StructureResult
from samantic.evaluation.mask_scores import MaskScores
from samantic.evaluation.pictures import Picture
from samantic.evaluation.record import EvaluationRecord, write_json
from samantic.evaluation.summary import summarise
from samantic.evaluation.svg_charts import Curve, curves, histogram

NASTY = '<script>alert("1")</script>&\'"'


def _result(number: int, class_name: str, image_id: str) -> StructureResult:
    scores = MaskScores(0.5 + number / 50, 0.6, 0.7, 3.5, 0.4)
    name = GivenName((class_name, "liver", "spleen"), 0.8)
    curve = tuple(min(0.97, 0.4 + 0.1 * click + number / 100) for click in range(5))
    return StructureResult(
        image_id, class_name, image_id, "ct", "mm", 400, (1.0, 2.0, 3.0, 4.0), (2.0, 3.0),
        scores, scores, scores, scores, scores, curve, 0.8, 0.7, name, name, bool(number % 3), True, False,
    )  # fmt: skip


@pytest.fixture
def record() -> EvaluationRecord:
    results = [_result(number, NASTY if number % 2 else "kidney_left", f"{NASTY}{number}") for number in range(12)]
    return EvaluationRecord(
        NASTY, "ab12" * 16, "tiny", NASTY, NASTY, 40, 25, InteractiveProtocol(), 12.5, NASTY,
        summarise(results), results, 61.0, "2026-01-02 03:04 UTC", "a machine", "0.1.0",
    )  # fmt: skip


@pytest.fixture
def pictures(record: EvaluationRecord) -> list[Picture]:
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:15, 5:15] = True
    tile = SheetTile(np.full((20, 20, 3), 90, np.uint8), mask, mask, NASTY)
    return [Picture("box", "best", tile, record.results[1])]


class Tags(HTMLParser):
    """Collects tags and attributes, and fails where one is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_name_from_the_data_is_text_and_nothing_else(record: EvaluationRecord, pictures: list[Picture]):
    text = report_html(record, pictures)
    tags = Tags(text)
    assert not tags.open
    assert "script" not in tags.names
    assert "<script" not in text
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert text.count("&lt;script&gt;") > 10


def test_the_report_needs_nothing_from_elsewhere(record: EvaluationRecord, pictures: list[Picture]):
    text = report_html(record, pictures)
    addresses = [
        value or "" for name, value in Tags(text).attributes if name in ("src", "href", "srcset", "xlink:href")
    ]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert not re.findall(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


def test_the_report_says_what_was_measured_and_shows_image_blind_rows_beside_it(record: EvaluationRecord):
    text = report_html(record, [])
    for words in (
        "ab12" * 16,
        "12 of 40",
        "a machine",
        "2026-01-02",
        "12.5 mm",
        "expected calibration error",
        "8 of 12 (67%) of the",
    ):
        assert words in text
    assert "8 of 12 (67%) of the rightly named" in text
    assert text.count('class="blind-row"') == 3
    assert text.index(">box<") < text.index(">ellipse in the box<")


def test_charts_are_well_formed_and_every_value_is_in_them():
    chart = ElementTree.fromstring(histogram([0.1, 0.11, 0.9, 1.0], [0.5], f"Dice {NASTY}"))
    shares = [float(re.findall(r": ([\d.]+)%", title.text or "")[0]) for title in chart.iter("title")]
    assert shares == [50.0, 25.0, 25.0]
    assert len(list(chart.iter("polyline"))) == 1
    lines = ElementTree.fromstring(curves([Curve(NASTY, ((1, 0.5), (2, 1.0)))], "share", "clicks", "share"))
    assert len(list(lines.iter("circle"))) == 2


def test_a_single_click_makes_a_chart_too():
    ElementTree.fromstring(curves([Curve("mean", ((1.0, 0.5),))], "Dice", "clicks", "Dice"))


def test_the_numbers_of_every_structure_are_in_the_json(record: EvaluationRecord, tmp_path: Path):
    write_json(record, tmp_path / "numbers.json")
    stored = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert stored["format"] == "samantic.evaluation/1"
    assert stored["weights_hash"] == record.weights_hash
    assert [one["box"]["dice"] for one in stored["results"]] == [one.box.dice for one in record.results]
    assert stored["summary"]["prompts"][0]["dice"]["mean"] == pytest.approx(record.summary.prompts[0].dice.mean)
    assert sum(map(sum, stored["summary"]["naming"][0]["confusion"]["matrix"])) == 12


def test_a_report_that_fails_leaves_the_old_one(
    record: EvaluationRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "report.html"
    path.write_text("old")

    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("samantic.evaluation.html_report.report_html", stop)
    with pytest.raises(KeyboardInterrupt):
        write_report(record, [], path)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report.html", "old")]


def test_without_names_the_report_says_so(record: EvaluationRecord):
    results = [replace(result, box_name=None, click_name=None) for result in record.results]
    text = report_html(replace(record, results=results, summary=summarise(results)), [])
    assert "The model names none of these structures" in text
