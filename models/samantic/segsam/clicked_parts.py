"""A click means the connected part under it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from samantic.segsam.view_prompts import ViewPrompts


def clicked_parts(mask: np.ndarray, prompts: ViewPrompts) -> np.ndarray:
    """Keep the connected parts of a mask (rows, cols) bool that hold a foreground click (ours).

    Training takes a click for the connected part under it, so an island elsewhere is an error that looks like an
    answer; whoever wants it clicks on it. A box or a drawn mask says more than clicks do: then the mask stays whole.
    It also stays whole where no foreground click lies inside it.
    """
    if prompts.box_xyxy is not None or prompts.mask is not None:
        return mask
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    rows, columns = mask.shape
    foreground = np.asarray(prompts.points_xy).reshape(-1, 2)[np.asarray(prompts.point_labels) == 1]
    x, y = np.rint(foreground).astype(int).T
    wanted = np.unique(parts[y.clip(0, rows - 1), x.clip(0, columns - 1)])
    wanted = wanted[wanted > 0]
    return np.isin(parts, wanted) if len(wanted) else mask
