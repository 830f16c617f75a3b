"""Which part of a picture is skin: a close-up without any border, or the outline of a part of a body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from samantic.skinphoto.composites.textures import Shape, grid, smooth_noise


@dataclass(frozen=True, eq=False)
class BodyPart:
    """`depth` (rows, cols) in units of the shorter side, positive inside; `facing` (rows, cols) 0 to 1, how much the
    skin faces the camera; `hair` (rows, cols) like depth, of a head of hair over it, or None."""

    depth: np.ndarray
    facing: np.ndarray
    hair: np.ndarray | None = None


def body_part(random: np.random.Generator, shape: Shape) -> BodyPart:
    """A close-up, a limb, a trunk, a hand or a head, anywhere in the picture. Source: ours."""
    kinds: tuple[Callable[[np.random.Generator, Shape], BodyPart], ...] = (_close_up, _limb, _trunk, _hand, _head)
    return kinds[random.choice(len(kinds), p=(0.3, 0.3, 0.2, 0.12, 0.08))](random, shape)


def nobody(shape: Shape) -> BodyPart:
    """A picture without a person."""
    return BodyPart(np.full(shape, -9.0, np.float32), np.zeros(shape, np.float32))


def _close_up(random: np.random.Generator, shape: Shape) -> BodyPart:
    y, x = grid(shape)
    cy, cx = random.uniform(-0.4, 0.4, 2)
    away = random.uniform(0, 0.35) * ((x - cx) ** 2 + random.uniform(0, 1) * (y - cy) ** 2)
    return BodyPart(np.full(shape, 9.0, np.float32), np.clip(1 - away, 0, 1).astype(np.float32))


def _limb(random: np.random.Generator, shape: Shape) -> BodyPart:
    angle = random.uniform(0, 2 * np.pi)
    direction, across = np.array([np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), -np.sin(angle)])
    middle = across * random.uniform(-0.3, 0.3)
    reach, radius = random.uniform(0.9, 1.6), random.uniform(0.12, 0.5)
    bend = across * random.uniform(-0.25, 0.25)
    ends = [middle - direction * reach, middle + bend * 0.5, middle + direction * reach + bend]
    radii = radius * random.uniform(0.75, 1.25, 3)
    if random.random() < 0.25:
        # It ends in the picture, as a foot or a stump does.
        ends[2] = middle + direction * random.uniform(0.1, 0.5)
    return _of_capsules(random, shape, ends, radii, [(0, 1), (1, 2)])


def _trunk(random: np.random.Generator, shape: Shape) -> BodyPart:
    angle, radius = random.uniform(0, 2 * np.pi), random.uniform(0.5, 1.3)
    centre = np.array([np.sin(angle), np.cos(angle)]) * (radius + random.uniform(-0.55, 0.25))
    return _of_capsules(random, shape, [centre, centre * random.uniform(1, 1.6)], [radius, radius], [(0, 1)])


def _hand(random: np.random.Generator, shape: Shape) -> BodyPart:
    turn, palm = random.uniform(0, 2 * np.pi), random.uniform(0.13, 0.32)
    centre = random.uniform(-0.2, 0.2, 2)

    def towards(angle: float, length: float) -> np.ndarray:
        return centre + length * np.array([np.sin(turn + angle), np.cos(turn + angle)])

    points, radii, bones = [centre, towards(np.pi, 2.0)], [palm, palm * random.uniform(0.6, 0.85)], [(0, 1)]
    spread = random.uniform(0.5, 1.1)
    for finger in np.linspace(-spread, spread, 4) + random.normal(0, 0.05, 4):
        radius = palm * random.uniform(0.2, 0.27)
        points += [
            towards(finger, palm * 0.8),
            towards(finger * random.uniform(0.85, 1.1), palm * random.uniform(1.9, 2.6)),
        ]
        radii += [radius, radius * 0.85]
        bones.append((len(points) - 2, len(points) - 1))
    thumb = random.choice([-1.0, 1.0]) * random.uniform(1.2, 1.7)
    points += [towards(thumb, palm * 0.5), towards(thumb, palm * 1.7)]
    radii += [palm * 0.33, palm * 0.24]
    bones.append((len(points) - 2, len(points) - 1))
    return _of_capsules(random, shape, points, radii, bones)


def _head(random: np.random.Generator, shape: Shape) -> BodyPart:
    radius, tilt = random.uniform(0.22, 0.6), random.uniform(-0.6, 0.6)
    up = np.array([-np.cos(tilt), np.sin(tilt)])
    centre = random.uniform(-0.2, 0.2, 2)
    points = [centre + up * radius * 0.3, centre - up * radius * 0.4, centre - up * 3 * radius]
    part = _of_capsules(random, shape, points, [radius, radius * 0.8, radius * 0.5], [(0, 1), (1, 2)])
    if random.random() < 0.25:
        return part
    y, x = grid(shape)
    above = (y - centre[0]) * up[0] + (x - centre[1]) * up[1] - radius * random.uniform(0.2, 0.7)
    fringe = above + 0.03 * smooth_noise(random, shape, 25) + 0.05 * smooth_noise(random, shape, 4)
    # The hair stands out a little beyond the head.
    return BodyPart(part.depth, part.facing, np.minimum(fringe, part.depth + random.uniform(0.02, 0.12)))


def _of_capsules(
    random: np.random.Generator,
    shape: Shape,
    points_yx: list[np.ndarray],
    radii: list[float] | np.ndarray,
    bones: list[tuple[int, int]],
) -> BodyPart:
    """The union of tapered capsules from point to point, with slightly uneven borders."""
    y, x = grid(shape)
    unevenness = random.uniform(0, 0.025)
    y = y + unevenness * smooth_noise(random, shape, 4)
    x = x + unevenness * smooth_noise(random, shape, 4)
    depth, across = np.full(shape, -9.0, np.float32), np.ones(shape, np.float32)
    for first, second in bones:
        (ay, ax), (by, bx) = points_yx[first], points_yx[second]
        dy, dx = by - ay, bx - ax
        along = np.clip(((y - ay) * dy + (x - ax) * dx) / (dy * dy + dx * dx + 1e-9), 0, 1)
        distance = np.hypot(y - ay - along * dy, x - ax - along * dx)
        radius = radii[first] + along * (radii[second] - radii[first])
        nearer = radius - distance > depth
        depth = np.where(nearer, radius - distance, depth)
        across = np.where(nearer, distance / radius, across)
    return BodyPart(depth.astype(np.float32), np.sqrt(np.clip(1 - across**2, 0, 1)).astype(np.float32))
