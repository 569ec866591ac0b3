"""The interview room: a bank of questions, each with an answer to say aloud, and what practises with it.

    from hpt_lab.interview import load

    for question in load(lesson="06", level="screening"):
        print(question.question)

The questions are data, one TOML file a lesson in `questions/`. Read `bank` first.
"""

from hpt_lab.interview.bank import KINDS, LEVELS, Question, load

__all__ = ["KINDS", "LEVELS", "Question", "load"]
