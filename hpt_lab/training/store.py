"""A directory of checkpoints, in which nobody finds what is another's.

A file's name holds the trial's id, twelve digits of what the checkpoint belongs to (settings, code,
config, lineage) and the epoch, so two studies on one objective, or an edited `build`, don't
overwrite one another; what the file says about itself is compared in full. Read `newest`.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpt_lab.errors import HptError
from hpt_lab.training.checkpoint import Checkpoint, load, read_about, save

KEPT = (
    2  # checkpoints per trial: population-based training may still want the one before the newest
)


class Store:
    """Checkpoints in `directory`; several processes may use it at the same time."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._warned = False

    def newest(self, trial: int, most: int, about: Mapping[str, Any]) -> Checkpoint | None:
        """Return the checkpoint of at most `most` epochs with the most, of those that `about`
        describes; or None.

        `about` without a config is a search for a trial of which only the id is known; two that fit
        are an error.
        """
        whole = "config" in about
        fitting = [
            file for file in self._files(trial, _key(about) if whole else "*") if file[0] <= most
        ]
        found = None
        for _, path in sorted(fitting, reverse=True):
            if (found := load(path, about)) is not None:
                break
        if found is None and whole:
            self._warn_of_other_code(trial, about)
        elif found is not None and not whole:
            self._check_single(trial, [path for _, path in fitting], about)
        return found

    def keep(self, trial: int, checkpoint: Checkpoint, about: Mapping[str, Any]) -> None:
        """Save a checkpoint and drop old ones of the same trial: the newest stay, and the one just
        saved."""
        saved = self.directory / f"trial_{trial}_{_key(about)}_epoch_{checkpoint.epoch}.npz"
        save(saved, checkpoint, about)
        for _, path in sorted(self._files(trial, _key(about)))[:-KEPT]:
            if path != saved:
                path.unlink(missing_ok=True)

    def _files(self, trial: int, key: str) -> list[tuple[int, Path]]:
        """List a trial's checkpoints as (epoch, path); another process may be adding some."""
        found = [
            (path.stem.rpartition("_")[2], path)
            for path in self.directory.glob(f"trial_{trial}_{key}_epoch_*.npz")
        ]
        return [(int(epoch), path) for epoch, path in found if epoch.isdigit()]

    def _check_single(self, trial: int, paths: list[Path], about: Mapping[str, Any]) -> None:
        abouts = [found for path in paths if (found := read_about(path)) is not None]
        fitting = {
            json.dumps(found, sort_keys=True)
            for found in abouts
            if all(found.get(key) == value for key, value in about.items())
        }
        if len(fitting) > 1:
            raise HptError(
                f"{self.directory} holds checkpoints of {len(fitting)} different trials with the "
                f"id {trial}; "
                "say which one is meant with Trial(..., parent=ID, origin=TRIAL)"
            )

    def _warn_of_other_code(self, trial: int, about: Mapping[str, Any]) -> None:
        """Say once that there is a checkpoint that would do if `build` were still what it was."""
        if self._warned:
            return
        for _, path in self._files(trial, "*"):
            found = read_about(path)
            if found is None or found.get("code") == about["code"]:
                continue
            if {**found, "code": None} == {**about, "code": None}:
                self._warned = True
                warnings.warn(
                    f"the checkpoints in {self.directory} were made by other code of build or "
                    "callbacks (known as "
                    f"{found.get('code')!r}, now {about['code']!r}): they are left alone, and "
                    "trials are trained from "
                    "scratch. If the edit changes no result, go on with them by "
                    "KerasObjective(..., "
                    f"version={found.get('code')!r})",
                    stacklevel=2,
                )
                return


def _key(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
