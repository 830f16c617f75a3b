"""From prompted slices through the volume."""

from samantic.segsam.propagation.options import Directions, PropagationOptions, StopLimits, StopReason
from samantic.segsam.propagation.prompted import PromptedSlice
from samantic.segsam.propagation.propagate import propagate
from samantic.segsam.propagation.propagated import PropagatedVolume

__all__ = [
    "Directions",
    "PromptedSlice",
    "PropagatedVolume",
    "PropagationOptions",
    "StopLimits",
    "StopReason",
    "propagate",
]
