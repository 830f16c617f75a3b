"""An evaluation as one HTML file that works offline: inline style, charts as SVG, pictures as data, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from samantic.evaluation.class_confusion import ClassConfusion
from samantic.evaluation.contact_sheet import tile_png
from samantic.evaluation.intervals import MeanWithInterval
from samantic.evaluation.pictures import Picture
from samantic.evaluation.record import EvaluationRecord
from samantic.evaluation.report_style import STYLE
from samantic.evaluation.summary import NamingRow
from samantic.evaluation.svg_charts import Curve, curves, histogram, reliability_diagram
from samantic.imaging import atomic_path

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Nothing is fetched and nothing runs, whatever a name in the data holds."""


def write_report(record: EvaluationRecord, pictures: Sequence[Picture], path: Path) -> None:
    """Write the report, atomically; every text that comes from data is escaped."""
    with atomic_path(path) as temporary:
        temporary.write_text(report_html(record, pictures), encoding="utf-8")


def report_html(record: EvaluationRecord, pictures: Sequence[Picture]) -> str:
    """Return the report's text."""
    title = f"{record.model} on {record.data_set}"
    sections = [
        _measured(record),
        _prompts(record),
        _distributions(record),
        _clicks(record),
        _names(record),
        _classes(record),
        _pictures(pictures),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{''.join(sections)}</main></body></html>\n"
    )


def _measured(record: EvaluationRecord) -> str:
    summary = record.summary
    shown = f"{summary.structures}"
    if summary.structures < record.available:
        shown += f" of {record.available}, spread evenly"
    rows = [
        ("model", f"{record.model}, encoder {record.encoder}"),
        ("weights, SHA-256", record.weights_hash),
        ("data", record.data_title),
        ("structures", f"{shown}; at least {record.smallest} pixels each"),
        (
            "images",
            f"{summary.images} from {summary.groups} {'patient' if summary.groups == 1 else 'patients or images'}",
        ),
        ("measured", f"{record.date}, in {record.seconds:.0f} s, samantic {record.version}"),
        ("machine", record.machine),
    ]
    if record.unknown_classes:
        rows.append(("not named by the model", ", ".join(record.unknown_classes)))
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<table class="facts">{cells}</table>'


def _prompts(record: EvaluationRecord) -> str:
    unit = " or ".join(record.summary.units)
    rows = []
    for row in record.summary.prompts:
        figures = (row.dice, row.iou, row.surface_dice, row.hausdorff95, row.boundary_f)
        digits = (3, 3, 3, 1, 3)
        cells = "".join(f"<td>{_interval(value, places)}</td>" for value, places in zip(figures, digits, strict=True))
        kind = "" if row.looks_at_image else ' class="blind-row"'
        rows.append(f"<tr{kind}><th>{escape(row.prompt)}</th>{cells}</tr>")
    heads = ("Dice", "IoU", "surface Dice", f"Hausdorff 95, {unit}", "boundary F")
    differences = "".join(
        f"<li>{escape(row.compared)}: {_interval(row.dice, signed=True)} Dice</li>"
        for row in record.summary.differences
    )
    radius = (
        "The disc's row is left out: there are no other images to choose its radius on."
        if record.disc_radius is None
        else f"The disc has the radius {record.disc_radius:.1f} {unit}, the best one on {record.disc_source}."
    )
    tolerances = "; ".join(_tolerances(record))
    return (
        "<h2>Prompts</h2>"
        + _table(("prompt", *heads), rows)
        + f"<ul>{differences}</ul>"
        + "<p>Means with 95 % bootstrap intervals, drawn by image or patient. Grey rows do not look at the image: "
        f"they say what the prompt alone is worth. {escape(radius)} Box: sides moved by up to "
        f"{100 * record.protocol.jitter:g} % of their length. Tolerance of the surface Dice: {escape(tolerances)}; "
        f"of the boundary F: {record.protocol.boundary_tolerance_pixels:g} px.</p>"
    )


