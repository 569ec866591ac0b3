"""Drills of one parameter's update: SGD with momentum, Adam, decoupled weight decay."""

from __future__ import annotations

import math

from hpt_lab.interview.drills.core import drill


def sgd_momentum(w, gradient, rate, momentum, steps):
    velocity = 0.0
    for _ in range(steps):
        velocity = momentum * velocity - rate * gradient(w)
        w = w + velocity
    return w


def _plain_sgd(w, gradient, rate, momentum, steps):
    return sgd_momentum(w, gradient, rate, 0.0, steps)


def _dampened(w, gradient, rate, momentum, steps):
    return sgd_momentum(w, gradient, rate * (1 - momentum), momentum, steps)


def _nesterov(w, gradient, rate, momentum, steps):
    velocity = 0.0
    for _ in range(steps):
        velocity = momentum * velocity - rate * gradient(w + momentum * velocity)
        w = w + velocity
    return w


def _uphill(w, gradient, rate, momentum, steps):
    return sgd_momentum(w, gradient, -rate, momentum, steps)


def _rate_on_velocity_twice(w, gradient, rate, momentum, steps):
    velocity = 0.0
    for _ in range(steps):
        velocity = momentum * velocity - rate * gradient(w)
        w = w + rate * velocity
    return w


def _bowl(w):
    return 2 * w


def _valley(w):
    return w**3 - 1


STARTS = [
    (3.0, _bowl, 0.1, 0.8, 4),
    (-1.5, _valley, 0.05, 0.5, 7),
    (2.0, _bowl, 0.1, 0.9, 0),
    (1.0, _bowl, 0.3, 0.0, 3),
]

drill(
    sgd_momentum,
    title="SGD with momentum",
    lesson="01",
    statement="""
Start at the number w and take `steps` steps of gradient descent with (heavy-ball) momentum: the
velocity, zero at first, keeps the share `momentum` of itself and gets -rate times the gradient;
then it is added to w. `gradient(w)` gives the gradient. Return the last w.""",
    cases=lambda: STARTS,
    mistakes={
        _plain_sgd: "keep the velocity from step to step: it is zero once, before the loop",
        _dampened: "the gradient is not multiplied by 1 - momentum: this is no running mean",
        _nesterov: "that is Nesterov's form: take the gradient at w, not ahead of it",
        _uphill: "go down: subtract rate times the gradient",
        _rate_on_velocity_twice: "the rate is in the velocity already: don't multiply by it again",
    },
)


def adam(w, gradient, rate, steps, beta1, beta2, epsilon):
    first = 0.0
    second = 0.0
    for step in range(1, steps + 1):
        slope = gradient(w)
        first = beta1 * first + (1 - beta1) * slope
        second = beta2 * second + (1 - beta2) * slope**2
        corrected = first / (1 - beta1**step)
        scale = math.sqrt(second / (1 - beta2**step)) + epsilon
        w = w - rate * corrected / scale
    return w


def _adam(
    w,
    gradient,
    rate,
    steps,
    beta1,
    beta2,
    epsilon,
    *,
    correct=True,
    root=True,
    inside=False,
    l2=0.0,
    decay=0.0,
):
    """Return what Adam gives with one of its parts changed."""
    first = 0.0
    second = 0.0
    for step in range(1, steps + 1):
        slope = gradient(w) + l2 * w
        first = beta1 * first + (1 - beta1) * slope
        second = beta2 * second + (1 - beta2) * slope**2
        top = first / (1 - beta1**step) if correct else first
        bottom = second / (1 - beta2**step) if correct else second
        added = bottom + epsilon if inside else bottom
        scale = math.sqrt(added) if root else added
        w = w - rate * top / (scale if inside else scale + epsilon) - decay * w
    return w


def _uncorrected(w, gradient, rate, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta1, beta2, epsilon, correct=False)


def _no_root(w, gradient, rate, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta1, beta2, epsilon, root=False)


def _epsilon_inside(w, gradient, rate, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta1, beta2, epsilon, inside=True)


def _betas_swapped(w, gradient, rate, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta2, beta1, epsilon)


drill(
    adam,
    title="Adam",
    lesson="01",
    statement="""
Start at the number w and take `steps` steps of Adam (Kingma & Ba, arXiv 1412.6980, algorithm 1):
running means of the gradient (beta1) and of its square (beta2), both zero at first and corrected
for that; the step is rate times the first over the root of the second plus epsilon.
`gradient(w)` gives the gradient. Return the last w.""",
    cases=lambda: [
        (3.0, _bowl, 0.1, 4, 0.9, 0.99, 0.01),
        (-1.5, _valley, 0.05, 7, 0.8, 0.999, 0.1),
        (2.0, _bowl, 0.1, 0, 0.9, 0.999, 0.01),
        (1.0, _bowl, 0.3, 1, 0.5, 0.9, 0.5),
    ],
    mistakes={
        _uncorrected: "both means start at zero: divide them by 1 - beta**step, step from 1",
        _no_root: "divide by the root of the mean square, not by the mean square",
        _epsilon_inside: "epsilon is added after the root, not inside it",
        _betas_swapped: "beta1 belongs to the gradient, beta2 to its square",
    },
)


def adamw(w, gradient, rate, decay, steps, beta1, beta2, epsilon):
    first = 0.0
    second = 0.0
    for step in range(1, steps + 1):
        slope = gradient(w)
        first = beta1 * first + (1 - beta1) * slope
        second = beta2 * second + (1 - beta2) * slope**2
        corrected = first / (1 - beta1**step)
        scale = math.sqrt(second / (1 - beta2**step)) + epsilon
        w = w - rate * (corrected / scale + decay * w)
    return w


def _l2(w, gradient, rate, decay, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta1, beta2, epsilon, l2=decay)


def _rate_forgotten(w, gradient, rate, decay, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta1, beta2, epsilon, decay=decay)


def _no_decay(w, gradient, rate, decay, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta1, beta2, epsilon)


def _grows(w, gradient, rate, decay, steps, beta1, beta2, epsilon):
    return _adam(w, gradient, rate, steps, beta1, beta2, epsilon, decay=-rate * decay)


drill(
    adamw,
    title="Decoupled weight decay (AdamW)",
    lesson="02",
    statement="""
Adam with decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101), as Keras and PyTorch have
it: besides Adam's step, each step subtracts rate * decay * w, both computed from the w before the
step. The decay never enters the gradient or its running means. Return the last w.""",
    cases=lambda: [
        (3.0, _bowl, 0.1, 0.2, 4, 0.9, 0.99, 0.01),
        (-1.5, _valley, 0.05, 1.0, 7, 0.8, 0.999, 0.1),
        (2.0, _bowl, 0.1, 0.5, 0, 0.9, 0.999, 0.01),
        (1.0, _bowl, 0.3, 0.1, 1, 0.5, 0.9, 0.5),
    ],
    mistakes={
        _l2: "that is L2: decay in the gradient gets divided by Adam's scale; keep it out of there",
        _rate_forgotten: "Keras and PyTorch multiply the decay by the learning rate",
        _no_decay: "that is plain Adam: the decay is missing",
        _grows: "decay makes w smaller: subtract it",
    },
)
