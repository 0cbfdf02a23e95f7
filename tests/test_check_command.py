"""`gradlab check student.py:MyDense`: verdict, smallest input, exit status."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from gradlab.cli import main

STUDENT = """
    import numpy as np
    import gradlab as gl
    from gradlab.primitive import primitive

    class MyDense:
        def __init__(self, n_in, n_out):
            rng = np.random.default_rng(0)
            self.W, self.b = rng.normal(size=(n_in, n_out)), np.zeros(n_out)

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, g):
            self.dW, self.db = self.x.T @ g, g.sum(axis=0)
            return g @ self.W.T

    class NotSummed(MyDense):
        def backward(self, g):
            dx = super().backward(g)
            self.db = g
            return dx

    class NoBias(MyDense):
        def backward(self, g):
            self.dW = self.x.T @ g
            return g @ self.W.T

    class Relu6:
        def forward(self, x):
            self.x = x
            return np.clip(x, 0, 6)

        def backward(self, g):
            return g * (self.x > 0)

    class Scale:
        def __init__(self, factor):
            self.factor = factor

        def forward(self, x):
            return self.factor * x

        def backward(self, g):
            return self.factor * g

        def forward_twice(self, g):
            return self.factor**2 * g

    class Broken:
        def __init__(self):
            raise RuntimeError("no weights\\nin this file")

    class HalfLayer:
        def forward(self, x):
            return x

    scale = Scale(3.0)
    scaled = Scale(3.0)
    scaled.backward = scaled.forward_twice

    def square(x):
        return x * x

    def square_backward(g, x):
        return g * x

    def affine_forward(x, w, b):
        return x @ w + b, (x, w)

    def affine_backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(axis=0)

    def twice_forward(x):
        return 2 * x, None

    def twice_backward(dout, cache):
        return 3 * dout

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def sigmoid_grad(x):
        return sigmoid(x) * (1 - sigmoid(x))

    def mse(y, t):
        return np.mean((y - t) ** 2)

    def mse_grad(y, t):
        return 2 * (y - t) / y.size, 2 * (t - y) / y.size

    def log(x):
        if np.any(x <= 0):
            raise ValueError("the logarithm of a negative number")
        return np.log(x)

    def log_vjp(g, x):
        return g / x

    def ours(x):
        return gl.tanh(x) * x

    def labels(x, i):
        return x["name"]

    @primitive(formula="x ** 3")
    def cube(x):
        return x * x * x

    @cube.partial("x")
    def cube_slope(x):
        return 2.0 * x * x

    @primitive(formula="x ** n")
    def power_of(x, n=3.0):
        return x**n

    @power_of.partial("x")
    def power_of_slope(x, n):
        return n * x ** (n - 2.0)

    number = 3
    _hidden = square
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    (folder / "student.py").write_text(textwrap.dedent(STUDENT))
    return folder


@pytest.fixture
def check(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)

    def run(target, *options):
        status = main(["check", target, "--examples", "12", *options])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "MyDense",
            "MyDense(3, 2) with forward and backward\n  tried   up to 12 inputs x (2, 3), W",
        ),
        ("scale", "a layer with forward and backward"),
        ("affine_forward", "inputs x (2, 3), w (3, 4), b (4,)"),
        ("sigmoid", "a function with sigmoid_grad"),
        ("mse", "inputs y (2, 3), t (2, 3)"),
        ("ours", "a function without ours_backward, its gradient by gradlab"),
    ],
)
def test_right_gradients(check, name, words):
    status, out, err = check(f"student.py:{name}")
    assert (status, err) == (0, "")
    assert words in out and "right   every gradient agrees" in out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotSummed", "the gradient of b is of shape (2, 2)"),
        ("Relu6", "x = np.array(7.0)"),
        ("square", "square, vjp = with_backward(student.square, student.square_backward)"),
        ("twice_forward", "a function with twice_backward"),
        ("cube", "a primitive, its slopes from its rules"),
    ],
)
def test_wrong_gradients_come_with_the_smallest_input(check, name, words):
    status, out, err = check(f"student.py:{name}", "--examples", "40")
    assert (status, err) == (1, "")
    assert words in out and "wrong   " in out


LONGER = [pytest.param(name, marks=pytest.mark.slow) for name in ("scaled", "cube", "power_of")]


