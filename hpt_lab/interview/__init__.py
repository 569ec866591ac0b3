"""The interview room: a bank of questions, each with an answer to say aloud, and what practises
with it.

    from hpt_lab.interview import load

    for question in load(lesson="06", level="screening"):
        print(question.question)

`story(study)` tells your own study; the quiz, the mock interview and the drill on recorded curves
are widgets (`hpt_lab.widgets`) and commands (`hpt-lab quiz | interview | diagnose | drill | story |
anki | cheatsheet`).

The questions are data, one TOML file a lesson in `questions/`. Read `bank` first.
"""

from hpt_lab.interview.bank import KINDS, LEVELS, Question, load
from hpt_lab.interview.own_story import story

__all__ = ["KINDS", "LEVELS", "Question", "load", "story"]
