"""Every strategy, one algorithm per file. Start with successive_halving.py."""

from hpt_lab.strategies.grid_search import grid_search
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.strategy import STRATEGIES, Strategy, strategy
from hpt_lab.strategies.successive_halving import successive_halving

__all__ = ["STRATEGIES", "Strategy", "grid_search", "hyperband", "random_search", "strategy", "successive_halving"]
