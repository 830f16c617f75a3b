"""DermoSegDiff, the diffusion segmenter of skin lesions."""

from samantic.besadiff.dermosegdiff.config import DermoSegDiffConfig
from samantic.besadiff.dermosegdiff.image_branch import ImageFeatures
from samantic.besadiff.dermosegdiff.network import DermoSegDiff

__all__ = ["DermoSegDiff", "DermoSegDiffConfig", "ImageFeatures"]
