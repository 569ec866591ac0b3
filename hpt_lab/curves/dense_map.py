"""A dense map of real trainings over two hyperparameters, for what a table can't show.

Scales, edges, evenly spread points and zooming in need a space in which every value can be tried.
So a small network was trained on a fine, even grid of learning rate and L2 factor, and what lies
between four grid points is interpolated. What a search finds here is real up to that.
Read `Map.errors`; `map_recorder` says what was trained.
"""

from __future__ import annotations

import functools
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy  # its parts load when first used

from hpt_lab.errors import DataError
from hpt_lab.space import Space
from hpt_lab.trial import Config

PATH = Path(__file__).parent / "data" / "digits-map.npz"
PARTS = ("validation", "test")


@dataclass(frozen=True, eq=False)
class Map:
    """Errors of networks trained at every point of an even grid over the unit square of `space`.

    `validation`, `test`: (a, b, seeds), shares of wrong answers, by so many initial weights.
    `about`: how it was recorded.
    """

    space: Space
    validation: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    about: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        same = self.validation.shape == self.test.shape
        if len(self.space) != 2 or self.validation.ndim != 3 or not same:
            raise DataError(
                "a map needs two dimensions and errors (a, b, seeds) for both parts, got "
                f"{self.validation.shape} and {self.test.shape}"
            )

    def errors(
        self, points: np.ndarray, part: Literal["validation", "test"] = "validation"
    ) -> np.ndarray:
        """Return the errors at `points` of the unit square, (..., 2) -> (...): mean of the seeds.

        Interpolated. Raises DataError outside the square: nothing was trained there.
        """
        if part not in PARTS:
            raise DataError(f"part must be 'validation' or 'test', got {part!r}")
        points = np.asarray(points, float)
        if points.shape[-1:] != (2,) or not ((points >= 0) & (points <= 1)).all():
            raise DataError(
                "points must be (..., 2), both coordinates from 0 to 1; use space.to_unit(config)"
            )
        mean = self._means[part]
        places = points.reshape(-1, 2).T * (
            np.reshape(mean.shape, (2, 1)) - 1
        )  # (2, n), in grid steps
        return scipy.ndimage.map_coordinates(mean, places, order=1).reshape(points.shape[:-1])

    @functools.cached_property
    def _means(self) -> dict[str, np.ndarray]:
        return {"validation": self.validation.mean(axis=2), "test": self.test.mean(axis=2)}

    def __call__(self, config: Config) -> float:
        """Return the validation error of a config: an objective for `tune`."""
        return float(self.errors(self.space.to_unit(config)))

    def save(self, path: str | Path = PATH) -> None:
        """Write the map to `path`."""
        about = {**self.about, "space": self.space.spec()}
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        np.savez_compressed(
            path,
            about=text,
            validation=self.validation.astype(np.float32),
            test=self.test.astype(np.float32),
        )


def load_map(path: str | Path = PATH) -> Map:
    """Load the map that comes with hpt_lab, or one from its file."""
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as archive:
            about = json.loads(archive["about"].tobytes())
            errors = {part: archive[part].astype(float) for part in PARTS}
        return Map(Space.from_spec(about.pop("space")), errors["validation"], errors["test"], about)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DataError(
            f"{path} is no map of hpt_lab ({error}); "
            "record it: python -m hpt_lab.curves.map_recorder"
        ) from None
