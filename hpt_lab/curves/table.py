"""Recorded learning curves: a full factorial of configs, every one trained for real, epoch by
epoch, with several seeds.

A table is a file of at most a few megabytes that loads in a moment without TensorFlow:
`load("digits-mlp")`. Read `Table` for what it holds, `Table.objective` for how to tune on it.

The file is a zip archive of `.npy` arrays and `about.json` (no pickle). Accuracies are kept
exactly, as counts of right rows. Losses are kept as whole steps of their logarithm, STEPS to a
doubling, so within 0.017 % of what was measured (and not below FLOOR); arrays hold differences from
epoch to epoch, their bytes in separate planes, for they compress better.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hpt_lab.arguments import check_among, show
from hpt_lab.errors import DataError, SpaceError
from hpt_lab.space import Choice, Space
from hpt_lab.trial import Config

if TYPE_CHECKING:
    from hpt_lab.curves.replay import Replay

VERSION = 1
STEPS = 2048  # per doubling of a loss
FLOOR = 1e-9  # losses are not told apart below this
FOLDER = Path(__file__).parent  # where the tables that come with hpt_lab are
QUANTITIES = ("loss", "val_loss", "val_accuracy", "test_accuracy")


@dataclass(frozen=True, eq=False)
class Table:
    """Learning curves of all n configs of a finite space, s training seeds each, E epochs.

    `curves[quantity]`: (n, s, E) for loss, val_loss, val_accuracy, test_accuracy; NaN from the
    epoch in which a run diverged. `trace_seconds`, `epoch_seconds`: (n,), what one training alone
    took on the recording machine.
    `rows`: how many rows there were to train on, validate on and test on. `about`: where the table
    comes from.
    """

    name: str
    space: Space
    curves: Mapping[str, np.ndarray] = field(repr=False)
    trace_seconds: np.ndarray = field(repr=False)
    epoch_seconds: np.ndarray = field(repr=False)
    rows: Mapping[str, int]
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name, domain in self.space.domains.items():
            if not isinstance(domain, Choice) or domain.when:
                raise SpaceError(
                    f"a table needs a full factorial of listed values; make {name} a Choice "
                    "without `when`"
                )
        shapes = {self.curves[quantity].shape for quantity in QUANTITIES}
        if len(shapes) != 1 or next(iter(shapes))[0] != self.space.size:
            raise DataError(
                f"every curve must be (configs, seeds, epochs) with {self.space.size:g} configs, "
                f"got {shapes}"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each dimension; their product is the number of configs."""
        return tuple(int(domain.size) for domain in self.space.domains.values())

    @property
    def seeds(self) -> int:
        """How many times every config was trained, each time from other initial weights."""
        return int(self.curves["loss"].shape[1])

    @property
    def epochs(self) -> int:
        """For how many epochs every config was trained."""
        return int(self.curves["loss"].shape[2])

    @functools.cached_property
    def configs(self) -> list[Config]:
        """All configs, in the order of the arrays: the last dimension changes fastest."""
        sizes = {name: domain.size for name, domain in self.space.domains.items()}
        return self.space.grid(sizes)  # type: ignore[arg-type]

    @property
    def mean_seconds(self) -> float:
        """What a full training takes alone, trace included: mean over all configs."""
        return float((self.trace_seconds + self.epochs * self.epoch_seconds).mean())

    @functools.cached_property
    def lasted(self) -> np.ndarray:
        """How many epochs each run had a finite loss, (n, s); fewer than `epochs` if it
        diverged."""
        return np.isfinite(self.curves["val_loss"]).sum(axis=2)

    @functools.cached_property
    def _places(self) -> list[tuple[str, dict[Any, int]]]:
        strides = [math.prod(self.shape[i + 1 :]) for i in range(len(self.shape))]
        places = []
        for (name, domain), stride in zip(self.space.domains.items(), strides, strict=True):
            values = domain.values  # type: ignore[union-attr]
            places.append((name, {value: i * stride for i, value in enumerate(values)}))
        return places

    def row(self, config: Config) -> int:
        """Return the index of `config`. Raises SpaceError for a value the table doesn't have:
        nothing is snapped."""
        if not isinstance(config, dict):
            self.space.check(config)
        try:
            return sum(places[config[name]] for name, places in self._places)
        except (KeyError, TypeError):
            self.space.check(config)
            return self.row(self.space.clean(config))

    def losses(self, metric: str = "accuracy") -> np.ndarray:
        """Return what is minimised, (n, s, E): the validation error for "accuracy", the
        cross-entropy for "loss"."""
        check_among("metric", metric, ("accuracy", "loss"), error=DataError)
        return 1 - self.curves["val_accuracy"] if metric == "accuracy" else self.curves["val_loss"]

    def objective(self, *, seed: int = 0, metric: str = "accuracy") -> Replay:
        """Return an objective that looks runs up instead of training them.

        metric: "accuracy" minimises the validation error, as `KerasObjective` does by default;
            "loss" the validation
        cross-entropy. seed: which of the recorded trainings trial i meets follows from (seed, i).
        """
        from hpt_lab.curves.replay import Replay

        return Replay(self, seed=seed, metric=metric)

    @functools.cached_property
    def digest(self) -> str:
        """Sixteen hex digits that change with any number of the table."""
        digest = hashlib.sha256(json.dumps(self.space.spec()).encode())
        for values in (
            *(self.curves[quantity] for quantity in QUANTITIES),
            self.trace_seconds,
            self.epoch_seconds,
        ):
            digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: str | Path) -> None:
        """Write the table to `path`; losses lose what STEPS cannot tell apart, once and for all."""
        about = {
            "hpt_lab_table": VERSION,
            "name": self.name,
            "space": self.space.spec(),
            "rows": dict(self.rows),
            "about": dict(self.about),
        }
        arrays: dict[str, np.ndarray] = {
            "lasted": self.lasted.astype(np.uint16),
            "trace_seconds": self.trace_seconds.astype(np.float32),
            "epoch_seconds": self.epoch_seconds.astype(np.float32),
        }
        for quantity in QUANTITIES:
            arrays[quantity] = _squeeze(_steps(self.curves[quantity], self._count(quantity)))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            _write(archive, "about.json", json.dumps(about, indent=1).encode())
            for name, array in arrays.items():
                buffer = io.BytesIO()
                np.save(buffer, array, allow_pickle=False)
                _write(archive, f"{name}.npy", buffer.getvalue())

    def _count(self, quantity: str) -> int | None:
        return {"val_accuracy": self.rows["validation"], "test_accuracy": self.rows["test"]}.get(
            quantity
        )


