"""Does the model know what it does not know? Confidence, the answer "unsure", and pictures unlike its training ones.

    SAMANTIC_DATA=... python benchmarks/knows_when_not.py [--weights FILE] [--limit N] [--no-results]

Every structure is prompted by its half-open bounds with each side moved by up to 10 %. Nothing that is measured here
took part in `python -m samantic.segsam.calibrate`, which chose temperatures and thresholds; on the DICOM CT, whose
patient nobody has seen, intervals are drawn by slice. The image-blind rows say the class that is commonest in the other
pictures of a set (the part val, the training CT) with its share there.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from results import machine, write_section
from strange_pictures import strange_pictures

from samantic.evaluation import calibration_error_with_interval, mean_with_interval
from samantic.evaluation.cases import cases_of, evenly
from samantic.evaluation.evaluation_sets import SET_NAMES, EvaluationSet, named_set
from samantic.evaluation.interactive_protocol import answer_to_box
from samantic.evaluation.intervals import MeanWithInterval
from samantic.segsam import SegSamPredictor

ONE_PATIENT = "dicom-ct"
FLAGGED_STRANGE, FLAGGED_TEST = 0.90, 0.05
UNSURE_UNKNOWN, UNSURE_KNOWN = 0.70, 0.15


@dataclass(frozen=True)
class Said:
    """What the model said about one structure; `group` is drawn as a whole in the intervals."""

    group: str
    class_name: str
    known: bool
    right: bool
    confidence: float
    unsure: bool


@dataclass(frozen=True)
class SetAnswers:
    """All answers on one set, whether each of its pictures was flagged, and the image-blind class with its share."""

    name: str
    said: list[Said]
    groups: list[str]
    flagged: list[bool]
    commonest: tuple[str, float]

    @property
    def named(self) -> list[Said]:
        """Of classes that the model can name."""
        return [one for one in self.said if one.known]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--limit", type=int, help="at most so many pictures a set, spread evenly")
    arguments.add_argument("--weights", type=Path, help="a checkpoint other than the bundled segsam-tiny")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    asked = arguments.parse_args()
    predictor = SegSamPredictor.from_checkpoint(asked.weights) if asked.weights else SegSamPredictor.from_bundled()
    if predictor.calibration is None:
        arguments.exit(2, "These weights have no calibration; run `python -m samantic.segsam.calibrate` first.\n")
    answers = []
    for name in SET_NAMES:
        answers.append(answers_on(named_set(name), predictor, asked.limit))
        print(f"{name}: {len(answers[-1].flagged)} pictures, {len(answers[-1].said)} structures", flush=True)
    text = "\n\n".join(
        [
            "`benchmarks/knows_when_not.py`: 95 % bootstrap intervals by image, by volume or, on the one patient of "
            "the DICOM CT, by slice. Temperatures and thresholds were chosen on validation pictures and, for CT and "
            "MR, on synthesised slices of the training patients.",
            confidence_table(answers),
            unsure_table(next(one for one in answers if one.name == ONE_PATIENT)),
            flag_table(answers, predictor, asked.limit),
            f"Machine: {machine()}.",
        ]
    )
    print(text)
    if not asked.no_results:
        write_section("knows when not", text)


def answers_on(chosen: EvaluationSet, predictor: SegSamPredictor, limit: int | None) -> SetAnswers:
    """Prompt every structure of a set and judge every picture."""
    views = list(chosen.views())
    said, groups, flagged = [], [], []
    for view in evenly(lambda: views, len(views), limit):
        features = predictor.encode(view.image, view.spacing_yx_mm)
        familiarity = predictor.familiarity(features)
        assert familiarity is not None
        group = view.image_id if chosen.name == ONE_PATIENT else view.image_id.rsplit("/axis", 1)[0]
        groups.append(f"{chosen.name}/{group}")
        flagged.append(familiarity.out_of_domain)
        for case in cases_of([view], chosen.smallest):
            answer, _ = answer_to_box(predictor, features, case)
            said.append(
                Said(
                    group=groups[-1],
                    class_name=case.class_name,
                    known=case.class_name in predictor.class_names,
                    right=answer.predicted_class == case.class_name,
                    confidence=answer.class_confidence,
                    unsure=bool(answer.unsure),
                )
            )
    return SetAnswers(chosen.name, said, groups, flagged, _commonest(chosen, predictor.class_names))


def _commonest(chosen: EvaluationSet, class_names: Sequence[str]) -> tuple[str, float]:
    assert chosen.disc_views is not None
    counts = Counter(case.class_name for case in cases_of(chosen.disc_views(), chosen.smallest))
    known = Counter({name: count for name, count in counts.items() if name in class_names})
    name, count = known.most_common(1)[0]
    return name, count / known.total()


def confidence_table(answers: Sequence[SetAnswers]) -> str:
    """Expected calibration error of each set and of all together, beside that of the image-blind answer."""
    rows = [
        "| set | top-1 | mean confidence | expected calibration error | image-blind: top-1 | image-blind: error | "
        "structures | groups |",
        "|---|---|---|---|---|---|---|---|",
    ]
    blind = {
        one.name: [(said.class_name == one.commonest[0], one.commonest[1]) for said in one.named] for one in answers
    }
    rows += [_confidence_row(one.name, one.named, blind[one.name]) for one in answers]
    rows.append(
        _confidence_row(
            "all together",
            [said for one in answers for said in one.named],
            [pair for one in answers for pair in blind[one.name]],
        )
    )
    return "Confidence in names, of structures whose class the model knows (15 bins):\n\n" + "\n".join(rows)


def _confidence_row(name: str, said: Sequence[Said], blind: Sequence[tuple[bool, float]]) -> str:
    groups = [one.group for one in said]
    right = mean_with_interval([float(one.right) for one in said], groups)
    confidence = sum(one.confidence for one in said) / len(said)
    error = calibration_error_with_interval([one.confidence for one in said], [one.right for one in said], groups)
    blind_error = calibration_error_with_interval([share for _, share in blind], [hit for hit, _ in blind], groups)
    blind_right = sum(hit for hit, _ in blind) / len(blind)
    return (
        f"| {name} | {right} | {confidence:.3f} | {error} | {blind_right:.3f} | {blind_error} | "
        f"{right.count} | {right.groups} |"
    )


def unsure_table(answers: SetAnswers) -> str:
    """How often names of known and of unknown structures are unsure."""
    unknown = [one for one in answers.said if not one.known]
    rows = [
        "| structures of more than 200 pixels | unsure | bar | structures | slices |",
        "|---|---|---|---|---|",
        _unsure_row("unknown to the model", unknown, UNSURE_UNKNOWN, at_least=True),
        _unsure_row("known to the model", answers.named, UNSURE_KNOWN, at_least=False),
        _unsure_row("known, rightly named", [one for one in answers.named if one.right]),
        _unsure_row("known, wrongly named", [one for one in answers.named if not one.right]),
    ]
    counts, doubts = (
        Counter(one.class_name for one in unknown),
        Counter(one.class_name for one in unknown if one.unsure),
    )
    listed = ", ".join(f"{name} {doubts[name]} of {count}" for name, count in counts.most_common())
    return (
        "Unsure answers on the DICOM CT. Without looking, both rates would be the same.\n\n"
        + "\n".join(rows)
        + f"\n\nUnsure of the unknown: {listed or 'none there'}."
    )


def _unsure_row(kind: str, said: Sequence[Said], bar: float | None = None, at_least: bool = True) -> str:
    if not said:
        return f"| {kind} | none there | - | 0 | 0 |"
    rate = mean_with_interval([float(one.unsure) for one in said], [one.group for one in said])
    return f"| {kind} | {_percent(rate)} | {_bar(rate, bar, at_least)} | {rate.count} | {rate.groups} |"


def flag_table(answers: Sequence[SetAnswers], predictor: SegSamPredictor, limit: int | None) -> str:
    """How often pictures of each kind are called unlike the training pictures."""
    rows = ["| pictures | out of domain | bar | pictures | groups |", "|---|---|---|---|---|"]
    for strange in strange_pictures():
        drawn = list(strange.draw(min(strange.count, limit or strange.count)))
        judged = [predictor.familiarity(predictor.encode(picture)) for _, picture in drawn]
        flags = [one is not None and one.out_of_domain for one in judged]
        rows.append(
            _flag_row(
                strange.kind, flags, [source for source, _ in drawn], FLAGGED_STRANGE if strange.has_bar else None
            )
        )
    for one in answers:
        bar = None if one.name == ONE_PATIENT else FLAGGED_TEST
        rows.append(_flag_row(f"test images: {one.name}", one.flagged, one.groups, bar, at_least=False))
    return (
        "Pictures that are called unlike the training pictures. Photographs are crops of those in scikit-image and "
        "scikit-learn; the flag was fitted with drawn patterns and coloured noise, so noise is no surprise in kind.\n\n"
        + "\n".join(rows)
    )


def _flag_row(kind: str, flags: Sequence[bool], groups: Sequence[str], bar: float | None, at_least: bool = True) -> str:
    # Crops of one photograph are drawn one by one: there is no interval over photographs from a single one.
    own = groups if len(set(groups)) > 1 else None
    rate = mean_with_interval([float(flag) for flag in flags], own)
    return f"| {kind} | {_percent(rate)} | {_bar(rate, bar, at_least)} | {rate.count} | {len(set(groups))} |"


def _percent(rate: MeanWithInterval) -> str:
    return f"{100 * rate.mean:.1f} ({100 * rate.low:.1f}-{100 * rate.high:.1f})"


def _bar(rate: MeanWithInterval, bar: float | None, at_least: bool) -> str:
    if bar is None:
        return "-"
    met = rate.mean >= bar if at_least else rate.mean <= bar
    return f"{'at least' if at_least else 'at most'} {100 * bar:.0f}: {'met' if met else 'not met'}"


if __name__ == "__main__":
    main()
