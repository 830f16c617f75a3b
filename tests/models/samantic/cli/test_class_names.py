"""Class names as they are typed."""

from __future__ import annotations

import pytest

from samantic.cli.class_names import known_classes
from samantic.vocabulary import UnknownClassError, load_vocabulary


def test_a_class_that_somebody_taught_the_model_is_known_by_its_own_name():
    known = ("liver", "my stent")
    assert known_classes(load_vocabulary(), known, "my stent, Liver", None) == ("my stent", "liver")
    assert known_classes(load_vocabulary(), known, "", "my stent") == ("my stent",)


def test_a_class_that_the_model_does_not_know_is_refused():
    with pytest.raises(UnknownClassError):
        known_classes(load_vocabulary(), ("liver",), "my stent", None)