def _tolerances(record: EvaluationRecord) -> Iterable[str]:
    for domain in sorted({result.domain for result in record.results}):
        unit = next(result.unit for result in record.results if result.domain == domain)
        name = domain.upper() if unit == "mm" else domain.replace("_", " ")
        yield f"{record.protocol.tolerance(domain):g} {unit} for {name}"


def _distributions(record: EvaluationRecord) -> str:
    results, clicks = record.results, record.protocol.clicks
    discs = [result.disc_at_click.dice for result in results if result.disc_at_click is not None]
    charts: tuple[tuple[str, list[float], list[float]], ...] = (
        ("Box", [result.box.dice for result in results], [result.ellipse_in_box.dice for result in results]),
        ("One click", [result.one_click.dice for result in results], discs),
        (f"{clicks} clicks", [result.several_clicks.dice for result in results], []),
    )
    figures = [_figure(name, histogram(mine, blind, f"Histogram of the Dice: {name}")) for name, mine, blind in charts]
    key = '<span class="key model-key"></span>the model <span class="key blind-key"></span>without looking at the image'
    return f'<h2>How the Dice is spread</h2><p class="keys">{key}</p><div class="charts">{"".join(figures)}</div>'


def _clicks(record: EvaluationRecord) -> str:
    summary, limit, clicks = record.summary, record.protocol.click_limit, record.protocol.clicks
    padded = [(*result.dice_by_click, *[result.dice_by_click[-1]] * clicks)[:clicks] for result in record.results]
    means = Curve("mean", tuple((n + 1.0, sum(one[n] for one in padded) / len(padded)) for n in range(clicks)))
    reached = [
        Curve(
            f"{target.target:.2f}", tuple((float(n), _reached(record, target.target, n)) for n in range(1, limit + 1))
        )
        for target in summary.targets
    ]
    rows = [
        f"<tr><th>{target.target:.2f}</th><td>{_interval(target.reached)}</td><td>{escape(target.median_text)}</td>"
        f"<td>{target.least_mean_clicks:.2f}</td></tr>"
        for target in summary.targets
    ]
    heads = ("Dice wanted", f"share reached in {limit} clicks", "median clicks", "mean clicks, at least")
    charts = [_figure("Mean Dice after each click", curves([means], "Mean Dice after each click", "clicks", "Dice"))]
    if reached:
        label = "Share of structures that reached a Dice"
        charts.append(_figure(label, curves(reached, label, "clicks", "share")))
    return (
        f"<h2>Clicks</h2>{_table(heads, rows)}<p>A structure that did not get there counts as more than {limit} clicks "
        f"in the median and as {limit + 1} in the mean, which is therefore a lower bound.</p>"
        f'<div class="charts">{"".join(charts)}</div>'
    )


def _reached(record: EvaluationRecord, target: float, clicks: int) -> float:
    return sum(max(result.dice_by_click[:clicks]) >= target for result in record.results) / len(record.results)


def _names(record: EvaluationRecord) -> str:
    naming = record.summary.naming
    if not naming:
        return "<h2>Names</h2><p>The model names none of these structures.</p>"
    rows = []
    for row in naming:
        figures = f"<td>{_interval(row.top1)}</td><td>{_interval(row.top3)}</td><td>{row.confusion.macro_top1:.3f}</td>"
        errors = (row.reliability.expected_calibration_error, row.adaptive.expected_calibration_error)
        rows.append(
            f"<tr><th>{escape(row.prompt)}</th>{figures}"
            + "".join(f"<td>{value:.3f}</td>" for value in errors)
            + "</tr>"
        )
    confusion = naming[0].confusion
    doubts = "".join(_doubts(row) for row in naming)
    if record.summary.out_of_domain is not None:
        doubts += f"<li>images said to be unlike those learned from: {escape(str(record.summary.out_of_domain))}</li>"
    rows.append(
        f'<tr class="blind-row"><th>always the commonest class</th><td>{confusion.commonest_top1:.3f}</td><td>-</td>'
        f"<td>{confusion.commonest_macro_top1:.3f}</td><td>-</td><td>-</td></tr>"
    )
    heads = ("prompt", "top-1", "top-3", "macro top-1", "calibration error", "the same, equal counts")
    return (
        f'<h2>Names</h2>{_table(heads, rows)}<ul>{doubts}</ul><div class="charts">{_reliability(naming[0])}</div>'
        f"<h3>Which class was taken for which, after a box</h3>{_confusion(confusion)}"
    )