def load(name: str | Path) -> Table:
    """Load a table that comes with hpt_lab by its name ("digits-mlp", "spirals-mlp"), or any table
    from its file."""
    if not isinstance(name, str | Path):
        raise DataError(
            f"a table is named by a string or a path, got {show(name)}; those that come with "
            "hpt_lab are "
            f"{', '.join(names())}"
        )
    return _load(name)


@functools.lru_cache(maxsize=8)
def _load(name: str | Path) -> Table:
    path = FOLDER / f"{name}.npz" if str(name) in names() else Path(name)
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read("about.json"))
            if about.get("hpt_lab_table") != VERSION:
                raise DataError(
                    f"{path} is a table of version {about.get('hpt_lab_table')!r}, this is version "
                    f"{VERSION}; "
                    "record it again"
                )
            arrays = {
                member.removesuffix(".npy"): np.load(
                    io.BytesIO(archive.read(member)), allow_pickle=False
                )
                for member in archive.namelist()
                if member.endswith(".npy")
            }
        rows, lasted = about["rows"], arrays["lasted"]
        counts = {"val_accuracy": rows["validation"], "test_accuracy": rows["test"]}
        curves = {
            quantity: _values(_unsqueeze(arrays[quantity]), counts.get(quantity), lasted)
            for quantity in QUANTITIES
        }
        return Table(
            about["name"],
            Space.from_spec(about["space"]),
            curves,
            arrays["trace_seconds"].astype(float),
            arrays["epoch_seconds"].astype(float),
            rows,
            about["about"],
        )
    except FileNotFoundError:
        raise DataError(
            f"there is no table {str(name)!r}; those that come with hpt_lab are "
            f"{', '.join(names())}"
        ) from None
    except DataError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise DataError(
            f"{path} is no table of hpt_lab ({error!r}); record it again, or check the path"
        ) from None


def check_table(table: Any) -> Table:
    """Return `table`. Raises DataError unless it is a Table."""
    if not isinstance(table, Table):
        raise DataError(f"table must be a Table, got {show(table)}; try curves.load('digits-mlp')")
    return table


def names() -> list[str]:
    """List the tables that come with hpt_lab."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


def _steps(values: np.ndarray, count: int | None) -> np.ndarray:
    """Turn values (n, s, E) into whole numbers; what diverged repeats the number before."""
    numbers = values * count if count else STEPS * np.log2(np.maximum(values, FLOOR))
    codes = np.zeros(values.shape, dtype=np.int32)
    for epoch in range(values.shape[2]):
        codes[:, :, epoch] = np.where(
            np.isfinite(numbers[:, :, epoch]),
            np.rint(np.nan_to_num(numbers[:, :, epoch], posinf=0, neginf=0)),
            codes[:, :, epoch - 1] if epoch else 0,
        )
    return codes


def _values(codes: np.ndarray, count: int | None, lasted: np.ndarray) -> np.ndarray:
    values = codes / count if count else np.exp2(codes / STEPS)
    values[np.arange(codes.shape[2]) >= lasted[:, :, None]] = np.nan
    return values


def _squeeze(codes: np.ndarray) -> np.ndarray:
    """Return differences along epochs as three planes of bytes, (3, n, s, E)."""
    steps = np.diff(codes, axis=2, prepend=np.int32(0))
    steps = (steps << 1) ^ (
        steps >> 31
    )  # zigzag: differences near zero have high bytes of zero, whatever their sign
    return np.stack([steps & 255, steps >> 8 & 255, steps >> 16]).astype(np.uint8)


def _unsqueeze(planes: np.ndarray) -> np.ndarray:
    low, middle, high = planes.astype(np.int32)
    zigzag = low | middle << 8 | high << 16
    return np.cumsum((zigzag >> 1) ^ -(zigzag & 1), axis=2, dtype=np.int32)


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file with a fixed date, so that the same table gives the same bytes."""
    archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_LZMA)
