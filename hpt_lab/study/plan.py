"""Plan before you spend: walk a strategy with a dummy objective and add up what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hpt_lab.arguments import check_number
from hpt_lab.errors import StrategyError
from hpt_lab.history import increments
from hpt_lab.strategies.strategy import Strategy, check_strategy
from hpt_lab.strategies.successive_halving import Rung
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Outcome, Trial

MOST_RUNS = 10**6


@dataclass(frozen=True)
class Plan:
    """What a strategy will run: its brackets in order, each a list of rungs, and the totals."""

    name: str
    brackets: dict[int | None, list[Rung]]
    configs: int
    runs: int  # a config that climbs three rungs is three runs
    epochs_scratch: float  # if every run trained from scratch
    epochs_resumed: float  # if every run resumes where the config stopped: what `tune` spends
    seconds_per_epoch: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the plan in plain JSON types."""
        return {
            "strategy": self.name,
            "brackets": [
                {"bracket": s, "rungs": [{"n": rung.n, "budget": rung.budget} for rung in rungs]}
                for s, rungs in self.brackets.items()
            ],
            "configs": self.configs,
            "runs": self.runs,
            "epochs_scratch": self.epochs_scratch,
            "epochs_resumed": self.epochs_resumed,
        }

    def __str__(self) -> str:
        lines = [f"{self.name}: trials x epochs each has had in total, rung by rung"]
        for s, rungs in self.brackets.items():
            climb = "  ->  ".join(f"{rung.n:>3} x {rung.budget:<3}" for rung in rungs).rstrip()
            lines.append(f"  bracket {s}:  {climb}" if s is not None else f"  {climb}")
        lines.append(
            f"{self.configs} configs, {self.runs} runs, {self.epochs_resumed:g} epochs "
            f"({self.epochs_scratch:g} if every run trained from scratch)"
        )
        if self.seconds_per_epoch is not None:
            lines.append(
                f"about {self.epochs_resumed * self.seconds_per_epoch / 60:.1f} minutes "
                f"at {self.seconds_per_epoch:g} s an epoch"
            )
        return "\n".join(lines)


def plan(strategy: Strategy, *, seconds_per_epoch: float | None = None) -> Plan:
    """Say what `strategy` will run, before it is spent; with `seconds_per_epoch`, how long that
    will take.

    Raises StrategyError if what it runs depends on the losses, so that no plan exists (ASHA).
    """
    check_strategy(strategy)
    if seconds_per_epoch is not None:
        seconds_per_epoch = check_number("seconds_per_epoch", seconds_per_epoch, least=0, hint=0.5)
    rising, falling = (_walk(strategy, sign) for sign in (1, -1))
    shape = [(trial.bracket, trial.rung, trial.budget) for trial in rising]
    if sorted(map(str, shape)) != sorted(str((t.bracket, t.rung, t.budget)) for t in falling):
        raise StrategyError(
            f"{strategy.name} has no plan: what it runs depends on the losses. Give it a trial or "
            "an epoch limit"
        )
    rungs: dict[int | None, dict[float, int]] = {}
    for trial in rising:
        bracket = rungs.setdefault(trial.bracket, {})
        bracket[trial.budget] = bracket.get(trial.budget, 0) + 1
    brackets: dict[Any, list[Rung]] = {}
    for s, bracket in rungs.items():
        brackets[s] = [
            Rung(n, budget)  # type: ignore[arg-type]
            for budget, n in sorted(bracket.items())
        ]
    return Plan(
        strategy.name,
        brackets,
        configs=len({trial.id for trial in rising}),
        runs=len(rising),
        epochs_scratch=sum(trial.budget for trial in rising),
        epochs_resumed=sum(increments(rising)),
        seconds_per_epoch=seconds_per_epoch,
    )


def _walk(strategy: Strategy, sign: int) -> list[Trial]:
    """Run the strategy on losses that rise (or fall) from trial to trial."""
    ask_tell = AskTell(strategy)
    trials: list[Trial] = []
    while (trial := ask_tell.ask()) is not None:
        if len(trials) == MOST_RUNS:
            raise StrategyError(
                f"{strategy.name} has no plan: it has more than {MOST_RUNS:,} runs, too many to "
                "walk through"
            )
        trials.append(trial)
        ask_tell.tell(trial, Outcome(float(sign * len(trials))))
    return trials
