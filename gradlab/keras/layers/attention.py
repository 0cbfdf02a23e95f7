"""Attention: each place of a sequence asks, all places answer, and the fitting answers count most.

A query is compared with every key; softmax makes weights of the comparisons, and the result is the
mean of the values with these weights.

Sources: Bahdanau and others (2015); Vaswani and others (2017), several heads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import constraints, initializers, masks, regularizers
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.regularization import Dropout, checked_rate
from gradlab.keras.layers.shapes import is_shape, shape_of
from gradlab.ops.activations import softmax
from gradlab.ops.arithmetic import where
from gradlab.ops.elementary import tanh
from gradlab.ops.linear import matmul
from gradlab.ops.reductions import reduce_sum
from gradlab.ops.shaping import expand_dims, reshape, swapaxes, transpose
from gradlab.tape import compute

NEVER = -1e9  # the score of a place that does not count: softmax gives it the weight 0


def joined(*shapes_and_masks: Any, causal: bool = False) -> np.ndarray:
    """Return which place may look at which: (batch, queries, keys), or less if that is enough.

    Args:
        shapes_and_masks: the numbers of queries and keys, then masks that are (batch, queries, 1),
            (batch, 1, keys) or (batch, queries, keys), or None.
        causal: no place looks at a later one.

    >>> joined(2, 3, causal=True)
    array([[ True, False, False],
           [ True,  True, False]])
    """
    queries, keys, *given = shapes_and_masks
    allowed = np.tri(queries, keys, dtype=bool) if causal else np.ones((1, 1), bool)
    for mask in given:
        if mask is not None:
            allowed = allowed & np.asarray(mask).astype(bool)
    return allowed


def _row(mask: Any) -> Any:
    """Return the mask of the keys as (batch, 1, keys)."""
    return None if mask is None else compute(np.expand_dims, mask, 1)


def _column(mask: Any) -> Any:
    """Return the mask of the queries as (batch, queries, 1)."""
    return None if mask is None else compute(np.expand_dims, mask, 2)


class Attention(Layer):
    """Attention of queries to values: softmax(query key') value.

    Args:
        use_scale: multiply the scores by a number that is learnt.
        score_mode: "dot" for the dot product of query and key; "concat" for the sum of
            tanh(query + key), times a number that is learnt.
        dropout: the share of the weights that is dropped in training.
        seed: for dropout of its own.

    Call arguments:
        inputs: a list of the queries (batch, queries, size), the values (batch, keys, size), and
            the keys, of the shape of the values; without them the values are the keys.
        mask: a list of two masks, of the queries and the values.
        return_attention_scores: give the weights, too.
        use_causal_mask: no place looks at a later one.

    Raises:
        ShapeError: anything but two or three sequences that fit.

    A query that fits the first key much better than the second:

    >>> query, value = np.array([[[10.0, 0.0]]]), np.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> Attention()([query, value]).round(3)
    array([[[1., 0.]]], dtype=float32)

    Source: Luong and others (2015), "dot"; Bahdanau and others (2015), "concat".
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"Attention: score_mode={score_mode!r}\nexpected 'dot' or 'concat'\n"
                "write Attention() for dot products"
            )
        self.use_scale, self.score_mode = use_scale, score_mode
        self.dropout, self.seed = checked_rate(self, dropout, "dropout"), seed
        self.scale: Any = None
        self.concat_score_weight: Any = None
        self._dropping = Dropout(self.dropout, seed=seed)

    def build(self, input_shape: Any) -> None:
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def check_input(self, shape: Any) -> None:
        several = isinstance(shape, list | tuple) and not is_shape(shape) and len(shape) in (2, 3)
        fits = several and all(len(s) == 3 for s in shape)
        if fits:
            query, value, key = (*shape, shape[1])[:3]
            fits = query[-1] == key[-1] and value[1] == key[1]
        if not fits:
            raise ShapeError(
                f"{self.name}: inputs of shapes {shape}\n"
                "expected [query, value] or [query, value, key]: (batch, places, size), with as "
                "many keys as values, of the size of the queries\n"
                "write Attention()([x, x]) for attention of a sequence to itself"
            )

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value, key = (*inputs, inputs[1])[:3]
        of_query, of_value = (*(mask or ()), None, None)[:2]
        scores = self._scores(query, key)
        if of_value is not None or use_causal_mask:
            sizes = scores.shape[-2:]
            allowed = compute(_allowed, *sizes, _row(of_value), use_causal_mask)
            scores = where(allowed, scores, scores + NEVER)
        weights = self._dropping(softmax(scores), training=training)
        output = matmul(weights, value)
        if of_query is not None:
            output = where(_column(of_query), output, 0.0 * output)
        return (output, weights) if return_attention_scores else output

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = matmul(query, swapaxes(key, -1, -2))
            return scores * self.scale if self.use_scale else scores
        sums = expand_dims(query, -2) + expand_dims(key, -3)
        sums = sums * self.scale if self.use_scale else sums
        return self.concat_score_weight * reduce_sum(tanh(sums), axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[0][:-1], input_shape[1][-1])

    def _expected(self, args: Any, kwargs: dict[str, Any]) -> Any:
        output = super()._expected(args, kwargs)
        if not kwargs.get("return_attention_scores"):
            return output
        query, value = args[0][:2]
        return output, self._symbol((*query.shape[:-1], value.shape[1]))

    def get_config(self) -> dict[str, Any]:
        names = ("use_scale", "score_mode", "dropout", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _allowed(queries: int, keys: int, mask: Any, causal: bool) -> np.ndarray:
    return joined(queries, keys, mask, causal=causal)


class Projection(Layer):
    """A dense layer from some of the last axes to others: of a size to (heads, size), and back.

    Args:
        before: how many axes are multiplied.
        sizes: of the axes that take their place.
        settings: initializers, regularizers and constraints of kernel and bias.
        use_bias: whether there is a bias.
    """

    def __init__(
        self, before: int, sizes: tuple[int, ...], settings: dict[str, Any], use_bias: bool, **more
    ) -> None:
        super().__init__(**more)
        self.before, self.sizes, self.use_bias = before, sizes, use_bias
        self.settings = settings
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        shape = (*input_shape[-self.before :], *self.sizes)
        self.kernel = self.add_weight(shape, **self._of("kernel"), name="kernel")
        if self.use_bias:
            self.bias = self.add_weight(self.sizes, **self._of("bias"), name="bias")

    def _of(self, part: str) -> dict[str, Any]:
        kinds = ("initializer", "regularizer", "constraint")
        return {kind: self.settings[f"{part}_{kind}"] for kind in kinds}

    def call(self, inputs: Any) -> Any:
        front = inputs.shape[: -self.before]
        n, m = math.prod(inputs.shape[-self.before :]), math.prod(self.sizes)
        rows = reshape(inputs, (math.prod(front), n))
        z = reshape(matmul(rows, reshape(self.kernel, (n, m))), (*front, *self.sizes))
        return z + self.bias if self.use_bias else z


class MultiHeadAttention(Layer):
    """Attention several times side by side, each head with queries, keys and values of its own.

    head = softmax(q k' / sqrt(key_dim)) v, where q, k and v are dense layers of query, key and
    value; a last dense layer puts the heads together.

    Args:
        num_heads: how many.
        key_dim: the size of a head's queries and keys.
        value_dim: the size of its values; that of the keys by default.
        dropout: the share of the weights that is dropped in training.
        use_bias: whether the dense layers have biases.
        output_shape: the sizes of the result; that of the query by default.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint: for all dense layers.
        seed: for dropout of its own.

    Call arguments:
        query: (batch, queries, size).
        value: (batch, keys, size).
        key: like ``value``, which it is by default.
        attention_mask: (batch, queries, keys), False where a query may not look.
        query_mask, value_mask, key_mask: (batch, places), False for those that do not count.
        return_attention_scores: give the weights, too: (batch, heads, queries, keys).
        use_causal_mask: no place looks at a later one.

    Raises:
        ShapeError: inputs that are not sequences, or as many keys as values.
        ValueError: sizes below 1.

    >>> layer = MultiHeadAttention(num_heads=2, key_dim=4)
    >>> x = np.ones((3, 10, 8))
    >>> layer(x, x).shape, layer.count_params()
    ((3, 10, 8), 288)

    Source: Vaswani and others (2017), 3.2.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        seed: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        value_dim = key_dim if value_dim is None else value_dim
        sizes = {"num_heads": num_heads, "key_dim": key_dim, "value_dim": value_dim}
        for name, value in sizes.items():
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(
                    f"MultiHeadAttention: {name}={value!r}\nexpected a whole number, at least 1\n"
                    "write MultiHeadAttention(num_heads=8, key_dim=64)"
                )
        if attention_axes not in (None, 1, -2, (1,), [1]):
            raise ValueError(
                f"MultiHeadAttention: attention_axes={attention_axes!r}\n"
                "expected sequences, (batch, places, size), where it is 1\n"
                "write keras.layers.Reshape((-1, size)) for images before it"
            )
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim
        self.dropout = checked_rate(self, dropout, "dropout")
        self.use_bias, self.seed = use_bias, seed
        single = isinstance(output_shape, int | np.integer)
        self.output_sizes: Any = (output_shape,) if single else output_shape and tuple(output_shape)
        self.settings = {
            "kernel_initializer": initializers.get(kernel_initializer),
            "bias_initializer": initializers.get(bias_initializer),
            "kernel_regularizer": regularizers.get(kernel_regularizer),
            "bias_regularizer": regularizers.get(bias_regularizer),
            "kernel_constraint": constraints.get(kernel_constraint),
            "bias_constraint": constraints.get(bias_constraint),
        }
        self.penalty = regularizers.get(activity_regularizer)  # of the dense layers
        self._dropping = Dropout(self.dropout, seed=seed)

    def build(self, input_shape: Any) -> None:
        """Make the weights.

        Args:
            input_shape: a list of the shapes of query, value and key; or one, which all have.
        """
        query, value, key = [input_shape] * 3 if is_shape(input_shape) else input_shape
        self._check(query, value, key)
        heads, size = self.num_heads, self.key_dim
        self.query_dense = self._projection("query", 1, (heads, size), query)
        self.key_dense = self._projection("key", 1, (heads, size), key)
        self.value_dense = self._projection("value", 1, (heads, self.value_dim), value)
        sizes = self.output_sizes or query[-1:]
        inner = (*query[:-1], heads, self.value_dim)
        self.output_dense = self._projection("attention_output", 2, sizes, inner)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes for which the weights were made, for files."""
        if self._built_for is None:
            return None
        shapes = [self._built_for] * 3 if is_shape(self._built_for) else self._built_for
        names = ("query_shape", "value_shape", "key_shape")
        return {"shapes_dict": dict(zip(names, shapes, strict=True))}

    def _projection(self, name: str, before: int, sizes: tuple[int, ...], shape: Any) -> Projection:
        more = {"activity_regularizer": self.penalty, "dtype": self.dtype, "name": name}
        made = Projection(before, sizes, self.settings, self.use_bias, **more)
        made.build(shape)
        return made

    def _check(self, query: Any, value: Any, key: Any) -> None:
        shapes = (query, value, key)
        if any(len(s) != 3 or s[-1] is None for s in shapes) or value[1] != key[1]:
            raise ShapeError(
                f"{self.name}: query, value and key of shapes {query}, {value}, {key}\n"
                "expected (batch, places, size), sizes known, and as many keys as values\n"
                "write layer(x, x) for attention of a sequence to itself"
            )

    def __call__(self, query: Any, value: Any, key: Any = None, **more: Any) -> Any:
        """Apply the layer; see its call arguments."""
        key = value if key is None else key
        shapes = [shape_of(x) for x in (query, value, key)]
        self.build_once(shapes)
        self._check(*shapes)
        return super().__call__(query, value, key, **more)

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        of_query, of_value, of_key = (
            masks.found(x) if mask is None else mask
            for x, mask in ((query, query_mask), (value, value_mask), (key, key_mask))
        )
        q, k = self.query_dense(query), self.key_dense(value if key is None else key)
        q, k = (transpose(x, (0, 2, 1, 3)) for x in (q, k))  # (batch, heads, places, size)
        v = transpose(self.value_dense(value), (0, 2, 1, 3))
        scores = matmul(q / math.sqrt(self.key_dim), swapaxes(k, -1, -2))
        given = (_column(of_query), _row(of_value), _row(of_key), attention_mask)
        if use_causal_mask or any(mask is not None for mask in given):
            allowed = compute(_for_heads, *scores.shape[-2:], *given, use_causal_mask)
            scores = where(allowed, scores, NEVER)
        weights = softmax(scores)
        output = matmul(self._dropping(weights, training=training), v)
        output = self.output_dense(transpose(output, (0, 2, 1, 3)))
        return (output, weights) if return_attention_scores else output

    def get_config(self) -> dict[str, Any]:
        names = ("num_heads", "key_dim", "value_dim", "dropout", "use_bias", "seed")
        config = {**super().get_config(), **{name: getattr(self, name) for name in names}}
        config["output_shape"] = self.output_sizes
        config["activity_regularizer"] = regularizers.serialize(self.penalty)
        for module in (initializers, regularizers, constraints):
            for part in ("kernel", "bias"):
                name = f"{part}_{module.__name__.rpartition('.')[2][:-1]}"
                config[name] = module.serialize(self.settings[name])
        return config


def _for_heads(queries: int, keys: int, *given: Any) -> np.ndarray:
    """Return the joined masks with an axis for the heads."""
    *masks, causal = given
    allowed = joined(queries, keys, *masks, causal=causal)
    return allowed[:, np.newaxis] if allowed.ndim == 3 else allowed
