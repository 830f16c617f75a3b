"""Work that takes longer than a person would wait for one answer."""

from samantic.app.lib.jobs.errors import JobNotDoneError, TooManyJobsError, UnknownJobError
from samantic.app.lib.jobs.job import ENDED, JobControl, JobState
from samantic.app.lib.jobs.jobs import KINDS, Jobs, Work

__all__ = [
    "ENDED",
    "KINDS",
    "JobControl",
    "JobNotDoneError",
    "JobState",
    "Jobs",
    "TooManyJobsError",
    "UnknownJobError",
    "Work",
]
