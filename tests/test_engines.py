"""The two engines: NumPy semantics with gradients, deep graphs, and errors that teach."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gradlab as gl
from gradlab import tape
from gradlab.entry import case
from gradlab.primitive import (
    composed,
    primitive,
)

DEEP = 100_000


# ------------------------------------------------------------------------------------- the sweep


def test_gradients_add_where_paths_join():
    a = gl.Value(3.0)
    b = a + a
    c = b * b + a
    c.backward()
    assert (a.grad, b.grad, c.grad) == (25.0, 12.0, 1.0)


def test_leaves_accumulate_and_nodes_between_do_not():
    x = gl.Tensor([1.0, 2.0])
    y = x * 3.0
    y.sum().backward()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0, 6.0])
    np.testing.assert_array_equal(y.grad, [1.0, 1.0])
    x.zero_grad()
    assert x.grad is None


def test_a_leaf_owns_its_gradient():
    a, b = gl.Tensor([1.0, 2.0]), gl.Tensor([3.0, 4.0])
    (a + b).sum().backward()
    a.grad *= 10.0
    np.testing.assert_array_equal(b.grad, [1.0, 1.0])


def test_an_error_on_the_way_back_leaves_every_gradient_as_it_was():
    @primitive(formula="x")
    def fragile(x):
        return x

    @fragile.partial("x")
    def fragile_slope(x):
        return 1.0 / (x - 2.0)

    x = gl.Value(2.0)
    between = x * 3.0
    between.backward()
    with pytest.raises(ZeroDivisionError) as caught:
        (between + fragile(x)).backward()
    assert (x.grad, between.grad) == (3.0, 1.0)
    assert "slope = x_rule(x_data)" in str(caught.getrepr())  # the written text can be read


def test_a_rule_may_go_back_through_a_graph_of_its_own():
    w = gl.Tensor([1.0, 2.0])

    @primitive(signature="(n)->(n)", cases=[case((2,))])
    def through(x):
        return x * x

    @through.vjp("x")
    def through_x(g, x):
        (w * g).sum().backward()
        return 2.0 * g * x

    (through(w) * 3.0 + w).sum().backward()
    np.testing.assert_array_equal(w.grad, [3.0 + 7.0, 3.0 + 13.0])


def test_threads_may_share_weights():
    w = gl.Tensor(np.zeros(4))
    losses = [(gl.tanh(w) * float(n)).sum() for n in range(1, 41)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(gl.Tensor.backward, losses))
    np.testing.assert_array_equal(w.grad, np.full(4, 820.0))


def test_no_grad_and_groups_are_of_one_thread():
    with gl.no_grad(), gl.group("here"), ThreadPoolExecutor(1) as threads:
        x = threads.submit(gl.Value, 1.0).result()
        y = threads.submit(lambda: x * x).result()
        assert (x.group, y.group, len(y.inputs)) == (None, None, 2)
        assert (x * x).inputs == ()


@pytest.mark.parametrize("engine", [gl.Value, gl.Tensor])
def test_signs_keep_a_class_of_ones_own(engine):
    class Weight(engine):
        __slots__ = ()

    w, x = Weight(2.0), engine(3.0)
    y = w * w + 1.0
    assert (type(y), type(x * x), float(y)) == (Weight, engine, 5.0)
    y.backward()
    assert float(w.grad) == 4.0


def test_flat_functions_give_zero_and_unused_leaves_none():
    x, unused = gl.Value(0.3), gl.Value(1.0)
    gl.step(x).backward()
    assert x.grad == 0.0
    assert unused.grad is None


def test_no_grad_and_detach_forget():
    x = gl.Tensor([2.0])
    with gl.no_grad():
        y = x * x
    assert y.op is None
    assert tape.is_recording()
    z = (x * x).detach() * x
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, [4.0])


def test_any_order_on_both_engines():
    x = gl.Value(0.7)
    node, expected = gl.sin(x), [math.cos(0.7), -math.sin(0.7), -math.cos(0.7), math.sin(0.7)]
    for value in expected:
        x.zero_grad()
        node.backward(create_graph=True)
        node = x.grad
        assert math.isclose(node.data, value, rel_tol=1e-12)
    f = gl.sin
    for _ in range(4):
        f = gl.elementwise_grad(f)
    np.testing.assert_allclose(f(np.array([0.7, 0.1])), np.sin([0.7, 0.1]))


@pytest.mark.parametrize("engine", [gl.Value, gl.Tensor])
def test_a_deep_chain_is_computed_differentiated_and_freed(engine):
    x = engine(1.0)
    y = x
    for _ in range(DEEP):
        y = y * 1.0
    y.backward()
    assert float(x.grad) == 1.0
    freed = weakref.ref(y.inputs[0])
    del y
    assert freed() is None, "the graph must go with its last reference, without the collector"


def test_a_deep_chain_with_graph_is_freed_too():
    x = gl.Value(1.0)
    y = x
    for _ in range(DEEP // 10):
        y = gl.sin(y)
    y.backward(create_graph=True)
    freed = weakref.ref(y)
    del x, y
    gc.collect()  # a traced gradient holds its graph in a cycle, which the collector takes
    assert freed() is None


# ------------------------------------------------------------------------------ NumPy on Tensors


def test_numpy_functions_operators_and_arrays_on_either_side():
    a, t = np.array([[1.0, 2.0], [3.0, 4.0]]), gl.Tensor([[0.5, -1.0], [2.0, 0.1]])
    for y, expected in [
        (np.sin(t), np.sin(t.data)),
        (a @ t, a @ t.data),
        (t @ a, t.data @ a),
        (a * t, a * t.data),
        (a - t, a - t.data),
        (np.float64(2.0) * t, 2.0 * t.data),
        (2.0**t, 2.0**t.data),
        (np.sum(t, axis=0), t.data.sum(0)),
        (np.max(t, axis=1, keepdims=True), t.data.max(1, keepdims=True)),
        (np.concatenate([t, a]), np.concatenate([t.data, a])),
        (np.stack([t, t], axis=-1), np.stack([t.data, t.data], -1)),
        (np.where(a > 2.0, t, 0.0), np.where(a > 2.0, t.data, 0.0)),
        (np.einsum("ij,kj->ik", t, a), t.data @ a.T),
        (np.tensordot(t, a, axes=1), t.data @ a),
        (np.clip(t, 0.0, 1.0), t.data.clip(0.0, 1.0)),
        (np.reshape(t, (4,)), t.data.reshape(4)),
        (np.add.reduce(t, axis=1), t.data.sum(1)),
        (np.linalg.norm(t), np.linalg.norm(t.data)),
        (np.var(t, axis=0, ddof=1), t.data.var(0, ddof=1)),
        (np.hypot(t, a), np.hypot(t.data, a)),
        (t.T[::-1, None], t.data.T[::-1, None]),
    ]:
        assert isinstance(y, gl.Tensor)
        np.testing.assert_allclose(y.data, expected)
        y.sum().backward()
        assert t.grad.shape == t.shape
    assert np.argmax(t) == 2
    assert (t > 0.0).dtype == bool
    assert np.shape(t) == (2, 2)


def test_numpy_on_a_value():
    x = gl.Value(0.5)
    y = np.float64(3.0) * np.exp(x)
    y.backward()
    assert isinstance(y, gl.Value)
    assert math.isclose(x.grad, 3.0 * math.exp(0.5))


@pytest.mark.parametrize(
    "key",
    [1, -1, slice(1, None), (slice(None), 0), ..., None, [0, 0, 2], np.array([[0, 1], [2, 2]]),
     (np.array([0, 2]), np.array([1, 1])), np.array([True, False, True]),
     (slice(None), [True, False] * 2)],
    ids=str,
)  # fmt: skip
def test_indexing_like_numpy_and_its_gradient(key):
    t = gl.Tensor(np.arange(12.0).reshape(3, 4))
    y = t[key]
    np.testing.assert_array_equal(y.data, t.data[key])
    y.backward(np.ones(y.shape))
    counted = np.zeros((3, 4))
    np.add.at(counted, key, 1.0)
    np.testing.assert_array_equal(t.grad, counted)


def test_dtype_follows_numpy_2():
    t = gl.Tensor(np.ones(3, np.float32))
    assert (t * 2.0 + 1).dtype == np.float32
    assert gl.sigmoid(t).dtype == gl.elu(t, alpha=0.5).dtype == np.float32
    assert (t * np.ones(3)).dtype == np.float64
    (t * np.ones(3)).sum().backward()
    assert t.grad.dtype == np.float32


# ------------------------------------------------------------------------------------- calculus


def test_calculus_on_containers_and_several_arguments():
    def loss(parameters, x):
        return gl.reduce_sum((x @ parameters["W"] + parameters["b"]) ** 2)

    p = {"W": np.ones((2, 3)), "b": np.zeros(3)}
    gp, gx = gl.grad(loss, argnum=(0, 1))(p, np.array([1.0, 2.0]))
    np.testing.assert_allclose(gp["b"], [6.0, 6.0, 6.0])
    np.testing.assert_allclose(gp["W"], [[6.0] * 3, [12.0] * 3])
    np.testing.assert_allclose(gx, [18.0, 18.0])


def test_jacobian_hessian_jvp_hvp_agree():
    W = np.array([[1.0, -2.0, 0.5], [0.3, 0.1, 2.0]])

    def f(x):
        return gl.tanh(W @ x)

    x, v = np.array([0.2, -0.4, 0.1]), np.array([1.0, 2.0, -1.0])
    J = gl.jacobian(f)(x)
    np.testing.assert_allclose(J, (1 - np.tanh(W @ x) ** 2)[:, None] * W)
    np.testing.assert_allclose(gl.jvp(f, (x,), (v,))[1], J @ v)
    np.testing.assert_allclose(gl.vjp(f, x)[1](np.array([1.0, 3.0]))[0], J.T @ [1.0, 3.0])

    def g(x):
        return gl.reduce_sum(f(x) ** 3)

    H = gl.hessian(g)(x)
    np.testing.assert_allclose(H, H.T)
    np.testing.assert_allclose(gl.hvp(g, x, v), H @ v)


def test_nested_grad_is_not_confused_by_an_outer_variable():
    # d/dx [ x * d/dy (x + y) ] at y = 1 is 1: the inner derivative must not see the outer x.
    assert gl.grad(lambda x: x * gl.grad(lambda y: x + y)(1.0))(3.0) == 1.0
    assert gl.grad(lambda x: gl.grad(lambda y: x * x * y)(2.0))(3.0) == 6.0


def test_grad_of_a_function_that_ignores_its_argument_is_zero():
    assert gl.grad(lambda x: 3.0)(1.0) == 0.0
    np.testing.assert_array_equal(gl.grad(lambda x: gl.reduce_sum(x * 0.0 + 1.0))(np.ones(2)), 0.0)


# --------------------------------------------------------------------- your own, in five lines


def test_a_primitive_of_ones_own_works_everywhere():
    @primitive(formula="x ** 3 if x > 0 else 0")
    def ramp(x):
        return x * x * x if x > 0.0 else 0.0

    @ramp.partial("x")
    def ramp_slope(x):
        return gl.where(x > 0.0, 3.0 * x * x, 0.0)

    x = gl.Value(2.0)
    ramp(x).backward()
    assert x.grad == 12.0
    np.testing.assert_array_equal(ramp(np.array([-1.0, 2.0])), [0.0, 8.0])
    assert gl.grad(gl.grad(ramp))(2.0) == 12.0


def test_arguments_may_have_any_name():
    @primitive(formula="node * g + flow / y")
    def awkward(node, g, flow, y):
        return node * g + flow / y

    @awkward.partial("node")
    def slope_node(g):
        return g

    @awkward.partial("g")
    def slope_g(node):
        return node

    @awkward.partial("flow")
    def slope_flow(y):
        return 1.0 / y

    @awkward.partial("y")
    def slope_y(flow, y):
        return -flow / (y * y)

    leaves = [gl.Value(x) for x in (2.0, 3.0, 5.0, 4.0)]
    awkward(*leaves).backward(2.0)
    assert [leaf.grad for leaf in leaves] == [6.0, 4.0, 0.5, -0.625]


def test_a_rule_defined_anew_is_the_rule():
    @primitive(formula="2 * x")
    def twice(x):
        return 2.0 * x

    def always(number):
        return lambda: number

    slopes = []
    for number in (1.0, 2.0):
        twice.partial("x")(always(number))

        x = gl.Value(1.0)
        twice(x).backward()
        slopes.append(x.grad)
    assert slopes == [1.0, 2.0]


def refused(error, text, action):
    with pytest.raises(error, match=text) as caught:
        action()
    message = str(caught.value)
    assert len(message.split("\n")) == 3, f"not three lines:\n{message}"
    return message


def test_what_the_decorator_refuses():
    def wrong_names():
        @primitive(formula="x + q")
        def p(x):
            return x

    def wrong_arity():
        @primitive
        def p(x):
            return x

        @p.partial("x")
        def slope(x, z):
            return z

    def wrong_argument():
        @primitive
        def p(x):
            return x

        p.partial("w")

    def taken():
        @composed(keras="relu")
        def my_relu(x):
            return x

    refused(NameError, "mentions q", wrong_names)
    refused(TypeError, "asks for z", wrong_arity)
    refused(TypeError, "a rule for 'w'", wrong_argument)
    refused(NameError, "relu already answers to the Keras name", taken)

    @primitive
    def unfinished(x):
        return x

    refused(TypeError, "no slope for x", lambda: unfinished(gl.Value(1.0)).backward())


# -------------------------------------------------------------------------- errors that teach


def test_shape_errors_name_the_axes():
    t = gl.Tensor(np.ones((3, 4)))
    text = refused(gl.ShapeError, "do not broadcast", lambda: t + np.ones(3))
    assert "axis -1 has sizes 3 and 4" in text
    text = refused(gl.ShapeError, "do not fit", lambda: t @ np.ones((3, 2)))
    assert "axis 1 of the left has 4 entries, axis 0 of the right 3" in text
    refused(gl.ShapeError, "at least one axis", lambda: gl.matmul(t, 2.0))
    refused(gl.ShapeError, "stacks", lambda: gl.matmul(np.ones((2, 3, 3)), np.ones((4, 3, 3))))
    refused(gl.ShapeError, "holds 12 numbers", lambda: t.reshape(5, 2))
    refused(gl.ShapeError, "along axis 0", lambda: gl.concatenate([t, np.ones((3, 5))]))
    refused(gl.ShapeError, "einsum", lambda: gl.einsum("ij,jk->ik", t, np.ones((3, 2))))
    refused(gl.ShapeError, "tensordot", lambda: gl.tensordot(t, np.ones((3, 2)), axes=1))
    assert t.grad is None
    np.testing.assert_array_equal(t.data, 1.0)


def test_engine_errors():
    t = gl.Tensor(np.ones((2, 2)))
    refused(TypeError, "given int64", lambda: gl.Tensor([1, 2]))
    refused(TypeError, "given int64", lambda: gl.grad(lambda x: gl.reduce_sum(x))(np.array([1, 2])))
    refused(gl.ShapeError, "Tensor of shape", lambda: t.backward())
    refused(gl.ShapeError, r"backward\(cotangent\)", lambda: t.backward(np.ones(2)))
    refused(TypeError, "assignment into a traced Tensor", lambda: t.__setitem__(0, 1.0))
    refused(TypeError, "turned into a plain array", lambda: np.asarray(t))
    refused(TypeError, "np.fft|np.sinc|no slope", lambda: np.sinc(t))
    refused(TypeError, "one number", lambda: gl.Value([1.0, 2.0]))
    refused(TypeError, "a Value is one number", lambda: gl.Value(1.0) * np.ones(2))
    refused(TypeError, "a Value is one number", lambda: gl.softmax(gl.Value(1.0)))
    refused(TypeError, "one number|one engine", lambda: gl.add(t, gl.Value(1.0)))
    refused(gl.DomainError, r"log\(-1\)", lambda: gl.log(gl.Value(-1.0)))
    refused(gl.ShapeError, "returned an array", lambda: gl.grad(lambda x: x * 1.0)(np.ones(2)))
    refused(ValueError, "argnum=1", lambda: gl.grad(lambda x: x, argnum=1)(1.0))
    refused(TypeError, "called as", lambda: gl.relu(1.0, 2.0, 3.0))

    def into_a_plain_array():
        a = np.ones((2, 2))
        a += t

    refused(TypeError, "writes its result into a given array", into_a_plain_array)


def test_label_errors():
    p = np.full((2, 3), 1 / 3)
    loss = gl.sparse_categorical_crossentropy
    refused(ValueError, "label 3 with predictions for 3 classes", lambda: loss(np.array([0, 3]), p))
    refused(ValueError, "label -1", lambda: loss(np.array([0, -1]), p))
    refused(ValueError, "label 0.5", lambda: loss(np.array([0, 0.5]), p))
    refused(gl.ShapeError, "labels of shape", lambda: loss(np.eye(3)[:2], p))
    refused(
        gl.ShapeError, "targets of shape", lambda: gl.categorical_crossentropy(np.array([0, 1]), p)
    )


# -------------------------------------------------------------------------------- fast to import


def test_import_is_light():
    heavy = ["numba", "matplotlib", "hypothesis", "h5py", "rich", "graphviz"]
    code = f"import sys, gradlab; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
