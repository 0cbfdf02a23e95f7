"""Adapters: a layer's forward and backward become (f, vjp), whatever wrote them.

Those of PyTorch, JAX and Keras run where these are installed and are skipped elsewhere.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gradlab.testing import check_vjp, gradcheck
from gradlab.testing.adapters import as_vjp
from gradlab.testing.frameworks import jax_function, keras_layer, torch_function, torch_module

RNG = np.random.default_rng(7)
X = RNG.normal(size=(3, 4))
G = RNG.normal(size=(3, 2))


def wrong(pair, *args):
    """The numbers of the arguments whose gradients are wrong."""
    rng = np.random.default_rng(0)
    return [i for i in range(len(args)) if check_vjp(pair.f, pair.vjp, args, i, rng)]


class Dense:
    def __init__(self, n_in=4, n_out=2):
        rng = np.random.default_rng(1)
        self.W, self.b = rng.normal(size=(n_in, n_out)), rng.normal(size=n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g.sum(axis=0)
        return g @ self.W.T


class MissingSum(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.db = g[0]
        return dx


class Adds(Dense):
    """Gradients add up until they are set to 0, as in PyTorch."""

    def __init__(self):
        super().__init__()
        self.grad_W, self.grad_b = np.full_like(self.W, 5.0), None

    def backward(self, g):
        self.grad_W += self.x.T @ g
        self.grad_b = g.sum(0) if self.grad_b is None else self.grad_b + g.sum(0)
        return g @ self.W.T


class Lists:
    """Weights in a list, gradients written into another; a second name for one of them."""

    def __init__(self):
        dense = Dense()
        self.params = [dense.W, dense.b]
        self.grads = [np.zeros_like(dense.W), np.zeros_like(dense.b)]
        self.bias = dense.b

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.bias

    def backward(self, g):
        self.grads[0][...] = self.x.T @ g
        self.grads[1] += g.sum(0)
        return g @ self.params[0].T


class Dicts:
    def __init__(self):
        dense = Dense()
        self.params, self.grads = {"W": dense.W, "b": dense.b}, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, g):
        self.grads["W"] = self.x.T @ g
        self.grads["b"] = g.sum(0)
        return g @ self.params["W"].T


class Mixed:
    """Weights as attributes, gradients in a dict that backward makes."""

    def __init__(self):
        dense = Dense()
        self.W, self.b = dense.W, dense.b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.grads = {"W": self.x.T @ g, "b": g.sum(0)}
        return g @ self.W.T


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, g):
        return g * (1 - self.y**2)


class Network:
    def __init__(self):
        self.layers = [Dense(4, 3), Tanh()]
        self.last = Dense(3, 2)

    def forward(self, x):
        for layer in [*self.layers, self.last]:
            x = layer.forward(x)
        return x

    def backward(self, g):
        for layer in [self.last, *reversed(self.layers)]:
            g = layer.backward(g)
        return g


class PRelu:
    """A weight that is a single number."""

    def __init__(self):
        self.alpha = 0.25

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, g):
        self.dalpha = float(np.sum(g * np.minimum(self.x, 0)))
        return g * np.where(self.x > 0, 1, self.alpha)


class Loss:
    """backward() of a loss takes no cotangent and knows the gradient of the prediction only."""

    def forward(self, y_pred, y_true):
        self.difference = y_pred - y_true
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference / self.difference.size


class Product:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a * b

    def backward(self, g):
        return g * self.b, g * self.a


@pytest.mark.parametrize("kind", [Dense, Adds, Lists, Dicts, Mixed])
def test_weights_are_found_wherever_their_gradients_are(kind):
    pair = as_vjp(kind())
    assert pair.inputs == ("x",) and len(pair.parameters) == 2
    assert wrong(pair, X, *pair.parameters) == []
    dx, dW, db = pair.vjp(G, X, *pair.parameters)
    np.testing.assert_array_equal(dx, G @ Dense().W.T)
    np.testing.assert_array_equal(dW, X.T @ G)
    np.testing.assert_array_equal(db, G.sum(axis=0))


def test_names_say_where_a_weight_is():
    assert as_vjp(Dense()).names == ("x", "W", "b")
    assert as_vjp(Lists()).names == ("x", "params[0]", "params[1]")
    assert as_vjp(Dicts()).names == ("x", "params['W']", "params['b']")
    inside = ("layers[0].W", "layers[0].b", "last.W", "last.b")
    assert as_vjp(Network()).names == ("x", *inside)


def test_a_wrong_gradient_is_found_in_the_argument_that_has_it():
    pair = as_vjp(MissingSum())
    assert wrong(pair, X, *pair.parameters) == [2]


def test_the_report_calls_a_weight_by_its_name():
    pair = as_vjp(MissingSum())
    report = gradcheck(pair.f, X, *pair.parameters, vjp=pair.vjp, raise_on_error=False)
    assert not report and report.worst.argument == "b"
    assert "gradient of MissingSum is wrong" in str(report)
    assert gradcheck(as_vjp(Dense()).f, X, vjp=as_vjp(Dense()).vjp)  # the inputs alone
    inside = as_vjp(Network())
    report = gradcheck(inside.f, X, *inside.parameters, vjp=inside.vjp)
    assert {row.argument for row in report.rows} >= {"layers_0_W", "last_b"}


def test_layers_inside_a_layer():
    pair = as_vjp(Network())
    assert wrong(pair, X, *pair.parameters) == []


def test_a_weight_that_is_a_number():
    pair = as_vjp(PRelu())
    assert pair.names == ("x", "alpha") and pair.parameters[0].shape == ()
    assert wrong(pair, X, *pair.parameters) == []


def test_several_inputs_and_a_loss():
    assert wrong(as_vjp(Product()), X, X + 1) == []
    f, vjp = as_vjp(Loss())
    gradient, none = vjp(3.0, X, X + 1)
    assert none is None
    np.testing.assert_allclose(gradient, 3.0 * 2 * -1 / X.size)
    assert f(X, X + 1) == pytest.approx(1.0)


def test_inputs_alone_use_the_weights_the_layer_has():
    layer = Dense()
    pair = as_vjp(layer)
    pair.f(X, np.zeros((4, 2)), np.zeros(2))
    np.testing.assert_array_equal(pair.f(X), X @ layer.W + layer.b)
    (dx,) = pair.vjp(G, X)
    np.testing.assert_array_equal(dx, G @ layer.W.T)


def test_the_layer_itself_stays_as_it_is():
    layer = Adds()
    before = {name: np.copy(value) for name, value in vars(layer).items()}
    pair = as_vjp(layer)
    pair.vjp(G, X, *pair.parameters)
    pair.parameters[0][...] = 0
    assert vars(layer).keys() == before.keys()
    for name, value in vars(layer).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_gradient_that_is_the_cotangent_itself_leaves_it_alone():
    class Shift:
        def __init__(self):
            self.b = np.zeros((3, 2))

        def forward(self, x):
            return x + self.b

        def backward(self, g):
            self.db = g
            return g

    pair, g, x = as_vjp(Shift()), G.copy(), np.ones((3, 2))
    first = pair.vjp(g, x, *pair.parameters)
    second = pair.vjp(g, x, *pair.parameters)
    np.testing.assert_array_equal(g, G)
    np.testing.assert_array_equal(first, second)


def test_two_equal_weights_stay_two():
    pair = as_vjp(Dense(2, 2))
    same = np.ones(2)
    np.testing.assert_array_equal(pair.f(np.eye(2), np.eye(2), same), np.eye(2) + 1)

    class Two:
        def __init__(self):
            self.a, self.b = np.ones(2), np.ones(2)

        def forward(self, x):
            self.x = x
            return self.a * x + self.b

        def backward(self, g):
            self.da, self.db = g * self.x, g
            return g * self.a

    pair = as_vjp(Two())
    pair.f(same, same, same)
    np.testing.assert_array_equal(pair.f(same, 2 * same, 5 * same), 7 * same)


def test_a_buffer_used_again_is_not_the_result():
    class Buffered:
        def __init__(self):
            self.out = np.zeros(2)

        def forward(self, x):
            np.multiply(x, 2, out=self.out)
            return self.out

        def backward(self, g):
            return 2 * g

    assert wrong(as_vjp(Buffered()), np.array([1.0, 2.0])) == []


def test_caches_of_an_earlier_call_are_no_weights():
    class Cached(Tanh):
        def backward(self, g):
            self.dy = g
            return super().backward(g)

    layer = Cached()
    layer.backward(layer.forward(X))
    assert as_vjp(layer).names == ("x",)


def test_an_array_without_a_gradient_is_reported():
    class Forgetful(Dense):
        def backward(self, g):
            self.dW = self.x.T @ g
            return g @ self.W.T

    assert as_vjp(Forgetful()).names == ("x", "W")
    assert as_vjp(Forgetful()).unchecked == ("b",)


def test_a_gradient_that_backward_does_not_leave_is_none():
    class Sometimes(Dense):
        def backward(self, g):
            if len(g) == 1:
                self.db = g[0]
            self.dW = self.x.T @ g
            return g @ self.W.T

    pair = as_vjp(Sometimes())
    assert pair.vjp(G, X, *pair.parameters)[2] is None


def test_other_names_of_the_methods():
    class Layer(Tanh):
        def __call__(self, x):
            return self.forward(x)

        def bprop(self, g):
            return self.backward(g)

    assert wrong(as_vjp(Layer(), forward="__call__", backward="bprop"), X) == []


def test_modules_as_attributes_are_not_copied():
    class Layer(Tanh):
        def __init__(self):
            self.xp = np

    assert wrong(as_vjp(Layer()), X) == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: as_vjp(Dense), "write as_vjp(Dense(...))"),
        (lambda: as_vjp(Dense(), backward="bakward"), "write as_vjp(layer, backward='backward')"),
        (lambda: as_vjp(object()), "add def forward(self, ...)"),
        (lambda: as_vjp(Dense()).f(X, X), "write f(x), or f(x, *pair.parameters)"),
    ],
)
def test_mistakes_in_the_call_are_explained(call, words):
    with pytest.raises(TypeError) as caught:
        call()
    assert words in str(caught.value) and str(caught.value).count("\n") <= 2


def test_gradients_of_weights_are_not_returned():
    class Returns(Dense):
        def backward(self, g):
            return g @ self.W.T, self.x.T @ g, g.sum(0)

    with pytest.raises(TypeError, match=r"(?s)returned 3 gradients for 1 input.*self.dW = "):
        as_vjp(Returns()).vjp(G, X)


# ------------------------------------------------------------------------------- other frameworks


@pytest.mark.parametrize(
    ("module", "adapter"),
    [("torch", torch_function), ("torch", torch_module), ("jax", jax_function)],
)
def test_a_framework_that_is_missing_is_named(monkeypatch, module, adapter):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"(?s){adapter.__name__}.*pip install {module}"):
        adapter(np.tanh)


def test_importing_the_adapters_imports_no_framework():
    import subprocess

    program = (
        "import sys, gradlab.testing.adapters, gradlab.testing.frameworks;"
        "print(sorted({'torch', 'jax', 'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_torch_function():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pair = torch_function(torch.nn.functional.gelu)
    assert wrong(pair, X) == []
    (gradient,) = pair.vjp(X.astype(np.float32), X[:, ::-1].astype(np.float32))
    assert gradient.dtype == np.float32
    read_only = X.copy()
    read_only.flags.writeable = False
    assert wrong(torch_function(torch.matmul), read_only, X.T) == []
    assert [d.tolist() for d in torch_function(lambda a, b: 2 * a).vjp(1.0, 3.0, 4.0)] == [2, 0]
    (constant,) = torch_function(lambda a: a.detach() * 2).vjp(1.0, 3.0)
    assert constant == 0
    loss = torch_function(torch.nn.functional.cross_entropy)
    labels = np.array([0, 3, 1])
    assert wrong(pair_of(loss, labels), X) == []
    with pytest.raises(TypeError, match="returned tuple"):
        torch_function(lambda a: (a, a)).f(X)


def pair_of(pair, labels):
    """The pair with the labels held fixed."""

    class Fixed:
        def f(self, x):
            return pair.f(x, labels)

        def vjp(self, g, x):
            return pair.vjp(g, x, labels)[:1]

    return Fixed()


def test_torch_autograd_function():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    class Square(torch.autograd.Function):
        factor = 2

        @classmethod
        def forward(cls, ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @classmethod
        def backward(cls, ctx, g):
            return cls.factor * ctx.saved_tensors[0] * g

    class HalfAsBig(Square):
        factor = 1

    assert wrong(torch_function(Square), X) == []
    assert wrong(torch_function(HalfAsBig), X) == [0]


def test_torch_module():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Tanh(), torch.nn.Linear(3, 2)
    )
    before = {name: value.clone() for name, value in module.state_dict().items()}
    pair = torch_module(module)
    assert pair.names[:3] == ("input", "0.weight", "0.bias") and len(pair.parameters) == 6
    wide = [p.astype(float) for p in pair.parameters]
    assert wrong(pair, X, *wide) == []
    assert wrong(pair, X) == []
    assert [d.dtype for d in pair.vjp(G, X, *pair.parameters)] == [np.float64] + 6 * [np.float32]
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    assert pair.f(X.astype(np.float32)).dtype == np.float32


def test_jax_function():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    assert wrong(jax_function(jax.nn.gelu), X) == []
    pair = jax_function(jax.numpy.matmul)
    assert wrong(pair, X, X.T) == []
    assert pair.f(X, X.T).dtype == np.float64  # although JAX is in float32 by default
    narrow = pair.vjp(np.ones((3, 3)), X.astype(np.float32), X.T.astype(np.float32))
    assert [d.dtype for d in narrow] == 2 * [np.float32]
    assert jax_function(lambda x, i: x[i]).vjp(1.0, np.arange(3.0), 1)[0].tolist() == [0, 1, 0]

    @jax.custom_vjp
    def tanh(x):
        return jax.numpy.tanh(x)

    tanh.defvjp(lambda x: (tanh(x), tanh(x)), lambda y, g: (g * (1 - y),))
    assert wrong(jax_function(tanh), X) == [0]
    assert jax.numpy.asarray(1.0).dtype == np.float32


@pytest.mark.filterwarnings("ignore")  # its own, at import
def test_keras_layer():
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    dense = keras.layers.Dense(2, activation="tanh", dtype="float64")
    with pytest.raises(ValueError, match=r"write layer.build\(shape\)"):
        keras_layer(dense)
    dense.build((None, 4))
    pair = keras_layer(dense)
    assert len(pair.parameters) == 2 and pair.names[1].endswith("kernel")
    assert wrong(pair, X, *pair.parameters) == []
    assert wrong(pair, X) == []
    kernel = np.zeros((4, 2))
    y = pair.f(X, kernel, np.ones(2))  # on JAX, Keras computes tanh in float32
    np.testing.assert_allclose(y, np.full((3, 2), np.tanh(1)), rtol=1e-6)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(dense.kernel), pair.parameters[0])

    normal = keras.layers.BatchNormalization(dtype="float64")
    normal.build((None, 4))
    pair = keras_layer(normal, training=True)
    assert wrong(pair, X, *pair.parameters) == []
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(normal.moving_mean), np.zeros(4))
