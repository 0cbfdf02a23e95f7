"""Programs: the same bits as the tape, for every row of the table; and what cannot be one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import ELEMENTWISE, OURS, is_smooth

import gradlab as gl
from gradlab.kernels import generated
from gradlab.ops import windows
from gradlab.program import NotRecorded, program, replay
from gradlab.program.seal import Escape, sealed
from gradlab.program.trace import recording
from gradlab.tape import compute
from gradlab.testing.strategies import op_inputs

SLOW = pytest.mark.slow  # Numba compiles for seconds

rng = np.random.default_rng


def same_bits(found, expected):
    """Assert that two trees of arrays are the same, to the last bit, and of the same types."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        return [same_bits(found[key], expected[key]) for key in expected]
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        return [same_bits(*pair) for pair in zip(found, expected, strict=True)]
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(found, expected)


# --------------------------------------------------------------------------------- the whole table


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(n for n, e in OURS.items() if is_smooth(e)))
@settings(max_examples=2)
@given(data=st.data())
def test_every_row_has_the_bits_of_the_tape(name, dtype, data):
    call = data.draw(op_inputs(OURS[name], interesting=False))
    arrays = [a.astype(dtype) for a in call.arrays]
    weight = np.linspace(0.5, 1.5, np.size(call(*arrays))).reshape(np.shape(call(*arrays)))
    weight = weight.astype(dtype)

    def total(*arrays):
        return (call(*arrays) * weight).sum()

    both = gl.value_and_grad(total, tuple(range(len(arrays))))
    fast = program(both)
    with np.errstate(all="ignore"):
        same_bits(fast(*arrays), both(*arrays))
        again = [a[...] * 0.99 for a in arrays]
        same_bits(fast(*again), both(*again))
    assert fast.programs


# ------------------------------------------------------------------------------------- a program