def _doubts(row: NamingRow) -> str:
    if row.unsure is None:
        return ""
    rates = row.unsure
    told = (
        f"unsure after {row.prompt}: {rates.right} of the rightly named, {rates.wrong} of the wrongly named, "
        f"{rates.unknown} of classes that the model does not know; right where it was sure: {rates.right_where_sure}"
    )
    return f"<li>{escape(told)}</li>"


def _reliability(row: NamingRow) -> str:
    error = row.reliability.expected_calibration_error
    title = f"Reliability after a {row.prompt}: expected calibration error {error:.3f}"
    return _figure(title, reliability_diagram(row.reliability, title))


def _confusion(confusion: ClassConfusion) -> str:
    heads = "".join(f'<th scope="col"><span>{_name(name)}</span></th>' for name in confusion.given_names)
    rows = []
    for true, counts in zip(confusion.true_names, confusion.matrix.tolist(), strict=True):
        total = sum(counts)
        cells = "".join(
            f'<td style="--share:{count / total:.2f}" title="{_name(true)} named {_name(said)}: {count} of {total}">'
            f"{count or ''}</td>"
            for said, count in zip(confusion.given_names, counts, strict=True)
        )
        rows.append(f'<tr><th scope="row">{_name(true)}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table class="confusion"><thead><tr><th>true \\ given</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _classes(record: EvaluationRecord) -> str:
    rows = [
        f"<tr><th>{_name(row.class_name)}</th><td>{row.structures}</td><td>{row.box:.3f}</td>"
        f"<td>{row.one_click:.3f}</td><td>{row.several_clicks:.3f}</td>"
        f"<td>{'-' if row.top1 is None else f'{row.top1:.2f}'}</td></tr>"
        for row in record.summary.classes
    ]
    heads = (
        "class",
        "structures",
        "Dice, box",
        "Dice, one click",
        f"Dice, {record.protocol.clicks} clicks",
        "top-1, box",
    )
    return f"<h2>Classes</h2>{_table(heads, rows)}"


def _pictures(pictures: Sequence[Picture]) -> str:
    parts = []
    for prompt in dict.fromkeys(picture.prompt for picture in pictures):
        tiles = "".join(_picture(picture) for picture in pictures if picture.prompt == prompt)
        parts.append(f'<h3>{escape(prompt.capitalize())}</h3><div class="tiles">{tiles}</div>')
    key = "Truth in white, the model's answer in amber, the prompt in cyan. A name with a question mark is wrong."
    return f"<h2>Best, median and worst</h2><p>{key}</p>{''.join(parts)}"


def _picture(picture: Picture) -> str:
    data = base64.b64encode(tile_png(picture.tile)).decode("ascii")
    what = f"{picture.place}: {_name(picture.result.class_name)} in {escape(picture.result.image_id, quote=True)}"
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{what}">'
        f"<figcaption><b>{escape(picture.place)}</b> {escape(picture.tile.caption)}<br>"
        f"<small>{escape(picture.result.image_id)}</small></figcaption></figure>"
    )


def _figure(title: str, chart: str) -> str:
    return f"<figure>{chart}<figcaption>{escape(title)}</figcaption></figure>"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _interval(value: MeanWithInterval, places: int = 3, signed: bool = False) -> str:
    sign = "+" if signed else ""
    mean = f"{value.mean:{sign}.{places}f}"
    if value.groups == 1:
        return f"{mean} <small>no interval</small>"
    return f"{mean} <small>{value.low:{sign}.{places}f} to {value.high:{sign}.{places}f}</small>"


def _name(name: str) -> str:
    return escape(name.replace("_", " "), quote=True)
