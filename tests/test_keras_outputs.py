"""Several outputs in training: losses, weights and metrics for each, and their order and names."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from golden import record_keras_functional as golden
from messages import says

from gradlab import keras

layers = keras.layers


pytestmark = pytest.mark.usefixtures("fresh_names")


def some(rows=40):
    x = tuple(golden.arrays(rows, 5, 6))
    return x, tuple(golden.targets(list(x), 2))


def compiled(loss=("mse", "mse"), **options):
    model = golden.with_weights(golden.wide_and_deep(keras))
    model.compile(loss=loss, optimizer=options.pop("optimizer", "sgd"), **options)
    return model


# ------------------------------------------------------------------------------ names and order


def test_evaluate_is_unpacked_as_on_the_slides():
    x, y = some()
    model = compiled(loss_weights=(0.9, 0.1), metrics=["RootMeanSquaredError"])
    total, main_loss, aux_loss, main_rmse, aux_rmse = model.evaluate(x, y, verbose=0)
    assert total == pytest.approx(0.9 * main_loss + 0.1 * aux_loss)
    assert main_rmse == pytest.approx(main_loss**0.5)
    assert aux_rmse == pytest.approx(aux_loss**0.5)
    assert main_rmse != pytest.approx(aux_rmse)
    by_name = model.evaluate(x, y, verbose=0, return_dict=True)
    assert by_name == {
        "loss": total,
        "main_loss": main_loss,
        "aux_loss": aux_loss,
        "main_root_mean_squared_error": main_rmse,
        "aux_root_mean_squared_error": aux_rmse,
    }
    assert list(by_name) == model.metrics_names


@pytest.mark.parametrize("names", [("output", "aux_output"), ("zebra", "ant"), (None, None)])
def test_the_order_is_that_of_the_outputs_whatever_their_names(names):
    x, y = some()
    wide, deep = keras.Input([5]), keras.Input([6])
    hidden = layers.Dense(4)(deep)
    main = layers.Dense(1, name=names[0])(layers.concatenate([wide, hidden]))
    model = keras.Model([wide, deep], [main, layers.Dense(1, name=names[1])(hidden)])
    model.compile(loss="mse", optimizer="sgd", metrics=["mae"])
    first, second = model.output_names
    keys = ["loss", f"{first}_loss", f"{second}_loss", f"{first}_mae", f"{second}_mae"]
    history = model.fit(x, y, validation_data=(x, y), verbose=0).history
    assert list(history) == [*keys, *(f"val_{key}" for key in keys)]
    one, two = model.predict(x, verbose=0)
    found = model.evaluate(x, y, verbose=0)
    assert found[1] == pytest.approx(np.square(one - y[0]).mean(), rel=1e-5)
    assert found[4] == pytest.approx(np.abs(two - y[1]).mean(), rel=1e-5)


def test_predictions_by_name():
    x, _ = some()
    model = compiled()
    y_pred = dict(zip(model.output_names, model.predict(x, verbose=0), strict=True))
    assert {name: y.shape for name, y in y_pred.items()} == {"main": (40, 1), "aux": (40, 1)}


# --------------------------------------------------------------------------- what is given how


WAYS = {
    "tuples": {"loss": ("mse", "mae"), "loss_weights": (0.7, 0.3)},
    "lists": {"loss": ["mse", "mae"], "loss_weights": [0.7, 0.3]},
    "dicts": {"loss": {"aux": "mae", "main": "mse"}, "loss_weights": {"aux": 0.3, "main": 0.7}},
    "objects": {
        "loss": [keras.losses.MeanSquaredError(), keras.losses.mean_absolute_error],
        "loss_weights": np.array([0.7, 0.3]).tolist(),
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_the_ways_to_give_losses_are_one(way):
    x, y = some()
    quiet = {"epochs": 2, "verbose": 0, "shuffle": False}
    expected = compiled(**WAYS["tuples"]).fit(x, y, **quiet).history
    assert compiled(**WAYS[way]).fit(x, y, **quiet).history == expected
    by_name = {"deep": x[1], "wide": x[0]}, {"aux": y[1], "main": y[0]}
    assert compiled(**WAYS[way]).fit(*by_name, **quiet).history == expected


def test_one_loss_is_for_all_outputs():
    x, y = some()
    one, two = compiled("mse"), compiled(("mse", "mse"))
    assert one.evaluate(x, y, verbose=0) == two.evaluate(x, y, verbose=0)


def test_metrics_for_each_output():
    x, y = some()
    for metrics in ([["mae"], ["mse", "mape"]], {"aux": ["mse", "mape"], "main": "mae"}):
        model = compiled(metrics=metrics)
        model.evaluate(x, y, verbose=0)
        assert model.metrics_names[3:] == ["main_mae", "aux_mse", "aux_mape"]


def test_a_metric_object_counts_each_output_apart():
    x, y = some()
    metric = keras.metrics.RootMeanSquaredError(name="rmse")
    shared, apart = compiled(metrics=[metric]), compiled(metrics=["RootMeanSquaredError"])
    assert shared.evaluate(x, y, verbose=0) == apart.evaluate(x, y, verbose=0)
    assert shared.metrics_names[3:] == ["main_rmse", "aux_rmse"]
    shared.compile(loss="mse", metrics=[[metric], []])
    shared.evaluate(x, y, verbose=0)
    assert shared.metrics_names[3:] == ["main_rmse"]


def test_weights_of_instances_for_each_output():
    x, y = some()
    twice = np.full(40, 2.0)
    model = compiled()
    total, main, aux = model.evaluate(x, y, verbose=0)
    found = model.evaluate(x, y, sample_weight=(twice, None), verbose=0)
    assert found == pytest.approx([2 * main + aux, 2 * main, aux], rel=1e-6)
    found = model.evaluate(x, y, sample_weight={"aux": twice}, verbose=0)
    assert found == pytest.approx([main + 2 * aux, main, 2 * aux], rel=1e-6)
    assert model.evaluate(x, y, sample_weight=twice, verbose=0)[0] == pytest.approx(2 * total)


def test_an_output_without_loss_has_none_in_the_history():
    x, y = some()
    for loss in (["mse", None], {"main": "mse"}):
        model = compiled(loss)
        model.get_layer("aux").trainable = False
        with warnings.catch_warnings():  # such a step may run on the tape, and says so
            warnings.simplefilter("ignore", UserWarning)
            history = model.fit(x, y, verbose=0).history
        assert list(history) == ["loss", "main_loss"]
        assert history["loss"] == history["main_loss"]


# ------------------------------------------------------------------------- other ways to hand in


def test_a_part_is_held_back_of_all_inputs_and_outputs():
    x, y = some()
    split = compiled().fit(x, y, validation_split=0.25, shuffle=False, verbose=0).history
    first, last = slice(30), slice(30, None)
    rest = tuple(a[last] for a in x), tuple(a[last] for a in y)
    given = compiled().fit(
        tuple(a[first] for a in x),
        tuple(a[first] for a in y),
        validation_data=rest,
        shuffle=False,
        verbose=0,
    )
    assert given.history == split


def test_batches_that_are_handed_out():
    x, y = some()
    apart = np.linspace(0.1, 2.0, 40)

    def batches():
        for start in range(0, 40, 10):
            rows = slice(start, start + 10)
            targets = {"main": y[0][rows], "aux": y[1][rows]}
            yield (x[0][rows], x[1][rows]), targets, {"aux": apart[rows]}

    one = compiled().fit(batches(), verbose=0).history
    options = {"batch_size": 10, "shuffle": False, "verbose": 0}
    assert one == compiled().fit(x, y, sample_weight=(None, apart), **options).history


def test_single_batches():
    x, y = some()
    model, other = compiled(metrics=["mae"]), compiled(metrics=["mae"])
    found = model.train_on_batch(x, y, return_dict=True)
    options = {"batch_size": 40, "shuffle": False, "verbose": 0}
    expected = other.fit(x, y, **options).history
    assert {key: [value] for key, value in found.items()} == expected
    pair = model.predict_on_batch(x)
    assert type(pair) is tuple and pair[0].shape == (40, 1)


# ------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"loss": {"main": "mse", "auxiliary": "mse"}},
            ("loss: given for 'auxiliary'", "names of outputs: main, aux"),
        ),
        ({"loss": ("mse", "mse", "mse")}, ("loss: 3 for 2 outputs", "main, aux")),
        ({"loss": ["mse"]}, ("loss: 1 for 2 outputs",)),
        ({"loss_weights": {"output": 0.9}}, ("loss_weights: given for 'output'",)),
        ({"loss_weights": (0.9,)}, ("loss_weights: 1 for 2 outputs",)),
        ({"loss_weights": 0.5}, ("loss_weights: one for 2 outputs",)),
        ({"metrics": {"mian": ["mae"]}}, ("metrics: given for 'mian'",)),
        ({"metrics": [["mae"], ["mae"], ["mae"]]}, ("metrics: 3 for 2 outputs",)),
    ],
    ids=lambda given: str(given)[:30] if isinstance(given, dict) else "",
)
def test_compile_tells_before_anything_changes(options, words):
    model = compiled("mae", optimizer="adam")
    optimizer = model.optimizer
    with pytest.raises(ValueError) as error:
        model.compile(**{"loss": "mse", "optimizer": "sgd", **options})
    says(error, *words)
    assert model.loss == "mae" and model.optimizer is optimizer


def test_class_weights_are_for_one_output():
    x, y = some()
    with pytest.raises(ValueError) as error:
        compiled().fit(x, y, class_weight={0: 1.0}, verbose=0)
    says(error, "class_weight for 2 outputs", "sample_weight")


def test_several_losses_for_one_output():
    model = keras.Sequential([layers.Dense(1, input_shape=[3])])
    with pytest.raises(ValueError) as error:
        model.compile(loss=["mse", "mae"])
    says(error, "loss: 2 for 1 output")


@pytest.mark.parametrize(
    ("pick", "words"),
    [
        (lambda y: y[0], ("y: one for 2 outputs", "main, aux")),
        (lambda y: (*y, y[0]), ("y: 3 for 2 outputs",)),
        (lambda y: {"main": y[0], "aux_output": y[1]}, ("y: given for 'aux_output'",)),
        (lambda y: {"main": y[0]}, ("a loss for 'aux', but no y",)),
    ],
    ids=["one", "three", "name", "missing"],
)
def test_targets_that_do_not_fit(pick, words):
    x, y = some()
    model = compiled()
    before = model.get_weights()
    with pytest.raises(ValueError) as error:
        model.fit(x, pick(y), verbose=0)
    says(error, *words)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
