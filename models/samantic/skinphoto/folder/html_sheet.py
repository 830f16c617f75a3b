"""Photographs and their crops side by side in a browser, some on a page; no script, nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from samantic.evaluation.report_style import STYLE
from samantic.imaging import atomic_path
from samantic.skinphoto.folder.crop_files import thumbnail_name
from samantic.skinphoto.folder.record import PhotographEntry

PAGE = 100
"""Photographs on a page: thousands on one would take a browser gigabytes."""

OWN_STYLE = """
.photograph { display: flex; flex-wrap: wrap; gap: 12px; border-bottom: 1px solid var(--rule); padding: 12px 0; }
.photograph figure { width: 200px; } .photograph img { max-height: 200px; object-fit: contain; }
nav a, nav b { margin-right: 10px; } a { color: var(--model); }
"""


def write_sheets(out: Path, entries: Sequence[PhotographEntry]) -> None:
    """Write `sheet.html`, `sheet-2.html`, …, atomically, and remove pages that are no longer needed."""
    pages = max(1, -(-len(entries) // PAGE))
    for page in range(1, pages + 1):
        with atomic_path(out / sheet_name(page), durable=False) as temporary:
            temporary.write_text(_page(entries, page, pages), encoding="utf-8")
    page = pages + 1
    while (old := out / sheet_name(page)).exists():
        old.unlink()
        page += 1


def sheet_name(page: int) -> str:
    """The file of a page, counted from 1."""
    return "sheet.html" if page == 1 else f"sheet-{page}.html"


def _page(entries: Sequence[PhotographEntry], page: int, pages: int) -> str:
    crops, problems = sum(len(entry.crops) for entry in entries), sum(entry.shape is None for entry in entries)
    links = " ".join(
        f"<b>{number}</b>" if number == page else f'<a href="{sheet_name(number)}">{number}</a>'
        for number in range(1, pages + 1)
    )
    shown = "".join(map(_photograph, entries[(page - 1) * PAGE : page * PAGE]))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Crops of skin photographs</title><style>{STYLE}{OWN_STYLE}</style></head><body><main>"
        f"<h1>Crops of skin photographs</h1><p>{len(entries)} photographs, {crops} crops, {problems} photographs that "
        f"could not be read. Page {page} of {pages}.</p><nav>{links}</nav>{shown}</main></body></html>\n"
    )


def _photograph(entry: PhotographEntry) -> str:
    name = escape(entry.photograph, quote=True)
    if entry.shape is None:
        return f'<section class="photograph"><p><b>{name}</b><br>{escape(entry.problem or "")}</p></section>'
    told = f"skin {entry.skin:.0%}, lesion {entry.lesion:.0%}" + ("" if entry.crops else "; no crop qualifies")
    figures = [_figure(thumbnail_name(entry.photograph), None, name, told)]
    for file, crop in zip(entry.files, entry.crops, strict=True):
        told = f"skin {crop.skin:.0%}, lesion {crop.lesion:.0%}, {crop.side} px"
        figures.append(_figure(thumbnail_name(file), file, escape(file.rsplit("/", 1)[-1], quote=True), told))
    return f'<section class="photograph">{"".join(figures)}</section>'


def _figure(picture: str, link: str | None, name: str, told: str) -> str:
    image = f'<img src="{quote(picture)}" alt="{name}" loading="lazy">'
    shown = image if link is None else f'<a href="{quote(link)}">{image}</a>'
    return f"<figure>{shown}<figcaption><b>{name}</b><br>{told}</figcaption></figure>"
