"""Other intensities for the tissues of a slice: drawn anew region by region, or shifted as another contrast would."""

from __future__ import annotations

import functools

import numpy as np
from scipy import ndimage

BONES = ("vertebra", "rib_", "humerus", "scapula", "clavicula", "femur", "hip_", "sacrum", "face")

PHASE_SHIFT_HU = {
    ("aorta", "iliac_artery", "pulmonary_artery"): (-90.0, 220.0),
    ("inferior_vena_cava", "portal_vein", "iliac_vena"): (-90.0, 160.0),
    ("heart_atrium", "heart_ventricle"): (-90.0, 200.0),
    ("heart_myocardium",): (-50.0, 70.0),
    ("kidney",): (-90.0, 130.0),
    ("spleen", "adrenal"): (-50.0, 70.0),
    ("liver",): (-55.0, 55.0),
    ("pancreas",): (-40.0, 50.0),
    ("gallbladder", "urinary_bladder"): (-15.0, 40.0),
    ("stomach", "duodenum", "small_bowel", "colon", "esophagus"): (-50.0, 160.0),
    BONES: (-80.0, 250.0),
    ("lung",): (-80.0, 150.0),
}
"""How far the organs of a CT go with the phase of the contrast medium, food and age: plausible ranges, ours."""

OTHER_SHIFT_HU = (-20.0, 20.0)
CT_EDGES_HU = (-700.0, -200.0, -25.0, 25.0, 90.0, 200.0)
"""Between air, lung, fat, fluid, muscle, blood with contrast and bone."""


