"""Right answers in another spelling pass: with libraries, loops, arrays, other orders and draws."""

import itertools
import math

import numpy as np
import pytest
from scipy import linalg, stats
from sklearn import model_selection as ms
from sklearn.metrics import average_precision_score, roc_auc_score

from hpt_lab.interview import drills


def f1(tp, fp, fn):
    if tp == 0:
        return 0
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return 2 * precision * recall / (precision + recall)


def average_precision(labels, scores):
    return average_precision_score(labels, scores) if any(labels) else 0


def roc_auc(labels, scores):
    return roc_auc_score(labels, scores) if 0 < sum(labels) < len(labels) else float("nan")


def k_fold(n, k):
    return list(ms.KFold(k, shuffle=True, random_state=0).split(np.zeros(n)))


def stratified_k_fold(labels, k):
    folds = [[] for _ in range(k)]
    for turn, row in enumerate(sorted(range(len(labels)), key=lambda row: labels[row])):
        folds[turn % k].append(row)
    return [(np.setdiff1d(np.arange(len(labels)), fold), fold) for fold in folds]


def group_k_fold(groups, k):
    parts = np.array_split(np.unique(groups), k)
    return [
        (np.flatnonzero(~np.isin(groups, part)), np.flatnonzero(np.isin(groups, part)))
        for part in parts
    ]


def time_split(times, k, gap):
    blocks = np.array_split(np.argsort(times), k + 1)
    found = []
    for i in range(1, k + 1):
        before = np.concatenate(blocks[:i])
        found.append([before[: len(before) - gap], blocks[i]])
    return found


def nested_cv(n, configs, loss, outer, inner):
    losses = []
    for f in range(outer):
        test = list(range(n))[f::outer]
        train = sorted(set(range(n)) - set(test))
        means = []
        for config in configs:
            total = 0
            for g in range(inner):
                valid = train[g::inner]
                total += loss(config, sorted(set(train) - set(valid)), valid)
            means.append(total / inner)
        losses.append(loss(configs[int(np.argmin(means))], train, test))
    return np.array(losses)


def log_uniform(low, high, rng):
    return stats.loguniform.rvs(low, high, random_state=rng)


def grid(space):
    names = sorted(space)
    return [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*(reversed(space[name]) for name in names))
    ]


def random_search(space, loss, trials, rng):
    configs = [{name: rng.choice(values) for name, values in space.items()} for _ in range(trials)]
    losses = [loss(config) for config in configs]
    best = int(np.nanargmin(losses))
    return [configs[best], losses[best]]


def successive_halving(configs, loss, budget, eta):
    spent = len(configs) * budget
    alive = list(configs)
    while len(alive) > 1:
        losses = [loss(config, budget) for config in alive]
        best = np.argsort(losses, kind="stable")[: max(len(alive) // eta, 1)]
        alive = [alive[i] for i in best]
        spent += len(alive) * budget * (eta - 1)
        budget = budget * eta
    return alive[0], spent


def bracket_table(max_budget, eta):
    most = round(math.log(max_budget, eta))
    table = []
    for s in reversed(range(most + 1)):
        n = (most + 1) // (s + 1) * eta**s
        rungs = []
        for i in range(s + 1):
            rungs.append([n, max_budget / eta ** (s - i)])
            n //= eta
        table.append(rungs)
    return table


def asha_promotable(losses, promoted, eta):
    order = sorted(losses, key=lambda trial: (math.isnan(losses[trial]), losses[trial], trial))
    top = [trial for trial in order[: len(losses) // eta] if not math.isnan(losses[trial])]
    return [trial for trial in top if trial not in promoted]


def expected_improvement(mean, sd, best):
    if sd == 0:
        return max(0, best - mean)
    z = (best - mean) / sd
    return sd * (z * stats.norm.cdf(z) + stats.norm.pdf(z))


def gp_posterior(x, y, new, length, noise):
    x, y, new = map(np.asarray, (x, y, new))
    if len(x) == 0:
        return np.zeros(len(new)), np.ones(len(new))
    between = np.exp(-0.5 * ((x[:, None] - new[None]) / length) ** 2)
    among = np.exp(-0.5 * ((x[:, None] - x[None]) / length) ** 2)
    factor = linalg.cho_factor(among + noise * np.eye(len(x)))
    spread = 1 - np.einsum("ij,ij->j", between, linalg.cho_solve(factor, between))
    return [between.T @ linalg.cho_solve(factor, y), spread**0.5]


def early_stopping(losses, patience, least):
    best, restored, waited, epoch = math.inf, 0, 0, 0
    for loss in losses:
        epoch += 1
        waited += 1
        if best - loss > least:
            best, restored, waited = loss, epoch, 0
        if waited == patience:
            break
    return [epoch, restored]


def sgd_momentum(w, gradient, rate, momentum, steps):
    velocity = 0
    for _ in range(steps):
        velocity = momentum * velocity + gradient(w)
        w -= rate * velocity
    return np.float64(w)


def adam(w, gradient, rate, steps, beta1, beta2, epsilon):
    return adamw(w, gradient, rate, 0, steps, beta1, beta2, epsilon)


def adamw(w, gradient, rate, decay, steps, beta1, beta2, epsilon):
    m = v = 0
    for t in range(steps):
        g = gradient(w)
        w *= 1 - rate * decay
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        w -= rate * m / (1 - beta1 ** (t + 1)) / ((v / (1 - beta2 ** (t + 1))) ** 0.5 + epsilon)
    return w


def dropout(x, rate, training, rng):
    mask = rng.binomial(1, 1 - rate, x.shape)
    return np.where(mask, x / (1 - rate), 0) if training else x.copy()


def batch_norm(x, mean, variance, momentum, training):
    used, spread = (
        (np.mean(x, 0), np.mean((x - x.mean(0)) ** 2, 0)) if training else (mean, variance)
    )
    if training:
        mean = mean + (1 - momentum) * (used - mean)
        variance = variance + (1 - momentum) * (spread - variance)
    return [(x - used) * (spread + 0.001) ** -0.5, mean, variance]


def lr_range_test(low, high, steps, loss_at):
    seen = []
    for rate in np.geomspace(low, high, steps):
        loss = loss_at(rate)
        if seen and not loss <= 4 * min(seen)[0]:
            break
        seen.append((loss, rate))
    return min(seen)[1] * 0.1


def bootstrap_interval(values, level, resamples, rng):
    means = sorted(
        np.mean([values[i] for i in rng.integers(0, len(values), len(values))])
        for _ in range(resamples)
    )
    cut = int(resamples * (1 - level) / 2)
    return means[cut], means[-cut - 1]


def paired_comparison(a, b):
    difference = np.array(a) - np.array(b)
    if len(difference) == 1:
        return difference[0], np.nan
    return np.array([difference.mean(), stats.sem(difference)])


@pytest.mark.parametrize("name", sorted(drills.DRILLS))
def test_another_spelling_passes(name):
    verdict = drills.grade(name, globals()[name])
    assert verdict, verdict
