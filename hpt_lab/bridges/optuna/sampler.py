"""Strategies of ours as samplers of Optuna. Read `sampler`, then
`StrategySampler.sample_relative`."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from hpt_lab.arguments import is_number
from hpt_lab.bridges import library
from hpt_lab.bridges.optuna.reading import check_study, reports_of
from hpt_lab.errors import SpaceError, StrategyError
from hpt_lab.history import History
from hpt_lab.strategies.strategy import Strategy, check_strategy
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Config, Trial

optuna = library("optuna", "Optuna")

Base: Any = optuna.samplers.BaseSampler
BY_NUMBER = ("grid_search", "random_search")  # whose configs depend on nothing but their place
BY_HISTORY = ("bayesian_optimization", "tpe")


def sampler(strategy: Strategy) -> Any:
    """Return a sampler that draws the trials of Optuna's study as `strategy` does, from its space.

    Grid search, random search, Bayesian optimization and TPE. The objective asks for the same names
    and ranges: `trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)`. The study ends when
    the strategy has no more trials. What a pruner cut counts with the last value that it told.

    Raises StrategyError for a strategy that resumes trials.
    """
    name = check_strategy(strategy).name
    if name not in (*BY_NUMBER, *BY_HISTORY):
        raise StrategyError(
            f"{name} can't be a sampler of Optuna: it goes on with trials that have paused, and "
            "Optuna can't resume a trial, only start and prune one. Run it with hpt.tune and write "
            "the "
            f"study with to_storage; or sample with one of {', '.join((*BY_NUMBER, *BY_HISTORY))} "
            "and a pruner"
        )
    return StrategySampler(strategy)


class StrategySampler(Base):
    """Optuna's view of a strategy: trial number n gets the n-th config. Made by `sampler`."""

    def __init__(self, strategy: Strategy):
        self.strategy = strategy
        self._configs: dict[int, Config] = {}  # by the number of Optuna's trial
        self._ask_tell = AskTell(strategy)
        self._one_at_a_time = threading.RLock()

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """Return none: every value is handed out by name."""
        return {}

    def sample_relative(
        self, study: Any, trial: Any, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        """Choose the trial's config, from all that the study has by now."""
        check_study(study)
        with self._one_at_a_time:
            config = self._config(study, trial.number)
            if config is None:
                raise StrategyError(
                    f"{self.strategy.name} has no trial number {trial.number}: all were "
                    "asked; make it with more trials, or stop the study earlier"
                )
            self._configs[trial.number] = config
        return {}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """Return the config's value. Raises SpaceError for a name or a range that is not the
        space's."""
        config = self._configs[trial.number]
        if param_name not in config:
            self.strategy.space[param_name]  # no dimension at all: its error names those there are
            raise SpaceError(
                f"the objective asks for {param_name!r}, which does not exist in {config}; "
                "ask for it only where its `when` holds"
            )
        value = config[param_name]
        choices = getattr(param_distribution, "choices", None)
        fits = (
            value in choices
            if choices
            else is_number(value) and param_distribution.low <= value <= param_distribution.high
        )
        if not fits:
            raise SpaceError(
                f"the objective asks for {param_name!r} from {param_distribution}, and the "
                f"space has {self.strategy.space[param_name]}; make the two agree"
            )
        return value

    def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
        """Stop the study after the last trial."""
        with self._one_at_a_time, suppress(RuntimeError):  # not in study.optimize: nothing to stop
            last = self.strategy.settings.get("trials", 10**15)
            if trial.number + 1 >= min(last, self.strategy.space.size) or self._ended(
                trial.number + 1
            ):
                study.stop()

    def _ended(self, number: int) -> bool:
        return self.strategy.name in BY_NUMBER and self._by_number(number) is None

    def _config(self, study: Any, number: int) -> Config | None:
        if self.strategy.name in BY_NUMBER:
            return self._by_number(number)
        trial = self.strategy.start()(self._history(study, number))  # type: ignore[operator]
        return trial.config if trial else None

    def _by_number(self, number: int) -> Config | None:
        """Return the config of this place; the same in every process and after every restart."""
        history = self._ask_tell.history
        while len(history.pending) <= number:
            if self._ask_tell.ask() is None:
                return None
        return history.pending[number].config

    def _history(self, study: Any, number: int) -> History:
        """Return what a strategy looks at: the trials before this one, ended or running."""
        past = History()
        for trial in study.get_trials(deepcopy=False):
            config = self._belongs(trial)
            if trial.number == number or config is None:
                continue
            asked = Trial(trial.number, config)
            past.ask(asked)
            if trial.state.is_finished():
                past.tell(asked, reports_of(trial, study.direction.name)[-1].outcome)
        past.asked = number
        return past

    def _belongs(self, trial: Any) -> Config | None:
        """Return a trial's config, if it is one of the space: others' trials teach nothing here."""
        config = self._configs.get(trial.number, trial.params)
        with suppress(SpaceError):
            return self.strategy.space.clean(config)
        return None