def drawn_tissues(
    intensities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], domain: str, random: np.random.Generator
) -> np.ndarray:
    """Give every structure and every tissue of the unlabelled rest a mean, a spread and a texture of its own.

    intensities, labels (H, W); HU in a CT, 0 to 255 in an MR; returns float32 alike. Source: Billot et al. 2023, with
    means near the real ones in most CT pictures (ours).
    """
    rest = _tissue_of_the_rest(intensities, domain)
    tissues = int(rest.max()) + 1
    # Two halves per structure, its darker and its brighter one: marrow and cortex, wall and content.
    means = _mean_per(labels, intensities, len(class_names) + 1)
    halves = 2 * (labels - 1) + (intensities > means[labels])
    regions = np.where(labels > 0, tissues + halves, rest)
    count = tissues + 2 * len(class_names)
    real = _mean_per(regions, intensities, count)
    own = np.concatenate([real[:tissues], np.repeat(means[1:], 2)])
    is_bone = np.concatenate([np.zeros(tissues, bool), np.repeat(_of_bone(class_names), 2)])
    if domain == "ct":
        drawn, spread = _means_of_ct(own, is_bone, random)
    else:
        drawn, spread = _means_of_mr(own, random)
    # Both halves of a structure share its mean and keep some of their difference.
    drawn[tissues + 1 :: 2] = drawn[tissues::2]
    drawn += (real - own) * np.repeat(random.uniform(0.2, 1.3, size=count // 2 + 1), 2)[:count]
    keep = random.uniform(0.0, 0.7) if random.random() < 0.6 else 0.0
    texture = np.repeat(random.standard_normal(((labels.shape[0] + 1) // 2, labels.shape[1]), dtype=np.float32), 2, 0)
    texture = texture[: labels.shape[0]]
    texture = ndimage.uniform_filter(texture, int(random.integers(1, 4)), mode="nearest")
    texture *= spread[regions].astype(np.float32) / max(float(texture.std()), 1e-3)
    image = (drawn - keep * real)[regions].astype(np.float32) + np.float32(keep) * intensities + texture
    return _blurred(image, random.uniform(0.4, 0.9))


def changed_contrast(
    intensities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], domain: str, random: np.random.Generator
) -> np.ndarray:
    """Shift every structure as another phase or sequence would; the texture stays.

    intensities, labels (H, W); HU in a CT, 0 to 255 in an MR; returns float32 alike. Source: ours.
    """
    rest = _tissue_of_the_rest(intensities, domain)
    if domain == "ct":
        return _other_phase(intensities, labels, rest, class_names, random)
    gamma = np.float32(np.exp(random.normal(0.0, 0.25)))
    image = 255.0 * (np.clip(intensities, 0.0, 255.0) / np.float32(255.0)) ** gamma
    size = random.uniform(0.0, 45.0)
    shifts = random.normal(0.0, size, size=len(class_names) + 1)
    of_rest = random.normal(0.0, 0.6 * size, size=int(rest.max()) + 1)
    of_rest[0] = 0.0
    shift = _blurred(np.where(labels > 0, shifts[labels], of_rest[rest]).astype(np.float32), 0.8)
    # Dark stays dark: cortex, gas and air give no signal in any sequence.
    return image + shift * np.clip(image / np.float32(30.0), 0.0, 1.0)


def _other_phase(
    intensities: np.ndarray,
    labels: np.ndarray,
    rest: np.ndarray,
    class_names: tuple[str, ...],
    random: np.random.Generator,
) -> np.ndarray:
    strength = random.uniform(0.2, 1.0)
    groups, ranges = _shift_groups(class_names)
    of_group = strength * np.array([random.uniform(low, high) for low, high in ranges])
    of_structure = np.concatenate([[0.0], of_group[list(groups)] + random.normal(0.0, 6.0, size=len(class_names))])
    of_rest = random.normal(0.0, 12.0, size=int(rest.max()) + 1)
    of_rest[0] = 0.0
    shift = _blurred(np.where(labels > 0, of_structure[labels], of_rest[rest]).astype(np.float32), 0.8)
    # Gas takes up no contrast medium, neither in the bowel nor in the airways.
    return intensities + shift * np.clip((intensities + np.float32(950.0)) / np.float32(700.0), 0.0, 1.0)


def _tissue_of_the_rest(intensities: np.ndarray, domain: str) -> np.ndarray:
    """(H, W) int64: 0 air, then tissues from dark to bright."""
    if domain == "ct":
        return np.digitize(intensities, CT_EDGES_HU)
    body = intensities[intensities > 12.0]
    edges = np.quantile(body[::7], (0.2, 0.45, 0.7, 0.9)) if body.size > 100 else np.array([60.0, 120.0, 180.0])
    return np.digitize(intensities, np.concatenate([[12.0], np.maximum(edges, 12.0)]))


def _means_of_ct(own: np.ndarray, is_bone: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """New means and spreads in HU of regions with the mean `own`."""
    count = len(own)
    air, soft = own < -200.0, (own > -25.0) & ~is_bone
    drawn = own + random.normal(0.0, 20.0, size=count)
    drawn = np.where(soft, own + random.normal(10.0, 45.0, size=count), drawn)
    drawn = np.where(is_bone | (own > 350.0), own + random.uniform(-80.0, 300.0, size=count), drawn)
    drawn = np.where(air, own + random.uniform(-20.0, 90.0, size=count), drawn)
    if random.random() < 0.25:
        anything = random.uniform(-120.0, 260.0, size=count)
        drawn = np.where(is_bone, anything + 150.0, np.where(air, drawn, anything))
    return drawn, np.where(own < -700.0, random.uniform(0.0, 12.0), random.uniform(4.0, 30.0, size=count))


def _means_of_mr(own: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """New means and spreads in 8 bits of regions with the mean `own`; air, the first, stays dark."""
    count = len(own)
    near = own + random.normal(0.0, 30.0, size=count)
    drawn = near if random.random() < 0.5 else random.uniform(15.0, 220.0, size=count)
    drawn = np.clip(drawn, 5.0, 245.0)
    spread = random.uniform(2.0, 16.0, size=count)
    drawn[0], spread[0] = random.uniform(0.0, 15.0), random.uniform(0.0, 5.0)
    return drawn, spread


def _mean_per(regions: np.ndarray, intensities: np.ndarray, count: int) -> np.ndarray:
    sums = np.bincount(regions.ravel(), intensities.ravel(), minlength=count)
    return sums / np.maximum(np.bincount(regions.ravel(), minlength=count), 1)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(ndimage.gaussian_filter(image, sigma, mode="nearest", truncate=3.0))


@functools.lru_cache(maxsize=16)
def _of_bone(class_names: tuple[str, ...]) -> np.ndarray:
    return np.array([name.startswith(BONES) for name in class_names], dtype=bool)


@functools.lru_cache(maxsize=16)
def _shift_groups(class_names: tuple[str, ...]) -> tuple[tuple[int, ...], tuple[tuple[float, float], ...]]:
    """The group of every class, and the range of every group; left and right share one."""
    starts = list(PHASE_SHIFT_HU)
    groups = [
        next((n for n, start in enumerate(starts) if name.startswith(start)), len(starts)) for name in class_names
    ]
    return tuple(groups), (*PHASE_SHIFT_HU.values(), OTHER_SHIFT_HU)
