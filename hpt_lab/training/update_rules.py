"""The usual optimizers as functions of tensors: gradient and state in, change and new state out.

Keras' optimizers update variables, one model's at a time. Stacked models need the same arithmetic
with a learning rate and a step count per member, so here it is written out, in Keras' form and
order of operations: SGD with (Nesterov) momentum (Sutskever et al., 2013), RMSprop (Tieleman and
Hinton, 2012), Adam (Kingma and Ba, 2015, section 2, last paragraph), AdamW's decoupled weight decay
(Loshchilov and Hutter, 2019). Decay is scaled by the learning rate, as in Keras and PyTorch. Read
`update` first.

Shapes: `weight`, `gradient` and every slot (P, ...), a variable of P members; `rate`, `step`,
    `decay` (P, 1, ...).
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

SLOTS = {
    keras.optimizers.SGD: ("momentums",),
    keras.optimizers.RMSprop: ("_velocities", "_momentums"),
    keras.optimizers.Adam: ("_momentums", "_velocities"),
    keras.optimizers.AdamW: ("_momentums", "_velocities"),
}


def update(
    optimizer: Any,
    weight: Any,
    gradient: Any,
    slots: list[Any],
    *,
    rate: Any,
    step: Any,
    decay: Any,
) -> tuple[Any, list[Any]]:
    """Take one step; return the new weight and slots. `step` counts from 1; `decay` None: no weight
    decay."""
    if decay is not None:
        weight = weight - weight * decay * rate
    change, slots = RULES[type(optimizer)](optimizer, gradient, slots, rate, step)
    return weight + change, slots


def _sgd(o: Any, gradient: Any, slots: list[Any], rate: Any, step: Any) -> tuple[Any, list[Any]]:
    if not slots:
        return -gradient * rate, []
    momentum = slots[0] * o.momentum - gradient * rate
    return momentum * o.momentum - gradient * rate if o.nesterov else momentum, [momentum]


def _rmsprop(
    o: Any, gradient: Any, slots: list[Any], rate: Any, step: Any
) -> tuple[Any, list[Any]]:
    velocity = o.rho * slots[0] + (1 - o.rho) * tf.square(gradient)
    increment = rate * gradient / tf.sqrt(velocity + o.epsilon)
    if len(slots) == 1:
        return -increment, [velocity]
    momentum = o.momentum * slots[1] + increment
    return -momentum, [velocity, momentum]


def _adam(o: Any, gradient: Any, slots: list[Any], rate: Any, step: Any) -> tuple[Any, list[Any]]:
    momentum = slots[0] + (gradient - slots[0]) * (1 - o.beta_1)
    velocity = slots[1] + (tf.square(gradient) - slots[1]) * (1 - o.beta_2)
    alpha = (
        rate * tf.sqrt(1 - tf.pow(o.beta_2, step)) / (1 - tf.pow(o.beta_1, step))
    )  # both bias corrections
    return -momentum * alpha / (tf.sqrt(velocity) + o.epsilon), [momentum, velocity]


RULES = {
    keras.optimizers.SGD: _sgd,
    keras.optimizers.RMSprop: _rmsprop,
    keras.optimizers.Adam: _adam,
    keras.optimizers.AdamW: _adam,
}


class FlatUpdate:
    """One optimizer step for all of a model's weights, end to end in one vector: a dozen operations
    instead of a dozen each.

    Inside a traced loop the slots stay flat: `read` them before it, `apply` gradients in it,
    `write` them back after it.
    """

    def __init__(self, model: keras.Model):
        self.optimizer, self.weights = model.optimizer, model.trainable_variables
        self.shapes = [tf.shape(v.value) for v in self.weights]
        self.sizes = [tf.size(v.value) for v in self.weights]
        self.sparse: set[int] = (
            set()
        )  # weights with sparse gradients (embeddings), which Keras updates in its own way

    def read(self) -> list[tf.Tensor]:
        """Lay out the optimizer's slots: a vector for each kind."""
        return [
            tf.concat([tf.reshape(v.value, [-1]) for v in kind], 0)
            for kind in slot_variables(self.optimizer)
        ]

    def write(self, slots: list[tf.Tensor]) -> None:
        """Put the slots back into the optimizer's variables."""
        for kind, flat in zip(slot_variables(self.optimizer), slots, strict=True):
            for i, (variable, value) in enumerate(zip(kind, self._apart(flat), strict=True)):
                if i not in self.sparse:
                    variable.value.assign(value)

    def apply(self, gradients: list[Any], slots: list[tf.Tensor]) -> list[tf.Tensor]:
        """Take a step along gradients, of which those that are None change nothing; return the new
        slots."""
        o = self.optimizer
        connected = [v for v, g in zip(self.weights, gradients, strict=True) if g is not None]
        o._apply_weight_decay(connected)
        for i, (variable, gradient) in enumerate(zip(self.weights, gradients, strict=True)):
            if isinstance(gradient, tf.IndexedSlices):
                self.sparse.add(i)
                o.update_step(gradient, variable.value, o.learning_rate)
        gradients = [None if i in self.sparse else g for i, g in enumerate(gradients)]
        flat = tf.concat(
            [
                tf.zeros([n]) if g is None else tf.reshape(g, [-1])
                for g, n in zip(gradients, self.sizes, strict=True)
            ],
            0,
        )
        rate, step = tf.cast(o.learning_rate, tf.float32), tf.cast(o.iterations + 1, tf.float32)
        change, slots = RULES[type(o)](o, flat, slots, rate, step)
        for variable, gradient, value in zip(
            self.weights, gradients, self._apart(change), strict=True
        ):
            if gradient is not None:
                variable.value.assign_add(value)
        o.iterations.value.assign_add(1)
        return slots

    def _apart(self, flat: tf.Tensor) -> list[tf.Tensor]:
        parts = tf.split(flat, tf.stack(self.sizes), num=len(self.sizes))
        return [tf.reshape(part, shape) for part, shape in zip(parts, self.shapes, strict=True)]


def has_rule(model: keras.Model) -> bool:
    """Tell whether a rule does all that a model's optimizer does: no clipping, averaging,
    accumulation, constraint."""
    optimizer = model.optimizer
    extras = (
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "use_ema",
        "gradient_accumulation_steps",
        "loss_scale_factor",
        "amsgrad",
        "centered",
    )
    plain = all(v.constraint is None and v.dtype == "float32" for v in model.trainable_variables)
    return (
        type(optimizer) in RULES
        and plain
        and not any(getattr(optimizer, name, None) for name in extras)
    )


def slot_variables(optimizer: Any) -> list[list[Any]]:
    """List a built optimizer's slots; each holds a variable for every trainable variable of its
    model."""
    return [getattr(optimizer, name) for name in SLOTS[type(optimizer)] if getattr(optimizer, name)]
