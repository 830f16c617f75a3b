"""One training round on the labels that people saved, over embeddings that are there already."""

from samantic.segsam.training.retraining.options import RetrainOptions
from samantic.segsam.training.retraining.outcome import EpochReport, LearnedRound, Retrained, Scores
from samantic.segsam.training.retraining.round import retrain
from samantic.segsam.training.retraining.splitting import held_out_ids

__all__ = ["EpochReport", "LearnedRound", "RetrainOptions", "Retrained", "Scores", "held_out_ids", "retrain"]
