"""Uniform random numbers, many seeds at once, bit for bit those of `tf.random.stateless_uniform`.

TensorFlow draws for one seed per call, and draws other numbers under XLA; models trained together
need a dropout mask each, the same masks as `model.fit` would draw for them. So here is its
generator, Philox-4x32-10 (Salmon, Moraes,
Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011, section 3.3), as plain tensor
arithmetic: four words of a counter are mixed with two words of a key in ten rounds. Read `uniform`
    first.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85  # added to the key after every round
SCRAMBLE = (
    0x3EC8F720,
    0x02461E29,
)  # the key with which TensorFlow turns a seed into a key and a counter


def uniform(seed: Any, shape: tuple[int, ...]) -> tf.Tensor:
    """Draw float32 numbers of `shape` in [0, 1) from `seed`, (2,) of integers in 0..2**31 - 1."""
    n = 1
    for size in shape:
        n *= size
    zero = _word(0)
    seed = tf.cast(seed, tf.uint32)
    key = _philox((seed[0], zero, seed[1], zero), (_word(SCRAMBLE[0]), _word(SCRAMBLE[1])))
    block = tf.cast(tf.range(-(-n // 4)), tf.uint32)  # (n/4,) one counter for every four numbers
    zeros = tf.zeros_like(block)
    words = tf.stack(
        _philox((block, zeros, zeros + key[2], zeros + key[3]), (key[0], key[1])), axis=-1
    )  # (n/4, 4)
    bits = tf.reshape(words, [-1])[:n] & _word(2**23 - 1)
    return tf.reshape(tf.cast(bits, tf.float32) * 2.0**-23, shape)


def _philox(counter: tuple[Any, ...], key: tuple[Any, Any]) -> tuple[Any, ...]:
    a, b, c, d = counter
    for _ in range(10):
        high_a, low_a = _multiply(MULTIPLIERS[0], a)
        high_c, low_c = _multiply(MULTIPLIERS[1], c)
        a, b, c, d = high_c ^ b ^ key[0], low_c, high_a ^ d ^ key[1], low_a
        key = key[0] + _word(WEYL[0]), key[1] + _word(WEYL[1])
    return a, b, c, d


def _multiply(a: int, b: Any) -> tuple[Any, Any]:
    """Multiply 32-bit words; return the upper and the lower half of the 64-bit product."""
    product = tf.cast(b, tf.uint64) * tf.constant(a, tf.uint64)
    return tf.cast(tf.bitwise.right_shift(product, tf.constant(32, tf.uint64)), tf.uint32), tf.cast(
        product, tf.uint32
    )


def _word(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