@pytest.mark.parametrize("name", ["Relu6", "square", *LONGER])
def test_the_counterexample_runs_and_fails(check, folder, name):
    out = check(f"student.py:{name}", "--examples", "40")[1]
    code = out.partition("\n\n")[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and "AssertionError" in done.stderr, code + done.stderr


def test_the_domain_is_that_of_the_inputs(check):
    status, out, _ = check("student.py:log")
    assert status == 1 and "raises ValueError: the logarithm" in out
    status, out, _ = check("student.py:log", "--domain", "x > 0")
    assert status == 0 and "any shape, with x > 0" in out
    status, out, _ = check("student.py:Relu6", "--domain", "x < 5")
    assert status == 0
    status, out, _ = check("student.py:MyDense", "--domain", "(0, inf)")
    assert status == 0 and "(0, inf)" in out


def test_shapes_may_be_given(check):
    status, out, _ = check("student.py:square", "--shapes", "(2,)")
    assert status == 1 and "inputs x (2,)" in out and "x = np.array([" in out
    signature = "(m,k),(k,n),(n)->(m,n)"
    status, out, _ = check("student.py:affine_forward", "--shapes", signature)
    assert status == 0 and f"inputs of shapes {signature}" in out


def test_an_array_without_gradient_is_mentioned(check):
    status, out, _ = check("student.py:NoBias")
    assert status == 0 and "not     b: no gradient beside it, such as db" in out


def test_a_primitive_of_gradlab(check):
    status, out, _ = check("softmax")
    assert status == 0 and "a primitive of gradlab" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["studnt.py:MyDense"], "there is no file studnt.py; closest: student.py"),
        (["nowhere/else.py:MyDense"], "there is no file nowhere"),
        (["student.py:MyDens"], "nothing called 'MyDens'; closest: MyDense"),
        (["student.py:zzzzzz"], "write gradlab check student.py:MyDense"),
        (["student.py"], "which name?"),
        (["student.py:"], "which name?"),
        (["softmaxx"], "closest: softmax"),
        (["student.py:number"], "number is int, which has no gradient"),
        (["student.py:Scale"], "write layer = Scale(...) in the file"),
        (["student.py:Broken"], "Broken() cannot be made: no weights"),
        (["student.py:HalfLayer"], "HalfLayer has no method 'backward'"),
        (["student.py:labels"], "refuses every shape that was tried for x, i: IndexError"),
        (["student.py:square", "--shapes", "two"], "--shapes 'two'"),
        (["student.py:square", "--shapes", "((1,2),'a')"], "--shapes"),
        (["student.py:square", "--domain", "x >"], "neither an interval nor an expression"),
        (["softmax", "--domain", "x > 0"], "leave them out"),
        (["student.py:square", "--examples", "0"], "write --examples 100"),
    ],
)
def test_bad_input_has_status_2_and_says_what_to_write(check, arguments, words):
    status, _, err = check(*arguments)
    assert status == 2 and words in err and err.startswith("gradlab: ")
    assert err.count("\n") <= 3


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\ndef f(:\n", "bad.py, line 2: SyntaxError"),
        ("x = 1\n\n1 / 0\n", "bad.py, line 3: ZeroDivisionError: division by zero"),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys\nsys.exit(3)\n", "bad.py, line 2: SystemExit: 3"),
    ],
)
def test_a_file_that_does_not_run(check, folder, source, words):
    (folder / "bad.py").write_text(source)
    status, _, err = check("bad.py:f")
    assert status == 2 and words in err and "Traceback" not in err


def test_a_file_may_import_its_neighbour(check, folder):
    (folder / "helper_of_mine.py").write_text("def twice(x):\n    return 2 * x\n")
    source = "from helper_of_mine import twice\ndef f(x):\n    return twice(x)\n"
    (folder / "uses.py").write_text(source)
    path = list(sys.path)
    assert check("uses.py:f")[0] == 0
    assert sys.path == path
    sys.modules.pop("helper_of_mine")


def test_torch_objects(check, folder):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    (folder / "net.py").write_text(
        textwrap.dedent("""
        import torch

        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, g):
                return ctx.saved_tensors[0] * g

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.dense = torch.nn.Linear(3, 2)

            def forward(self, x):
                return torch.tanh(self.dense(x))

        net = Net()
    """)
    )
    status, out, _ = check("net.py:Square")
    assert status == 1 and "an autograd function of PyTorch" in out
    for name in ("Net", "net"):
        status, out, err = check(f"net.py:{name}")
        assert status == 0 and "x (2, 3), dense.weight (2, 3), dense.bias (2,)" in out, out + err


def test_the_same_check_gives_the_same_words(check):
    assert check("student.py:square") == check("student.py:square")
