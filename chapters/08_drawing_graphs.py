# %% [markdown]
# # 8. Drawing graphs
#
# A computation is a graph, and a network is one too; drawn, both can be read, checked and shown.
#
# *Slides:* deck 001, the figures of 10.1.3, 10.1.4 and 10.2.3. *Before this:* backpropagation
# (chapter 4). *You will see:* a neuron with its slopes, a network folded into its layers, a graph
# too large to look at, a page that plays the backward pass, and the diagrams of the slides.
#
# Nothing has to be installed for this but gradlab.
# %%
import json
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab import plots
from gradlab.course import save_figure

# %% [markdown]
# ## One neuron
# Boxes are numbers, ovals are operations. The number on a line is the *local slope*: how much the
# result moves per unit of this input. Here y = tanh(w x + b) with w = 2, x = 0.5 and b = -1, so
# z = 0: there the slope of tanh is 1 - 0² = 1, and the slope of w x for w is x = 0.5.
# %% before the backward pass
w, x, b = (gl.Value(v, name=name) for v, name in ((2.0, "w"), (0.5, "x"), (-1.0, "b")))
y = gl.tanh(w * x + b)
drawing = gl.draw(y, title="A neuron before the backward pass")
rows = {vertex.label: dict(vertex.rows) for vertex in drawing.graph.vertices.values()}
assert rows["w"] == {"data": "2.0000", "grad": "not computed"}, "no gradient yet, which is not 0"
assert [e.label for e in drawing.graph.edges if e.source == "n1"] == ["×0.5"], "d(w x)/dw = x = 0.5"
save_figure(drawing, "neuron_before")

# %% [markdown]
# After `backward()` the second number on a line is what flowed back along it: the gradient of the
# result times the local slope. A drawing keeps the numbers of the moment in which it was made.
# %% after it
y.backward()
after = gl.draw(y, title="After it: each line says what flowed back")
rows = {vertex.label: dict(vertex.rows) for vertex in after.graph.vertices.values()}
assert rows["w"]["grad"] == "0.5000", "dy/dw = 1 · 1 · 1 · x = 0.5"
assert "not computed" in drawing.svg(), "the first drawing still shows how it was then"
save_figure(after, "neuron_after")

# %% [markdown]
# ## A network, and its layers
# The XOR network of chapter 3 on all four instances. `gl.group` gives a part of the computation a
# name. `collapse` shows this part as one box, `expand` shows its content again.
# %% the loss of the XOR network
rng = np.random.default_rng(42)
X, t = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0, 1.0, 0.0])
W1, b1 = gl.Tensor(rng.normal(size=(2, 2)), name="W1"), gl.Tensor(np.zeros(2), name="b1")
w2, b2 = gl.Tensor(rng.normal(size=2), name="w2"), gl.Tensor(0.0, name="b2")
with gl.group("hidden"):
    h = gl.tanh(X @ W1 + b1)
with gl.group("output"):
    out = gl.sigmoid(h @ w2 + b2)
with gl.group("loss"):
    loss = ((out - t) ** 2).mean()
loss.backward()

whole = gl.draw(loss, rankdir="TB", title="The loss of the XOR network")
layers = gl.draw(loss, collapse=["hidden", "output", "loss"], title="The same, layer by layer")
assert len(layers.graph.vertices) == 3, "collapsed: three boxes"
assert len(layers.expand("output").graph.vertices) > 3, "expanded: the output layer in full"
assert layers.expand("hidden").expand("output").expand("loss").graph == whole.graph, "and all of it"
save_figure(whole, "xor_loss")
save_figure(layers, "xor_layers")

# %% [markdown]
# A graph of 1,201 nodes is too large to look at. gradlab then collapses it by itself: by group, or
# else into runs of operations, here 600 times h ← tanh(h) · 1.5.
# %% too large to look at
h = gl.Value(0.1, name="h")
for _ in range(600):
    h = gl.tanh(h) * 1.5
large = gl.draw(h)
assert len(large.graph.vertices) <= 400, "what is drawn has at most 400 boxes"
first = next(v for v in large.graph.vertices.values() if v.kind == "group")
assert first.label.startswith("steps 1-"), "each box says which steps are in it"
print(large)

