"""Bridges to other tuners and tools, one file each: what they know comes here, what a study knows
goes there.

    bridges.keras_tuner    a `build(hp)` as space and `build(config)`; a project directory as
                           history
    bridges.optuna         a study in Optuna's storage; our strategies as samplers; an Optuna study
                           as history
    bridges.sklearn        `HyperbandSearchCV`, a search in the manner of scikit-learn's own
    bridges.tensorboard    scalars and hyperparameters of every trial as event files

The libraries come with the extra, `pip install "hpt-lab[bridges]"`, and load when a bridge is first
used.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hpt_lab.errors import HptError

if TYPE_CHECKING:
    from hpt_lab.bridges import keras_tuner, optuna, sklearn, tensorboard

__all__ = ["keras_tuner", "optuna", "sklearn", "tensorboard"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"hpt_lab.bridges.{name}")
    raise AttributeError(f"module 'hpt_lab.bridges' has no attribute {name!r}")


def library(module: str, package: str) -> Any:
    """Import another project's module. Raises HptError, with what to install, where it is
    missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise HptError(
            f"this bridge needs {package}, and {error.name} is not installed here; "
            'try pip install "hpt-lab[bridges]"'
        ) from None
