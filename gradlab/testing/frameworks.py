"""Functions and layers of PyTorch, JAX and Keras as pairs (f, vjp) on NumPy arrays.

A framework is imported when one of its own objects is to be checked, and never before.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.testing.adapters import Pair, input_names, named, split


def torch_function(F: Callable[..., Any]) -> Pair:
    """A PyTorch function, or an `autograd.Function` class, as a pair of functions on NumPy arrays.

    The arrays keep their dtype; an argument that F does not use has the gradient 0.

    >>> import torch  # doctest: +SKIP
    >>> f, vjp = torch_function(torch.tanh)  # doctest: +SKIP
    >>> vjp(np.array([1.0]), np.array([0.0]))  # doctest: +SKIP
    (array([1.]),)

    Raises:
        ImportError: PyTorch is not installed.
    """
    torch = _framework("torch", "torch_function")
    call: Any = F
    if isinstance(F, type) and issubclass(F, torch.autograd.Function):
        call = F.apply

    def tensors(args: Sequence[Any]) -> list[Any]:
        return [torch.from_numpy(np.array(a, order="C")) for a in args]  # negative strides refused

    def f(*args: Any) -> Any:
        return _one_array("PyTorch", call(*tensors(args)), torch.Tensor).detach().cpu().numpy()

    def vjp(g: Any, *args: Any) -> tuple[np.ndarray, ...]:
        leaves = [t.requires_grad_(t.is_floating_point()) for t in tensors(args)]
        wanted = [t for t in leaves if t.requires_grad]
        y = _one_array("PyTorch", call(*leaves), torch.Tensor)
        found = map(torch.zeros_like, wanted)
        if y.requires_grad:
            cotangent = torch.from_numpy(np.array(g, order="C")).to(y)
            found = iter(torch.autograd.grad(y, wanted, cotangent, materialize_grads=True))
        return tuple(
            next(found).cpu().numpy() if t.requires_grad else _zeros(t.numpy()) for t in leaves
        )

    return Pair(_like(F, f), vjp)


def torch_module(m: Any) -> Pair:
    """A PyTorch module as a pair; its parameters are the arguments after its inputs.

    Parameters and buffers take part in the widest dtype among the arguments: called with float64
    inputs, a float32 module is checked in float64. The module itself is not changed; put one with
    Dropout into .eval(), as a gradient of random numbers cannot be checked.

    >>> import torch  # doctest: +SKIP
    >>> pair = torch_module(torch.nn.Linear(3, 2))  # doctest: +SKIP
    >>> gradcheck(pair.f, x, *pair.parameters, vjp=pair.vjp)  # doctest: +SKIP

    Raises:
        ImportError: PyTorch is not installed.
    """
    torch = _framework("torch", "torch_module")
    held = {name: p.detach().cpu() for name, p in m.named_parameters()}
    inputs = input_names(m.forward)

    def call(*args: Any) -> Any:
        values = split(type(m).__name__, args, len(inputs), list(held.values()))
        floats = [t.dtype for t in args if t.is_floating_point()]
        dtype = functools.reduce(torch.promote_types, floats) if floats else None

        def cast(t: Any) -> Any:
            return t.to(dtype) if t.is_floating_point() else t

        state = {name: cast(b.detach()).clone() for name, b in m.named_buffers()}
        state |= {name: cast(value) for name, value in zip(held, values, strict=True)}
        return torch.func.functional_call(m, state, tuple(map(cast, args[: len(inputs)])))

    f, vjp = torch_function(call)
    names = (*inputs, *held)
    f = named(f, type(m).__name__, names)
    return Pair(f, vjp, tuple(p.numpy() for p in held.values()), names)


def jax_function(f: Callable[..., Any]) -> Pair:
    """A JAX function as a pair of functions on NumPy arrays; float64 stays float64.

    >>> import jax  # doctest: +SKIP
    >>> check = jax_function(jax.nn.gelu)  # doctest: +SKIP
    >>> gradcheck(check.f, np.array([0.5]), vjp=check.vjp)  # doctest: +SKIP

    Raises:
        ImportError: JAX is not installed.
    """
    jax = _framework("jax", "jax_function")
    if hasattr(jax, "enable_x64"):
        wide = jax.enable_x64
    else:  # its place before JAX 0.8
        wide = importlib.import_module("jax.experimental").enable_x64

    def value(*args: Any) -> Any:
        with wide(True):
            return np.array(_one_array("JAX", f(*map(jax.numpy.asarray, args)), jax.Array))

    def vjp(g: Any, *args: Any) -> tuple[np.ndarray, ...]:
        with wide(True):
            y, pull = jax.vjp(f, *map(jax.numpy.asarray, args))
            found = pull(jax.numpy.asarray(g, _one_array("JAX", y, jax.Array).dtype))
            return tuple(
                _zeros(a) if d.dtype == jax.dtypes.float0 else np.array(d)
                for a, d in zip(args, found, strict=True)
            )

    return Pair(_like(f, value), vjp)


def keras_layer(layer: Any, **call: Any) -> Pair:
    """A built Keras 3 layer or model as a pair; its trainable weights follow the inputs.

    Args:
        layer: built, and of dtype="float64" for the sharpest check; on any backend.
        **call: for its call, such as training=True.

    >>> layer = keras.layers.Dense(2, dtype="float64")  # doctest: +SKIP
    >>> layer.build((None, 3))  # doctest: +SKIP
    >>> keras_layer(layer).names  # doctest: +SKIP
    ('inputs', 'dense/kernel', 'dense/bias')

    Raises:
        ImportError: Keras is not installed.
        ValueError: the layer is not built, so it has no weights yet.
    """
    keras = _framework("keras", "keras_layer")
    if not layer.built:
        raise ValueError(
            f"keras_layer: {layer.name} is not built\n"
            f"expected a layer that has its weights\nwrite layer.build(shape), or call it once"
        )
    inputs = input_names(layer.call)
    held = tuple(np.array(keras.ops.convert_to_numpy(v)) for v in layer.trainable_variables)

    def stateless(*args: Any) -> Any:
        trainable = list(split(layer.name, args, len(inputs), held))
        frozen = [v.value for v in layer.non_trainable_variables]
        return layer.stateless_call(trainable, frozen, *args[: len(inputs)], **call)[0]

    adapters = {"jax": jax_function, "torch": torch_function, "tensorflow": _tensorflow_function}
    f, vjp = adapters[keras.backend.backend()](stateless)
    names = (*inputs, *(v.path for v in layer.trainable_variables))
    return Pair(named(f, layer.name, names), vjp, held, names)


def _tensorflow_function(f: Callable[..., Any]) -> Pair:
    tf = _framework("tensorflow", "keras_layer")

    def value(*args: Any) -> Any:
        return _one_array("TensorFlow", f(*map(tf.constant, args)), tf.Tensor).numpy()

    def vjp(g: Any, *args: Any) -> tuple[np.ndarray, ...]:
        leaves = [tf.constant(a) for a in args]
        with tf.GradientTape() as tape:
            tape.watch([t for t in leaves if t.dtype.is_floating])
            y = _one_array("TensorFlow", f(*leaves), tf.Tensor)
        found = tape.gradient(y, leaves, tf.cast(g, y.dtype))
        return tuple(_zeros(t.numpy()) if d is None else np.array(d) for t, d in zip(leaves, found))

    return Pair(value, vjp)


def _like(original: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """f under the name of the original, whose signature tells reports what the arguments are."""
    return functools.wraps(original, assigned=("__name__",), updated=())(f)


def _framework(name: str, caller: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{caller}: {name} cannot be imported ({error})\n"
            f"expected it to be installed\nwrite pip install {name}"
        ) from error


def _one_array(framework: str, value: Any, kind: type) -> Any:
    if isinstance(value, kind):
        return value
    raise TypeError(
        f"the {framework} function returned {type(value).__name__}\n"
        f"expected one {kind.__name__}\nwrite a function that returns one of its results"
    )


def _zeros(a: Any) -> np.ndarray:
    a = np.asarray(a)
    return np.zeros(a.shape, a.dtype if a.dtype.kind == "f" else float)