def scores(p, x):
    return gl.relu(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def network(p, x, y):
    """The cross-entropy of a small classifier, from its scores."""
    return gl.sparse_categorical_crossentropy(y, scores(p, x), from_logits=True).mean()


def with_softmax(p, x, y):
    return gl.sparse_categorical_crossentropy(y, gl.softmax(scores(p, x))).mean()


def parameters(dtype="float32"):
    sizes = {"W1": (7, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
    return {name: rng(1).normal(size=size).astype(dtype) for name, size in sizes.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_has_the_bits_of_the_tape(dtype):
    both = gl.value_and_grad(network)
    fast, p = program(both), parameters(dtype)
    for rows in (4, 1, 4, 9):
        x, y = rng(rows).normal(size=(rows, 7)).astype(dtype), rng(rows).integers(0, 3, rows)
        same_bits(fast(p, x, y), both(p, x, y))
        same_bits(fast(p, -x, y[::-1]), both(p, -x, y[::-1]))
    assert len(fast.programs) == 3


def test_results_are_the_callers():
    fast = program(gl.grad(network))
    first = fast(parameters(), np.ones((2, 7), "f4"), np.array([0, 1]))
    kept = {name: g.copy() for name, g in first.items()}
    fast(parameters(), np.zeros((2, 7), "f4"), np.array([2, 1]))
    same_bits(first, kept)


def test_errors_of_the_data_come_at_every_run():
    fast = program(gl.grad(network))
    fast(parameters(), np.ones((2, 7), "f4"), np.array([0, 1]))
    with pytest.raises(ValueError, match="label 3"):
        fast(parameters(), np.ones((2, 7), "f4"), np.array([0, 3]))


def test_second_derivatives_are_programs_too():
    slope = gl.grad(gl.grad(lambda x: gl.tanh(x) * x))
    same_bits(program(slope)(np.array(0.7)), np.asarray(slope(np.array(0.7))))


def test_tensors_from_elsewhere_are_looked_up_at_each_call():
    W = gl.Tensor([2.0, 3.0])
    fast = program(lambda x: (W * x).sum())
    assert fast(np.ones(2)) == 5.0
    W.data[...] = [5.0, 5.0]
    assert fast(np.ones(2)) == 10.0


def test_numbers_and_texts_are_part_of_the_program():
    def scaled(x, factor, way):
        return x * factor if way == "up" else x / factor

    fast = program(scaled)
    x = np.array([1.0, 2.0])
    same_bits([fast(x, 2.0, "up"), fast(x, 4.0, "up"), fast(x, 2.0, "down")], [2 * x, 4 * x, x / 2])
    assert len(fast.programs) == 3


@pytest.mark.parametrize("kernels", [False, pytest.param(True, marks=SLOW)])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_the_softmax_goes_along_its_axis(axis, kernels):
    x, g = np.random.default_rng(0).normal(size=(2, 3, 4))

    def both(x, g):
        y, pull = gl.vjp(lambda x: gl.softmax(x, axis=axis), x)
        return y, pull(g)[0], gl.grad(lambda x: gl.log(gl.softmax(x, axis=axis)).sum())(x)

    for found, expected in zip(program(both, kernels=kernels)(x, g), both(x, g), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_tensor_made_of_others_than_the_arguments_is_no_constant():
    W = gl.Tensor([[2.0]])

    def twice(x):
        with gl.no_grad():
            return x @ (W * 2.0)

    recorded = program(twice)
    with pytest.warns(NotRecorded, match="makes a Tensor of something else"):
        assert recorded(np.ones((1, 1))) == 4.0
    W.data[...] = 3.0
    assert recorded(np.ones((1, 1))) == 6.0


def test_no_gradient_flows_through_no_grad():
    def f(x):
        with gl.no_grad():
            factor = x * 2.0
        return (x * factor).sum()

    assert program(gl.grad(f))(np.array([3.0])) == gl.grad(f)(np.array([3.0])) == 6.0


def test_a_bias_is_added_by_the_convolution():
    def layer(x, W, b):
        return gl.relu(windows.conv(x, W) + b)

    arrays = [rng(3).normal(size=size) for size in ((2, 5, 5, 3), (3, 3, 3, 4), (4,))]
    recorded = program(layer)
    same_bits(recorded(*arrays), layer(*arrays))
    assert "conv_with_bias(" in str(recorded) and "np.add(" not in str(recorded)


def test_a_convolution_that_is_asked_for_twice_is_kept_without_its_bias():
    def layer(x, W, b):
        z = windows.conv(x, W)
        return z + b, z * 2.0

    arrays = [rng(3).normal(size=size) for size in ((2, 5, 3), (3, 3, 4), (4,))]
    same_bits(program(layer)(*arrays), layer(*arrays))


def test_nothing_is_computed_twice_or_for_nobody():
    def wasteful(x):
        gl.exp(x)
        return gl.tanh(x) * gl.tanh(x)

    fast = program(wasteful)
    fast(np.ones(3))
    names = [line.name for line in next(iter(fast.programs.values())).lines]
    assert names == ["tanh", "multiply"]


def test_memory_is_used_again():
    def chain(x):
        for _ in range(20):
            x = gl.tanh(x) + 1.0
        return x

    fast = program(chain)
    x = np.linspace(-1.0, 1.0, 100)
    same_bits(fast(x), chain(gl.Tensor(x)).data)
    (made,) = fast.programs.values()
    assert made.nbytes == x.nbytes and made.without_reuse == 39 * x.nbytes


@gl.primitive(name="relu", formula="x * x")
def relu_of_my_own(x):
    """A square under a name that the table has, too."""
    return x * x


@relu_of_my_own.partial("x")
def relu_of_my_own_slope(x):
    return 2.0 * x


def test_functions_of_ones_own_may_have_any_name():
    def total(x):
        return relu_of_my_own(x).sum() + compute(mean, x)

    def mean(x):
        return np.float64(len(x))

    both, x = gl.value_and_grad(total), np.array([-1.0, 2.0])
    same_bits(program(both)(x), both(x))
    assert program(total)(x) == 7.0


def test_powers_and_what_is_not_a_number_are_those_of_the_tape():
    def odd(x):
        return (x**2.0) ** 0.5 + gl.sign(x) + gl.relu(x) + gl.maximum(x, 0.5)

    x = np.array([np.nan, -0.0, 3.3, -np.inf], "f4")
    with np.errstate(invalid="ignore"):
        same_bits(program(odd)(x), odd(gl.Tensor(x)).data)


def test_sums_run_through_memory_in_the_order_of_the_tape():
    def turned(x):
        return gl.exp(x.T).sum(axis=0) + gl.exp(x.T).sum()

    x = rng(0).normal(size=(7, 3000)).astype("f4")
    same_bits(program(turned)(x), turned(gl.Tensor(x)).data)


def test_views_keep_what_they_show():
    def folded(x):
        y = gl.exp(x)
        turned = y.T  # shows y, which no later line may write over
        z = gl.tanh(gl.sqrt(gl.absolute(x)) + 1.0)
        return z @ turned

    fast, x = program(folded), rng(0).normal(size=(3, 4))
    same_bits(fast(x), folded(gl.Tensor(x)).data)


# ---------------------------------------------------------------------------------- short cuts


def lines_of(fast):
    return [line.name for made in fast.programs.values() for line in made.lines]


@pytest.mark.parametrize(("dtype", "digits"), [("float32", 1e-6), ("float64", 1e-14)])
def test_softmax_and_cross_entropy_have_a_short_slope(dtype, digits):
    both, p = gl.value_and_grad(with_softmax), parameters(dtype)
    fast, x = program(both), rng(2).normal(size=(6, 7)).astype(dtype)
    x[0] *= 100.0  # so sure that the probability is clipped
    y = np.array([0, 1, 2, 0, 1, 2])
    (loss, slopes), (expected, right) = fast(p, x, y), both(p, x, y)
    same_bits(loss, expected)
    for name, slope in slopes.items():
        np.testing.assert_allclose(slope, right[name], atol=digits * np.abs(right[name]).max())
    assert lines_of(fast).count("softmax_slope") == 1 and len(lines_of(fast)) < 30


def test_the_short_slope_of_sigmoid_and_cross_entropy():
    def loss(w, x, y):
        return gl.binary_crossentropy(y, gl.sigmoid(x @ w)).mean()

    x, y = rng(2).normal(size=(6, 7)), rng(3).integers(0, 2, (6, 1)).astype(float)
    x[0] *= 1000.0
    both, w = gl.value_and_grad(loss), rng(4).normal(size=(7, 1))
    fast = program(both)
    (_, slope), (_, right) = fast(w, x, y), both(w, x, y)
    np.testing.assert_allclose(slope, right, rtol=1e-12)
    assert lines_of(fast).count("sigmoid_slope") == 1


def test_a_short_cut_is_taken_only_where_it_leads():
    def also_used(p, x, y):
        q = gl.softmax(scores(p, x))
        return gl.sparse_categorical_crossentropy(y, q).mean() + (q * q).sum()

    both, x, y = gl.value_and_grad(also_used), rng(2).normal(size=(6, 7)), np.arange(6) % 3
    fast, p = program(both), parameters("float64")
    same_bits(fast(p, x, y), both(p, x, y))
    assert "softmax_slope" not in lines_of(fast)


def test_what_only_looks_like_a_short_cut_is_left():
    def by_hand(z, w, y, g):
        p, q = gl.sigmoid(z), gl.sigmoid(w)
        inside = gl.clip(p, 1e-7, 1.0 - 1e-7)
        slope = (inside - y) / (inside * (1.0 - inside))
        return g * gl.where(inside == p, slope, 0.0) * (q * (1.0 - q))

    z, w, y, g = rng(0).normal(size=(4, 5, 2))
    alike, same = program(by_hand), program(lambda z, y, g: by_hand(z, z, y, g))
    same_bits(alike(z, w, y, g), by_hand(gl.Tensor(z), gl.Tensor(w), y, g).data)
    same(z, y, g)
    assert "sigmoid_slope" not in lines_of(alike) and "sigmoid_slope" in lines_of(same)


# ----------------------------------------------------------------------------------- as text

LISTING = """\
def slope(x):
    t1 = np.empty((), float64)
    np.multiply(x, x, out=t2)             # (3,)  3 flop  48 B
    np.multiply(t2, x, out=t3)            # (3,)  3 flop  72 B
    np.add.reduce(t3, axis=None, out=t1)  # ()  3 flop  32 B
    return t1
# memory: 24 B (48 B if no array took the place of another)"""


def test_the_listing_is_python():
    def slope(x):
        return (x * x * x).sum()

    fast = program(slope)
    fast(np.arange(3.0))
    found = [" ".join(line.split()) for line in str(fast).splitlines()]
    assert found == [" ".join(line.split()) for line in LISTING.splitlines()]
    compile(str(fast), "<listing>", "exec")


def test_the_picture_has_a_box_for_each_line():
    fast = program(gl.grad(network))
    fast(parameters(), np.ones((2, 7), "f4"), np.array([0, 1]))
    (made,) = fast.programs.values()
    graph = fast.draw().graph
    boxes = [v for v in graph.vertices.values() if v.kind != "leaf"]
    assert [box.tooltip for box in boxes] == made.texts
    assert len(graph.vertices) - len(boxes) == len(made.leaves()) == 6
    assert "matmul" in fast.draw().svg()


# ----------------------------------------------------------------------------- what cannot be one


def test_nothing_can_be_done_with_sealed_numbers():
    from gradlab.program.trace import Trace, Traced

    assert sealed((2, 3)).shape == (2, 3) and len(sealed((2, 3))) == 2
    with pytest.raises(Escape):
        float(sealed(()))
    for look in (np.max, np.argmax, np.any, np.sum, np.sort, abs):
        with pytest.raises(Escape):
            look(sealed((2,)))
    for sign in ("__gt__", "__eq__", "__add__", "__rmul__", "__matmul__"):
        with pytest.raises(Escape):
            getattr(sealed((2,)), sign)(np.ones(2))
    with pytest.raises(Escape):
        sealed((2,)).astype(float)
    assert Trace().lines == [] and Traced.takes_over


def branches(x):
    return x if x.sum() > 0.0 else -x


def draws(x):
    return x * rng().random()


def counts(x, seen=[]):  # noqa: B006 - the trap this is about
    seen.append(1)
    return x * len(seen)


def reads(x):
    return x * float(x.max())


@pytest.mark.parametrize("f", [branches, draws, counts, reads])
def test_what_looks_at_numbers_stays_on_the_tape(f):
    fast = program(f)
    with pytest.warns(NotRecorded, match=f"{f.__name__} is not made a program"):
        fast(np.array([-2.0]))
    assert fast.reason and not fast.programs
    if f in (branches, reads):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # once is enough
            same_bits(fast(np.array([-3.0])), f(gl.Tensor([-3.0])).data)


def test_arrays_of_an_earlier_step_are_no_part_of_a_program():
    kept = []

    def remembers(x):
        kept.append(x)
        return x + kept[0]

    fast = program(remembers)
    with pytest.warns(NotRecorded, match="earlier step"), pytest.raises(RuntimeError, match="kept"):
        fast(np.array([1.0]))


def test_mistakes_are_told_as_on_the_tape():
    with pytest.raises(gl.ShapeError, match="matmul: shapes"):
        program(gl.matmul)(np.ones((2, 3)), np.ones((2, 3)))


def test_random_numbers_are_drawn_anew_at_each_run():
    class Source:
        generator = rng(5)

    def noisy(x, source):
        return x + compute(noise, x, source, effect=True)

    def noise(x, source):
        return source.generator.normal(size=x.shape)

    source = Source()
    fast = program(lambda x: noisy(x, source))
    found = [fast(np.zeros(2)) for _ in range(2)]
    fresh = rng(5)
    same_bits(found, [fresh.normal(size=2) for _ in range(2)])


def test_a_recording_leaves_variables_as_they_were():
    W = gl.Tensor([1.0])
    with pytest.raises(Escape), recording(trained=[W]):
        float((W * 2.0).sum())
    assert type(W) is gl.Tensor and W.data[0] == 1.0


# ----------------------------------------------------------------------------- graphs of Values


def neuron_by_hand(w, b):
    total = b
    for k, weight in enumerate(w):
        total = total + weight * (k - 1.5)
    return gl.tanh(total) ** 2 + gl.leaky_relu(total, negative_slope=0.3) / (1.0 + gl.exp(-b))


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=SLOW), False])
def test_a_replay_follows_the_numbers_in_the_leaves(compiled, monkeypatch):
    monkeypatch.setattr(generated, "available", lambda: compiled)
    w, b = [gl.Value(x) for x in (0.5, -0.3, 0.8)], gl.Value(0.1)
    y = neuron_by_hand(w, b)
    again = replay(y)
    for shift in (0.0, 0.2, -1.5):
        for leaf in (*w, b):
            leaf.data += shift
        fresh = [gl.Value(leaf.data) for leaf in (*w, b)]
        expected = neuron_by_hand(fresh[:3], fresh[3])
        expected.backward()
        assert again() == y.data == pytest.approx(expected.data, rel=1e-13)
        found = [leaf.grad for leaf in (*w, b)]
        assert found == pytest.approx([leaf.grad for leaf in fresh], rel=1e-13)


@pytest.mark.parametrize("name", sorted(n for n in ELEMENTWISE if is_smooth(OURS[n])))
def test_every_elementwise_row_can_be_replayed_in_python(name, monkeypatch):
    monkeypatch.setattr(generated, "available", lambda: False)
    entry = ELEMENTWISE[name]
    fixed = {"condition": 1.0, "low": 0.1, "high": 0.9, "threshold": 0.2, "default_value": 0.0}
    point = 1.6 if name == "arccosh" else 0.6
    given = [fixed[n] if n in entry.nondiff else gl.Value(point) for n in entry.operands]
    y = entry(*given)
    y.backward()
    right = [a.grad for a in given if isinstance(a, gl.Value)]
    assert replay(y)() == y.data
    assert [a.grad for a in given if isinstance(a, gl.Value)] == right


def test_a_chain_of_many_operations_is_one_run():
    x = y = gl.Value(0.5)
    for _ in range(5000):
        y = y * 0.999
    again = replay(y)
    assert len(again.runs) == 1
    assert again() == pytest.approx(0.5 * 0.999**5000) and x.grad == pytest.approx(0.999**5000)


def test_a_leaf_alone_can_be_replayed():
    x = gl.Value(2.0)
    again = replay(x)
    x.data = 3.0
    assert again() == 3.0 and x.grad == 1.0


def regression(p, x, y):
    """Views, sums along axes, comparisons and constants, all small: one compiled function."""
    h = gl.relu(x @ p["W1"] + p["b1"]) + np.linspace(0.0, 1.0, 5)
    z = gl.sigmoid((h @ p["W2"]).T) + p["b2"].reshape((3, 1))
    away = (z - np.ones((1, 6))) ** 2
    return (
        away.mean()
        + gl.max(z, axis=0).sum()
        - gl.where(z.sum(axis=1, keepdims=True) > 0.0, z, 0.5).min()
    )


@pytest.mark.parametrize(
    "f", [with_softmax, *(pytest.param(f, marks=SLOW) for f in (network, regression))]
)
def test_kernels_give_the_same_numbers(f):
    fast, plain = program(gl.value_and_grad(f), kernels=True), gl.value_and_grad(f)
    x, y = rng(2).normal(size=(6, 7)), rng(3).integers(0, 3, 6)
    p = parameters("float64")
    (value, slopes), (expected, truth) = fast(p, x, y), plain(p, x, y)
    assert value == pytest.approx(expected, rel=1e-12) and fast.programs
    for name in p:
        np.testing.assert_allclose(slopes[name], truth[name], rtol=1e-10, atol=1e-13)
    assert ("as one function" in str(fast)) == (f is regression), "labels need a look in Python"
    slopes["W1"][...] = 7.0  # a result is an array of its own
    assert not (fast(p, x, y)[1]["W1"] == 7.0).any()
