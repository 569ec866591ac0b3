"""Studies: drive a strategy and an objective, remember everything, plan and resume."""

from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.plan import Plan, plan
from hpt_lab.study.recommendation import recommend
from hpt_lab.study.study import Study, resume, tune

__all__ = ["AskTell", "Plan", "Study", "plan", "recommend", "resume", "tune"]
