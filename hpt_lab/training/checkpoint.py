"""Checkpoints: what a trial needs to go on exactly where it stopped, in one file without pickle.

A file is the SHA-256 of the rest, then a NumPy `.npz` archive of plain arrays, one of which holds
JSON: the epoch, the curves so far, and what the checkpoint belongs to (settings, config, trial). It
    is written beside its place and moved
there in one step, so a killed process leaves the old file or the new one. A file that is damaged,
or that belongs to another config, seed or data set, is as good as none: `load` returns None and
training starts afresh.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np

from hpt_lab.errors import DiskError, HptError

KINDS = ("weights", "optimizer", "seeds")
DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Checkpoint:
    """A model's state after `epoch` epochs, and the curves that led there."""

    epoch: int
    weights: list[np.ndarray]  # trainable and not (batch norm's moving averages)
    optimizer: list[np.ndarray]  # iterations, learning rate, moments
    seeds: list[np.ndarray]  # states of the seed generators: the next dropout masks
    curves: dict[str, list[float]]

    @classmethod
    def of(cls, model: keras.Model, *, epoch: int, curves: Mapping[str, list[float]]) -> Checkpoint:
        """Take a model's state."""
        return cls(
            epoch,
            _values(model.weights),
            _values(model.optimizer.variables),
            _values(_seed_states(model)),
            {name: list(values) for name, values in curves.items()},
        )

    def restore(self, model: keras.Model) -> None:
        """Put the whole state back, learning rate and seeds included: the same trial goes on."""
        _assign(model.weights, self.weights)
        _assign(model.optimizer.variables, self.optimizer)
        _assign(_seed_states(model), self.seeds)

    def inherit(self, model: keras.Model) -> None:
        """Put weights and optimizer state into another trial's model, which keeps its learning rate
        and its seeds."""
        rate = model.optimizer._learning_rate  # a Variable, or a schedule
        own = None if not isinstance(rate, keras.Variable) else np.asarray(rate)
        _assign(model.weights, self.weights)
        _assign(model.optimizer.variables, self.optimizer)
        if own is not None:
            rate.assign(own)


def save(path: Path, checkpoint: Checkpoint, about: Mapping[str, Any]) -> None:
    """Write a checkpoint in one step. `about`: plain JSON types that say what it belongs to.

    Raises DiskError, and leaves the old file as it was, if the disk is full or can't be written.
    """
    lists = {kind: getattr(checkpoint, kind) for kind in KINDS}
    notes = json.dumps(
        {
            "epoch": checkpoint.epoch,
            "curves": checkpoint.curves,
            "about": about,
            "counts": {kind: len(arrays) for kind, arrays in lists.items()},
        }
    )
    arrays = {f"{kind}{i}": array for kind in KINDS for i, array in enumerate(lists[kind])}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, notes=np.frombuffer(notes.encode(), np.uint8), **arrays)
    content = buffer.getvalue()
    with _writing(path.parent) as (file, name):
        file.write(hashlib.sha256(content).digest() + content)
        file.close()  # what the buffer still holds meets the disk here
        os.replace(name, path)


def check_writable(folder: Path) -> None:
    """Raise DiskError if `folder` can't take a checkpoint: before an epoch is spent, not after."""
    with _writing(folder) as (file, name):
        file.write(bytes(4096))
        file.close()
        os.unlink(name)


@contextmanager
def _writing(folder: Path) -> Iterator[tuple[IO[bytes], str]]:
    """Open a file of a new name in `folder`, made if need be; on any error it is gone again.

    Raises DiskError for a disk that is full, read-only or missing: that ends the study, not a
    trial.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".tmp")  # never through a planted link
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, name
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DiskError(
            f"can't write checkpoints to {folder}: {error.strerror}; free space there, make it "
            "writable, or choose another folder with checkpoints=DIR"
        ) from error


def load(path: Path, about: Mapping[str, Any]) -> Checkpoint | None:
    """Read a checkpoint; None if there is none, it is damaged, or it says anything else than
    `about` about itself.

    Only the keys of `about` are compared: without "config", any config will do.
    """
    if (archive := _open(path)) is None:
        return None
    with archive:
        try:
            notes = json.loads(archive["notes"].tobytes())
            saved = {
                kind: [archive[f"{kind}{i}"] for i in range(notes["counts"][kind])]
                for kind in KINDS
            }
            checkpoint = Checkpoint(epoch=notes["epoch"], curves=notes["curves"], **saved)
            said = notes["about"]
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
        ):  # ours it is not, though its digest is right
            return None
    wanted = json.loads(json.dumps(about))
    if not _is_sound(checkpoint) or not isinstance(said, dict):
        return None
    return checkpoint if {key: said.get(key) for key in wanted} == wanted else None


def read_about(path: Path) -> dict[str, Any] | None:
    """Read what a checkpoint says it belongs to; None if there is none or it is damaged."""
    if (archive := _open(path)) is None:
        return None
    with archive:
        try:
            about = json.loads(archive["notes"].tobytes())["about"]
        except (KeyError, TypeError, ValueError):
            return None
    return about if isinstance(about, dict) else None


def _open(path: Path) -> Any:
    """Open a file whose digest is right as an archive of arrays; None for any other."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(raw[DIGEST_BYTES:]).digest() != raw[:DIGEST_BYTES]:
        return None
    try:
        archive = np.load(io.BytesIO(raw[DIGEST_BYTES:]), allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        return None
    return archive if isinstance(archive, np.lib.npyio.NpzFile) else None


def _is_sound(checkpoint: Checkpoint) -> bool:
    """Tell whether a checkpoint's parts have the types that they must have."""
    epoch, curves = checkpoint.epoch, checkpoint.curves
    arrays = [array for kind in KINDS for array in getattr(checkpoint, kind)]
    return (
        isinstance(epoch, int)
        and epoch >= 0
        and isinstance(curves, dict)
        and all(
            isinstance(values, list) and all(type(v) in (int, float) for v in values)
            for values in curves.values()
        )
        and all(array.dtype.kind in "fiub" or array.dtype.name == "bfloat16" for array in arrays)
    )


def _seed_states(model: keras.Model) -> list[Any]:
    weights = {id(v) for v in model.weights}
    return [v for v in model.variables if id(v) not in weights]


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [np.array(v) for v in variables]


def _assign(variables: list[Any], arrays: list[np.ndarray]) -> None:
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        raise HptError(
            "the checkpoint has variables of other shapes than the model; a trial can only start "
            "from a "
            "parent of the same architecture and optimizer"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
