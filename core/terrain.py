"""Functions to walk down on: convex, with a local minimum, with a saddle, with a plateau.

Course: "梯度下降算法" (gradient descent need not find the global minimum; saddle points are what is met most) and
"非凸函数" (a line drawn between two points of the curve). Every derivative is written out; autograd is the oracle in
the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.losses import Array
from core.messages import N_

Place = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """A function of one or two variables and the part of it that is drawn.

    The three functions take one argument a variable; `value` takes arrays too, of any shape.
    """

    title: str  # English, translated by the page
    latex: str  # the function
    names: tuple[str, ...]  # of the variables
    window: tuple[tuple[float, float], ...]  # of each variable, from and to
    start: Place  # from where a walk shows the point
    lr: float  # at which it does so in 100 steps
    bottomless: bool = False  # it has no lowest value
    value: Callable[..., Array]
    gradient: Callable[..., Place]
    hessian: Callable[..., tuple[Place, ...]]  # rows

    @cached_property
    def values(self) -> Array:
        """Give the values on an even grid over the window: (401,), or (61, 61) with the second variable down."""
        return self.value(*np.meshgrid(*self.axes))

    @cached_property
    def axes(self) -> list[Array]:
        """Give the grid's coordinates, (401,) or twice (61,)."""
        return [np.linspace(low, high, 401 if len(self.names) == 1 else 61) for low, high in self.window]

    @cached_property
    def steepest(self) -> float:
        """Give the length of the longest gradient on the grid."""
        places = zip(*(axis.ravel() for axis in np.meshgrid(*self.axes)), strict=True)
        return max(float(np.hypot.reduce(self.gradient(*map(float, place)))) for place in places)

    @cached_property
    def lowest(self) -> float | None:
        """Give the least value, None where there is none; each least value here lies inside the window."""
        if self.bottomless:
            return None
        best = np.unravel_index(np.argmin(self.values), self.values.shape)
        place = [float(axis[index]) for axis, index in zip(self.axes, reversed(best), strict=True)]
        return float(self.value(*(newton(self, tuple(place)) or place)))


def newton(terrain: Terrain, place: Place, *, reach: float = 0.01) -> Place | None:
    """Find the stationary point close to a place by Newton's method; None where there is none.

    Close means: no farther, along any variable, than the share `reach` of the window.
    """
    widths = np.array([high - low for low, high in terrain.window])
    here = np.array(place)
    for _ in range(60):  # enough even where the curvature vanishes too, and each step only halves the way
        slope = np.array(terrain.gradient(*here.tolist()))
        if not slope.any():
            break
        try:
            here = here - np.linalg.solve(np.array(terrain.hessian(*here.tolist())), slope)
        except np.linalg.LinAlgError:
            return None
        if np.any(np.abs(here - place) > reach * widths):
            return None
    return tuple(here.tolist())


def _sigmoid(x: Array | float) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.asarray(x))))


def _neuron_slope(x: float) -> Place:
    s = float(_sigmoid(x))
    return (2 * (s - 0.8) * s * (1 - s),)


def _neuron_curvature(x: float) -> tuple[Place, ...]:
    s = float(_sigmoid(x))
    slope = s * (1 - s)
    return ((2 * slope * slope + 2 * (s - 0.8) * slope * (1 - 2 * s),),)


def _pit_slope(u: float, v: float) -> Place:
    depth = float(np.exp(-(u * u + v * v)))
    return (2 * u * depth, 2 * v * depth)


def _pit_curvature(u: float, v: float) -> tuple[Place, ...]:
    depth = float(np.exp(-(u * u + v * v)))
    return (((2 - 4 * u * u) * depth, -4 * u * v * depth), (-4 * u * v * depth, (2 - 4 * v * v) * depth))


TERRAINS: dict[str, Terrain] = {
    "parabola": Terrain(
        title=N_("A parabola (convex)"),
        latex=r"(x-1)^2",
        names=("x",),
        window=((-2.0, 4.0),),
        start=(-1.5,),
        lr=0.1,
        value=lambda x: (x - 1) ** 2,
        gradient=lambda x: (2 * (x - 1),),
        hessian=lambda _: ((2.0,),),
    ),
    "two-valleys": Terrain(
        title=N_("Two valleys, one of them deeper"),
        latex=r"x^4-4x^2+x",
        names=("x",),
        window=((-2.4, 2.4),),
        start=(2.2,),
        lr=0.02,
        value=lambda x: x**4 - 4 * x**2 + x,
        gradient=lambda x: (4 * x**3 - 8 * x + 1,),
        hessian=lambda x: ((12 * x**2 - 8,),),
    ),
    "plateau": Terrain(  # the squared error of one neuron σ(x) whose target is 0.8, over what goes into the sigmoid
        title=N_("A plateau: one saturated neuron"),
        latex=r"(\sigma(x)-0.8)^2",
        names=("x",),
        window=((-10.0, 8.0),),
        start=(-7.0,),
        lr=1.0,
        value=lambda x: (_sigmoid(x) - 0.8) ** 2,
        gradient=_neuron_slope,
        hessian=_neuron_curvature,
    ),
    "cubic": Terrain(
        title=N_("A step on a slope: the gradient is zero at one point"),
        latex=r"x^3",
        names=("x",),
        window=((-1.5, 1.5),),
        start=(1.0,),
        lr=0.1,
        bottomless=True,
        value=lambda x: x**3,
        gradient=lambda x: (3 * x**2,),
        hessian=lambda x: ((6 * x,),),
    ),
    "bowl": Terrain(
        title=N_("A bowl (convex)"),
        latex=r"u^2+3v^2",
        names=("u", "v"),
        window=((-2.0, 2.0), (-2.0, 2.0)),
        start=(-1.5, 1.5),
        lr=0.1,
        value=lambda u, v: u**2 + 3 * v**2,
        gradient=lambda u, v: (2 * u, 6 * v),
        hessian=lambda u, v: ((2.0, 0.0), (0.0, 6.0)),  # the same everywhere
    ),
    "saddle": Terrain(
        title=N_("A saddle"),
        latex=r"u^2-v^2",
        names=("u", "v"),
        window=((-2.0, 2.0), (-2.0, 2.0)),
        start=(1.5, 0.0),
        lr=0.1,
        bottomless=True,
        value=lambda u, v: u**2 - v**2,
        gradient=lambda u, v: (2 * u, -2 * v),
        hessian=lambda u, v: ((2.0, 0.0), (0.0, -2.0)),  # the same everywhere
    ),
    "two-wells": Terrain(
        title=N_("A saddle between two wells"),
        latex=r"u^2+(v^2-1)^2",
        names=("u", "v"),
        window=((-2.0, 2.0), (-1.6, 1.6)),
        start=(1.5, 0.0),
        lr=0.1,
        value=lambda u, v: u**2 + (v**2 - 1) ** 2,
        gradient=lambda u, v: (2 * u, 4 * v * (v**2 - 1)),
        hessian=lambda _, v: ((2.0, 0.0), (0.0, 12 * v**2 - 4)),
    ),
    "pit": Terrain(
        title=N_("A pit in a plain"),
        latex=r"1-e^{-(u^2+v^2)}",
        names=("u", "v"),
        window=((-3.0, 3.0), (-3.0, 3.0)),
        start=(2.2, 1.6),
        lr=0.1,
        value=lambda u, v: 1 - np.exp(-(u**2 + v**2)),
        gradient=_pit_slope,
        hessian=_pit_curvature,
    ),
}
