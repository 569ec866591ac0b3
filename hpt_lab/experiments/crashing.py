"""What a crash leaves: a study of ten quick trials, killed by `kill -9` under its sixth, and opened
again.

`finished_and_left("Optuna, SQLite", 0)` runs the study in a process of its own, then counts what a
second one finds. The trials do nothing: a trial of the lesson's systems loses the same whatever it
trains. The programs are below, as a user would write them; FOLDER, SEED and the kill are filled in.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

KILLED_AT = 5  # trials that have finished by then
PLACES = (
    "KerasTuner, its directory",
    "Optuna, in memory",
    "Optuna, SQLite",
    "Optuna, journal file",
    "scikit-learn, in memory",
    "hpt_lab, journal",
)

START = """
import os, signal, sys
folder, seed, again = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "again"
finished = 0
def trial_of(x):
    global finished
    if finished == 5 and not again:
        print(finished, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    finished += 1
    return (x - 0.3) ** 2
"""

PROGRAMS = {
    "KerasTuner, its directory": """
import keras_tuner as kt
class Tuner(kt.RandomSearch):
    def run_trial(self, trial, *args, **kwargs):
        return trial_of(trial.hyperparameters.Float("x", 0.0, 1.0))
space = kt.HyperParameters()
space.Float("x", 0.0, 1.0)
tuner = Tuner(objective=kt.Objective("loss", "min"), max_trials=10, seed=seed + 1,
              hyperparameters=space, directory=folder, project_name="study")
if again:
    print(len([t for t in tuner.oracle.trials.values() if t.status == "COMPLETED"]))
else:
    tuner.search(verbose=0)
""",
    "Optuna, in memory": """
import optuna
optuna.logging.disable_default_handler()
study = optuna.create_study(study_name="study")
""",
    "Optuna, SQLite": """
import optuna
optuna.logging.disable_default_handler()
storage = f"sqlite:///{folder}/study.db"
study = optuna.create_study(study_name="study", storage=storage, load_if_exists=True)
""",
    "Optuna, journal file": """
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
optuna.logging.disable_default_handler()
storage = JournalStorage(JournalFileBackend(f"{folder}/study.log"))
study = optuna.create_study(study_name="study", storage=storage, load_if_exists=True)
""",
    "scikit-learn, in memory": """
import numpy as np
from scipy.stats import uniform
from sklearn.base import BaseEstimator
from sklearn.model_selection import RandomizedSearchCV
class Model(BaseEstimator):
    def __init__(self, x=0.0): self.x = x
    def fit(self, a, b): return self
    def score(self, a, b): return -trial_of(self.x)
rows = np.zeros((4, 1))
search = RandomizedSearchCV(Model(), {"x": uniform(0, 1)}, n_iter=10,
                            cv=[([0, 1], [2, 3])], refit=False)
if again:
    print(len(getattr(search, "cv_results_", {"params": []})["params"]))
else:
    search.fit(rows, np.zeros(4))
""",
    "hpt_lab, journal": """
import hpt_lab as hpt
strategy = hpt.random_search(hpt.Space(x=hpt.Float(0, 1)), trials=10, seed=seed)
def loss(config): return trial_of(config["x"])
if again:
    import json
    print(sum("tell" in json.loads(line) for line in open(f"{folder}/study.jsonl")))
else:
    hpt.tune(loss, strategy, journal=f"{folder}/study.jsonl", progress=False, version="1")
""",
}
OPTUNA = """
if again:
    print(len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE])))
else:
    study.optimize(lambda trial: trial_of(trial.suggest_float("x", 0.0, 1.0)), n_trials=10)
"""


def program(place: str) -> str:
    """Return the program that runs, or with `again` opens, the study which keeps its state at
    `place`."""
    return START + PROGRAMS[place] + (OPTUNA if place.startswith("Optuna") else "")


def finished_and_left(place: str, seed: int) -> tuple[int, int]:
    """Return how many trials had finished when the study was killed, and how many a new process
    finds."""
    with tempfile.TemporaryDirectory() as folder:
        killed = _run(place, folder, seed, "first")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        opened = _run(place, folder, seed, "again")
        assert opened.returncode == 0, opened.stderr
    return int(killed.stdout.split()[-1]), int(opened.stdout.split()[-1])


def _run(place: str, folder: str, seed: int, when: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.run(
        [sys.executable, "-c", program(place), folder, str(seed), when],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
