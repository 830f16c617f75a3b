"""What the server notes about a label that was submitted, as classes of its values."""

from __future__ import annotations

from typing import Any

import pytest
from SamanticLib.errors import BadAnswer
from SamanticLib.label_notes import classes_of_values


def test_the_record_beside_a_label_names_its_classes_and_what_is_of_no_class_by_its_name() -> None:
    told = [{"name": "Liver", "value": 1, "class": "liver"}, {"name": "a bright tube", "value": 7, "class": None}]
    assert classes_of_values({"provenance": {"classes": told}}) == {1: "liver", 7: "a bright tube"}


def test_a_label_of_a_stock_client_is_known_by_what_it_said_itself() -> None:
    note = {"label_info": [{"name": "liver", "idx": 1}, {"name": "spleen", "idx": 2}]}
    assert classes_of_values(note) == {1: "liver", 2: "spleen"}


@pytest.mark.parametrize(
    "note",
    [
        {},
        None,
        {"label_info": "liver"},
        {"provenance": {"classes": []}},
        {"provenance": {"classes": [{"name": "liver", "value": 0}]}},
        {"provenance": {"classes": [{"name": "", "value": 1}]}},
        {"label_info": ["liver"]},
    ],
)
def test_a_label_of_which_nobody_knows_what_it_means_is_refused(note: Any) -> None:
    with pytest.raises(BadAnswer, match="does not say what the values"):
        classes_of_values(note)
