"""The picture of a model in a file, under the name and with the arguments that Keras has for it."""

from __future__ import annotations

from typing import Any


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Draw the layers of a model and how they are connected, and write that to a file.

    A layer that is called several times has a box for each call.

    Args:
        model: a Sequential or functional model that knows the shape of its inputs.
        to_file: .png, .svg, .pdf, .html, ...; None for no file.
        show_shapes: the shapes that come in and go out, with None for the batch.
        show_dtype: the type of the numbers.
        show_layer_names: the name beside the class.
        rankdir: "TB" for top to bottom, "LR" for left to right.
        expand_nested: the layers of a model inside, in a frame, instead of one box.
        dpi: taken for Keras's sake; an .svg or .pdf is sharp at any size.
        show_layer_activations: the activation function of each layer that has one.
        show_trainable: whether training changes the weights.

    Returns:
        The Drawing, which notebooks show.

    Raises:
        ValueError: the model does not know the shape of its inputs, or its graph is code.

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(3, input_shape=[2])])
    >>> plot_model(model, to_file=None, show_shapes=True)
    <Drawing of 2 nodes: .svg(), .save("graph.svg"), .save("graph.html")>
    """
    drawing = model.draw(
        neurons=False,
        rankdir=rankdir,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        expand_nested=expand_nested,
    )
    if to_file is not None:
        drawing.save(to_file)
    return drawing
