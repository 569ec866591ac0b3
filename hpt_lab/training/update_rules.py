"""The usual optimizers as functions of tensors: gradient and state in, change and new state out.

Keras' optimizers update variables, one model's at a time. Stacked models need the same arithmetic with a learning rate
and a step count per member, so here it is written out, in Keras' form and order of operations: SGD with (Nesterov)
momentum (Sutskever et al., 2013), RMSprop (Tieleman and Hinton, 2012), Adam (Kingma and Ba, 2015, section 2, last
paragraph), AdamW's decoupled weight decay (Loshchilov and Hutter, 2019). Decay is scaled by the learning rate, as
in Keras and PyTorch. Read `update` first.

Shapes: `weight`, `gradient` and every slot (P, ...), a variable of P members; `rate`, `step`, `decay` (P, 1, ...).
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

SLOTS = {keras.optimizers.SGD: ("momentums",), keras.optimizers.RMSprop: ("_velocities", "_momentums"),
         keras.optimizers.Adam: ("_momentums", "_velocities"), keras.optimizers.AdamW: ("_momentums", "_velocities")}


def update(optimizer: Any, weight: Any, gradient: Any, slots: list[Any], *,
           rate: Any, step: Any, decay: Any) -> tuple[Any, list[Any]]:
    """Take one step; return the new weight and slots. `step` counts from 1; `decay` None: no weight decay."""
    if decay is not None:
        weight = weight - weight * decay * rate
    rule = {keras.optimizers.SGD: _sgd, keras.optimizers.RMSprop: _rmsprop}.get(type(optimizer), _adam)
    change, slots = rule(optimizer, gradient, slots, rate, step)
    return weight + change, slots


def _sgd(o: Any, gradient: Any, slots: list[Any], rate: Any, step: Any) -> tuple[Any, list[Any]]:
    if not slots:
        return -gradient * rate, []
    momentum = slots[0] * o.momentum - gradient * rate
    return momentum * o.momentum - gradient * rate if o.nesterov else momentum, [momentum]


def _rmsprop(o: Any, gradient: Any, slots: list[Any], rate: Any, step: Any) -> tuple[Any, list[Any]]:
    velocity = o.rho * slots[0] + (1 - o.rho) * tf.square(gradient)
    increment = rate * gradient / tf.sqrt(velocity + o.epsilon)
    if len(slots) == 1:
        return -increment, [velocity]
    momentum = o.momentum * slots[1] + increment
    return -momentum, [velocity, momentum]


def _adam(o: Any, gradient: Any, slots: list[Any], rate: Any, step: Any) -> tuple[Any, list[Any]]:
    momentum = slots[0] + (gradient - slots[0]) * (1 - o.beta_1)
    velocity = slots[1] + (tf.square(gradient) - slots[1]) * (1 - o.beta_2)
    alpha = rate * tf.sqrt(1 - tf.pow(o.beta_2, step)) / (1 - tf.pow(o.beta_1, step))  # both bias corrections
    return -momentum * alpha / (tf.sqrt(velocity) + o.epsilon), [momentum, velocity]


def has_rule(optimizer: Any) -> bool:
    """Tell whether `update` does all that this optimizer does: no clipping, schedule, averaging, accumulation."""
    extras = ("clipnorm", "clipvalue", "global_clipnorm", "use_ema", "gradient_accumulation_steps", "loss_scale_factor",
              "amsgrad", "centered")
    return (type(optimizer) in SLOTS and isinstance(optimizer._learning_rate, keras.Variable)
            and not any(getattr(optimizer, name, None) for name in extras))


def slot_variables(optimizer: Any) -> list[list[Any]]:
    """List a built optimizer's slots; each holds a variable for every trainable variable of its model."""
    return [getattr(optimizer, name) for name in SLOTS[type(optimizer)] if getattr(optimizer, name)]
