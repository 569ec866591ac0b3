"""Every strategy, one algorithm per file. Start with successive_halving.py."""

from hpt_lab.strategies.asha import asha
from hpt_lab.strategies.bayesian_optimization import bayesian_optimization
from hpt_lab.strategies.bohb import bohb
from hpt_lab.strategies.grid_search import grid_search
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.population_based_training import population_based_training
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.strategy import STRATEGIES, Strategy, strategy
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.strategies.tpe import tpe

__all__ = [
    "STRATEGIES",
    "Strategy",
    "asha",
    "bayesian_optimization",
    "bohb",
    "grid_search",
    "hyperband",
    "population_based_training",
    "random_search",
    "strategy",
    "successive_halving",
    "tpe",
]
