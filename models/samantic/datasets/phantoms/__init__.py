"""Procedural phantoms: made-up images that look like CT, MR, dermoscopy and ultrasound, with the truth about them."""

from samantic.datasets.phantoms.abdomen import make_abdomen
from samantic.datasets.phantoms.demo_study import DemoImage, DemoStudy, DemoStudyError, write_demo_study
from samantic.datasets.phantoms.dermoscopy import make_dermoscopy
from samantic.datasets.phantoms.head import make_head
from samantic.datasets.phantoms.phantom import Phantom
from samantic.datasets.phantoms.ultrasound import make_ultrasound

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
