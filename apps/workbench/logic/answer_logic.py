"""What the model says, in words."""

from __future__ import annotations

from SamanticLib.session_state import AnswerSummary, SessionState, SessionView

from ..ui.answer_ui import ActionsUI, AnswerState, AnswerUI
from .base import PartLogic, as_hex

SURE_BORDER = 0.75
SOFTWARE = "samantic workbench"


class AnswerLogic(PartLogic[AnswerState]):
    """The answer and what can be done with it."""

    def set_ui(self, ui: AnswerUI) -> None:
        """Connect what a person clicks in the answer."""
        ui.reading_chosen.connect(self.session.take_reading)

    def set_actions(self, ui: ActionsUI) -> None:
        """Connect the actions below it."""
        ui.ask_clicked.connect(self.session.ask)
        ui.outline_clicked.connect(self.session.outline)
        ui.propagate_clicked.connect(self.session.propagate)
        ui.accept_clicked.connect(self.session.accept)
        ui.submit_clicked.connect(self.submit)
        ui.map_toggled.connect(self.session.show_uncertainty)
        ui.live_toggled.connect(self.session.set_live)

    def submit(self) -> None:
        """Save the labels."""
        self.session.submit(SOFTWARE)

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""
        data, answer = self.data, view.answer
        data.has_answer = answer is not None
        data.headline, data.headline_kind = _headline(view, answer) if answer else ("", "info")
        data.lines = _lines(answer) if answer else []
        data.presence = [
            {"name": bar.name, "probability": bar.probability, "colour": as_hex(bar.rgb)}
            for bar in (answer.presence if answer else ())
        ]
        data.readings = _readings(answer) if answer else []
        data.live = view.live
        data.can_ask, data.can_outline, data.can_propagate = view.can_ask, view.can_outline, view.can_propagate
        data.can_accept, data.can_submit = view.can_accept, view.can_submit
        data.can_map, data.map_shown = view.can_map or view.map_shown, view.map_shown
        data.is_flat = view.image is not None and view.image.is_flat
        data.is_pending = view.can_ask and view.state is not SessionState.REFINING and not view.asking
        data.primary = _primary(view)


def _headline(view: SessionView, answer: AnswerSummary) -> tuple[str, str]:
    name = view.chosen.label if view.chosen else ""
    if answer.empty:
        return "Nothing found there", "warning"
    if answer.out_of_domain:
        return "Unlike all that the model knows", "warning"
    if answer.boundary_confidence is not None:
        sure = answer.boundary_confidence >= SURE_BORDER and not answer.unsure
        return f"Border {round(100 * answer.boundary_confidence)} % sure", "good" if sure else "warning"
    if answer.unsure:
        return f"Not sure that this is the {name}", "warning"
    if answer.agrees is False:
        return f"It looks more like: {answer.predicted_name}", "warning"
    if answer.agrees and answer.class_confidence is not None:
        return f"{name[:1].upper()}{name[1:]}, {round(100 * answer.class_confidence)} % sure", "good"
    return "Drawn", "good"


def _lines(answer: AnswerSummary) -> list[str]:
    lines = []
    if answer.slices is not None:
        first, last = answer.slices
        lines.append(f"Followed from slice {first} to {last}.")
        if answer.stopped:
            lines.append(f"It ended {answer.stopped}.")
    if answer.agrees is False and answer.unsure and answer.class_confidence is not None:
        lines.append(
            f"Best guess: {answer.predicted_name} ({round(100 * answer.class_confidence)} %). Your class is kept."
        )
    if answer.quality is not None and not answer.empty:
        lines.append(f"It expects its mask to overlap the truth by {round(100 * answer.quality)} %.")
    return lines


def _readings(answer: AnswerSummary) -> list[dict[str, object]]:
    return [
        {"number": number, "title": f"{number + 1}  ·  {round(100 * quality)} %", "on": number == answer.reading}
        for number, quality in enumerate(answer.readings)
    ]


def _primary(view: SessionView) -> str:
    """The one button that is the obvious next step."""
    answer = view.answer
    if view.asking or view.progress is not None:
        return ""
    if view.state is SessionState.CLASS and view.can_outline:
        return "outline"
    if view.state is SessionState.REFINING and answer is not None and not answer.empty:
        is_first = view.can_propagate and answer.slices is None
        return "propagate" if is_first else "accept"
    if view.state is SessionState.ACCEPTED:
        return "submit"
    return ""
