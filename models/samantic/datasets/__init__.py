"""Images to learn from, to test on and to try: procedural phantoms with their truth."""

from samantic.datasets.phantoms import (
    DemoImage,
    DemoStudy,
    DemoStudyError,
    Phantom,
    make_abdomen,
    make_dermoscopy,
    make_head,
    make_ultrasound,
    write_demo_study,
)

__all__ = [
    "DemoImage",
    "DemoStudy",
    "DemoStudyError",
    "Phantom",
    "make_abdomen",
    "make_dermoscopy",
    "make_head",
    "make_ultrasound",
    "write_demo_study",
]
