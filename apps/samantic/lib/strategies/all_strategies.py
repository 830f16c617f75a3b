"""The strategies that the app offers."""

from __future__ import annotations

from collections.abc import Mapping

from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.strategy import Strategy

from samantic.app.lib.strategies.informed import Diversity, Hybrid, Uncertainty
from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.simple import First, Random
from samantic.app.lib.strategies.summaries import Summaries
from samantic.segsam.choosing import SummaryStore, summaries_folder


def all_strategies(tasks: Mapping[str, InferTask], leases: Leases) -> dict[str, Strategy]:
    """Return name -> strategy; those that look at images do so with the eyes of `tasks`, and share what they saw."""
    summaries = Summaries(SummaryStore(summaries_folder()))
    return {
        "random": Random(leases),
        "first": First(leases),
        "uncertainty": Uncertainty(leases, tasks, summaries),
        "diversity": Diversity(leases, tasks, summaries),
        "hybrid": Hybrid(leases, tasks, summaries),
    }
