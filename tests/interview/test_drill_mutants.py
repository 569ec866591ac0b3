"""The hidden cases are strict: of automatic mutants of each reference at least 90 % fail.

A mutant differs from the reference in one place: another comparison or operator, a constant one
larger or smaller, a condition turned round, an argument or statement dropped. A few mean the same
as the reference and pass rightly; those are the 10 %. A mutant that loops is cut off after many
lines.
"""

import ast
import copy
import inspect
import sys

import pytest

from hpt_lab.interview import drills

LINES = 200_000  # that one mutant may run before it counts as hanging
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Add],
}


class Hanging(Exception):
    """Raised inside a mutant that has run too many lines."""


def changes(node):
    """Yield functions that change this node in place, each in one way."""
    if isinstance(node, ast.Compare):
        for other in COMPARISONS.get(type(node.ops[0]), []):
            yield lambda node, other=other: node.ops.__setitem__(0, other())
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for other in OPERATORS.get(type(node.op), []):
            yield lambda node, other=other: setattr(node, "op", other())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for step in (-1, 1):
            yield lambda node, step=step: setattr(node, "value", node.value + step)
    if isinstance(node, ast.If | ast.IfExp):
        yield lambda node: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda node: setattr(node, "op", ast.UAdd())
    if isinstance(node, ast.Call) and node.keywords:
        yield lambda node: node.keywords.pop()
    if isinstance(node, ast.For | ast.While | ast.If | ast.FunctionDef) and len(node.body) > 1:
        for place, statement in enumerate(node.body):
            if not isinstance(statement, ast.FunctionDef):
                yield lambda node, place=place: node.body.__setitem__(place, ast.Pass())
    if isinstance(node, ast.For):
        yield lambda node: setattr(node, "body", [*node.body, ast.Break()])


def mutants(function):
    """Yield (source, function) for every mutant of a function."""
    tree = ast.parse(inspect.getsource(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):  # zip's `strict` changes nothing where the lengths agree
            node.keywords = [word for word in node.keywords if word.arg != "strict"]
    for place, node in enumerate(ast.walk(tree)):
        for change in changes(node):
            mutant = copy.deepcopy(tree)
            change(list(ast.walk(mutant))[place])
            ast.fix_missing_locations(mutant)
            space = dict(vars(sys.modules[function.__module__]))
            exec(compile(mutant, "<mutant>", "exec"), space)
            yield ast.unparse(mutant), space[function.__name__]


def fails(name, answer):
    left = LINES

    def count(frame, event, _):
        nonlocal left
        if frame.f_code.co_filename != "<mutant>":
            return None
        left -= 1
        if left < 0:
            raise Hanging
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return not drills.grade(name, answer)
    finally:
        sys.settrace(before)


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::SyntaxWarning")
@pytest.mark.parametrize("name", sorted(drills.DRILLS))
def test_at_least_nine_in_ten_mutants_fail(name):
    survived = []
    total = 0
    for source, mutant in mutants(drills.DRILLS[name].reference):
        total += 1
        if not fails(name, mutant):
            survived.append(source)
    assert total >= 3
    assert len(survived) <= 0.1 * total, f"{len(survived)} of {total}:\n" + "\n\n".join(survived)


def test_a_mutant_that_hangs_is_cut_off():
    space = {}
    exec(compile("def f1(tp, fp, fn):\n    while True:\n        pass", "<mutant>", "exec"), space)
    assert fails("f1", space["f1"])
