"""What a breast shows: nothing, something benign, something malignant; and the words that people use for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

DIAGNOSES = ("normal", "benign", "malignant")
"""In the order of the network's answers."""

LESION = "breast_lesion"
"""The vocabulary's name for whatever is outlined."""

BENIGN_WORDS = frozenset(
    {"benign", "benign lesion", "benign breast lesion", "benign mass", "fibroadenoma", "breast cyst", "cyst", "lipoma"}
)
MALIGNANT_WORDS = frozenset(
    {
        "malignant",
        "malignant lesion",
        "malignant breast lesion",
        "malignant mass",
        "cancer",
        "breast cancer",
        "carcinoma",
        "breast carcinoma",
        "ductal carcinoma",
        "lobular carcinoma",
    }
)

Possible = tuple[bool, bool, bool]
"""Which of the DIAGNOSES an image may have, as far as its label says; all three if it says nothing."""


def possible_diagnoses(shown: Iterable[str], is_empty: bool) -> Possible:
    """What a label leaves possible; `shown` are the names of the segments that have pixels.

    A label without a pixel of any lesion is of a normal breast. A lesion that nobody called benign or malignant may be
    either, and so may two lesions of both kinds. Source: ours.
    """
    if is_empty:
        return True, False, False
    words = {_plain(word) for word in shown}
    benign, malignant = bool(words & BENIGN_WORDS), bool(words & MALIGNANT_WORDS)
    # Where there is a cancer, whatever else is in the picture does not make it benign.
    if malignant:
        return False, False, True
    return (False, True, False) if benign else (False, True, True)


def is_lesion_word(word: str) -> bool:
    """Whether a segment of this name is a lesion of the breast."""
    return _plain(word) in BENIGN_WORDS | MALIGNANT_WORDS | {_plain(LESION)}


def known_index(possible: Collection[bool]) -> int | None:
    """The index in DIAGNOSES where only one is possible, else None."""
    places = [index for index, may_be in enumerate(possible) if may_be]
    return places[0] if len(places) == 1 else None


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())