# %% [markdown]
# ## Files
# The suffix chooses the format. `html` is **the player**: one file, without any link to elsewhere,
# that plays the computation forward and backward. At each step it shows the incoming gradient, the
# local slope with its numbers, their product, and the sum where paths join. Open it and press →.
# %% seven formats
with tempfile.TemporaryDirectory() as folder:
    forms = ("svg", "png", "pdf", "html", "dot", "mmd", "json")
    files = {form: after.save(Path(folder) / f"neuron.{form}") for form in forms}
    content = {form: path.read_bytes() for form, path in files.items()}
assert ElementTree.fromstring(content["svg"]).tag.endswith("svg"), "svg: for pages, any size"
assert content["png"][1:4] == b"PNG" and content["pdf"][:4] == b"%PDF", "png, pdf: for slides"
assert content["dot"].startswith(b"digraph"), "dot: for Graphviz"
assert b"flowchart" in content["mmd"], "mmd: for Mermaid, which GitHub draws in Markdown"
assert json.loads(content["json"]), "json: for programs of your own"
assert b"http-equiv" in content["html"] and len(content["html"]) < 300_000, "html: the player"
save_figure(gl.draw(y, title="y = tanh(w x + b), step by step"), "neuron.html")
save_figure(gl.draw(loss, title="The loss of the XOR network, step by step"), "xor_loss.html")

# %% [markdown]
# ## Diagrams of networks
# One circle per neuron, one line per weight, and a circle with a 1 for the biases. The MLP with
# sizes 2, 4 and 3 has (2 + 1) · 4 + (4 + 1) · 3 = 27 lines, so 27 parameters. Where the weights are
# known, the width of a line is the size of its weight; a negative one is broken.
# %% four networks of the slides
tlu = gl.TLU([1, 1], bias=-1.5)
xor = [gl.TLU([[1, 1], [1, 1]], bias=[-0.5, -1.5]), gl.TLU([1, -1], bias=-0.5)]
assert tlu([[0, 1], [1, 1]]).tolist() == [0, 1], "this TLU is AND"
assert xor[1](xor[0](X)).tolist() == t.tolist(), "this MLP is XOR"
assert (2 + 1) * 4 + (4 + 1) * 3 == 27, "2-4-3: 27 parameters"
fig, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
networks = {"TLU: AND": tlu, "Perceptron 2-3": [2, 3], "MLP 2-4-3": [2, 4, 3], "MLP: XOR": xor}
for ax, (title, network) in zip(axes.flat, networks.items()):
    plots.network(network, ax=ax).set_title(title)
save_figure(fig, "networks")

# %% [markdown]
# *Wide & Deep* is not one stack: the normalized inputs go through two hidden layers, and also
# around them. Layers have names then, `None` is a layer without neurons of its own, and the
# connections are listed. 8 · 30 + 30 = 270 and 30 · 30 + 30 = 930 parameters in the hidden layers,
# and 8 + 30 + 1 = 39 in the output neuron, which sees both paths: the 1,239 of the slide's summary.
# %% Wide & Deep
layers = {"input": 8, "Normalization": None, "hidden 1": 30, "hidden 2": 30}
layers |= {"Concat": None, "output": 1}
around, deep = [("Normalization", "Concat")], list(zip(layers, [*layers][1:]))
assert (8 + 1) * 30 + (30 + 1) * 30 + (8 + 30 + 1) * 1 == 1239, "Wide & Deep: 1,239 to train"
ax = plots.network(layers, connections=deep + around, bias=False, most=5)
save_figure(ax, "wide_and_deep")

# %% [markdown]
# ## Try it
# * Draw `a = gl.Value(3.0); y = a * a + a`. How many lines leave the box of a? Save the player and
#   look where they join: what is the gradient of a?
# * Give the names "x < 1" and "a \"b\" & c" to Values. What does the picture make of them?
# * Take `xor_loss.html` and predict the shape of each gradient before you press →.
# * Draw `plots.network(gl.Perceptron().fit(X, [0, 0, 0, 1]))`. Which weights did it learn for AND?
# * Draw a network of your own, `plots.network([784, 300, 100, 10])`. How many lines are left out?
