"""Images in folders, one for each class, as batches that are read when they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gradlab.keras import config
from gradlab.keras.layers.augmentation import Resizing
from gradlab.keras.utils.sequences import Batches

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
COLOURS = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
MODES = ("int", "categorical", "binary", None)


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    verbose: bool = True,
) -> Any:
    """Return the images of ``directory/class/*.png`` with their classes, as batches for `fit`.

    Args:
        directory: with a folder for each class.
        labels: "inferred" from the folders; a list with a number for each file in the order of
            their names; or None for images alone.
        label_mode: "int" for class numbers, "categorical" for rows of zeros and a one, "binary" for
            0.0 or 1.0.
        class_names: the folders in an order of your own; by default that of the alphabet.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: images per batch; None for single images.
        image_size: (height, width) that all are brought to.
        shuffle: an order of its own for each pass.
        seed: of that order, and of what goes into which subset.
        validation_split: the share of the files that is held back.
        subset: "training", "validation", or "both" for a list of the two.
        interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio: see `keras.layers.Resizing`.
        verbose: say how many files were found.

    Returns:
        Batches of images (batch, rows, columns, channels) from 0 to 255, and labels; with the
        attributes ``class_names`` and ``file_paths``.

    Raises:
        ValueError: no images, or arguments that do not fit.
    """
    _check(directory, label_mode, color_mode, validation_split, subset, shuffle, seed)
    paths, numbers, names = _found(Path(directory), labels, class_names, verbose)
    if not paths or (label_mode == "binary" and len(names) != 2):
        raise ValueError(
            f"image_dataset_from_directory: {len(paths)} images of {len(names)} classes in "
            f"{directory}, label_mode={label_mode!r}\n"
            f"expected {', '.join(SUFFIXES)} files in a folder for each class, two for 'binary'\n"
            "write labels=None for a folder of images without classes"
        )
    if numbers is None or label_mode is None:
        label_mode, numbers = None, np.zeros(len(paths), np.int32)
    order = np.arange(len(paths))
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed  # noqa: NPY002 - the order of Keras
        np.random.RandomState(seed).shuffle(order)
    settings = (interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio)
    height, width = (image_size,) * 2 if isinstance(image_size, int) else image_size
    resize = Resizing(height, width, *settings)

    def batches(part: np.ndarray) -> Batches:
        def read(rows: np.ndarray) -> Any:
            files = [paths[k] for k in part[rows]]
            x = np.concatenate([np.asarray(resize(_pixels(f, color_mode))) for f in files])
            return x if label_mode is None else (x, _labels(numbers[part[rows]], label_mode, names))

        drawn = np.random.default_rng(seed) if shuffle else None
        files = [str(paths[k]) for k in part]
        return Batches(read, len(part), batch_size, drawn, class_names=names, file_paths=files)

    parts = _parts(order, validation_split, subset, verbose)
    return [batches(p) for p in parts] if subset == "both" else batches(parts[0])


def _check(
    directory: Any, label_mode: Any, color_mode: Any, split: Any, subset: Any, *order: Any
) -> None:
    shuffle, seed = order
    fits = label_mode in MODES and color_mode in COLOURS and Path(directory).is_dir()
    if not fits:
        raise ValueError(
            f"image_dataset_from_directory: {directory}, label_mode={label_mode!r}, "
            f"color_mode={color_mode!r}\n"
            f"expected a folder, one of {MODES}, and one of {', '.join(COLOURS)}\n"
            "write label_mode='int', color_mode='rgb'"
        )
    known = subset in ("training", "validation", "both")
    if (split is None) != (subset is None) or (split is not None and not (known and 0 < split < 1)):
        raise ValueError(
            f"image_dataset_from_directory: validation_split={split}, subset={subset!r}\n"
            "expected a share and 'training', 'validation' or 'both', or neither\n"
            "write validation_split=0.2, subset='both', seed=42"
        )
    if split is not None and shuffle and seed is None and subset != "both":
        raise ValueError(
            "image_dataset_from_directory: a subset of files in an order without a seed\n"
            "expected a seed: the other subset must be what is left\nwrite seed=42"
        )


def _found(folder: Path, labels: Any, class_names: Any, verbose: bool) -> Any:
    """Return the files, the number of the class of each, and the names of the classes."""
    if labels == "inferred":
        names = list(class_names or sorted(p.name for p in folder.iterdir() if p.is_dir()))
        found = [(path, k) for k, name in enumerate(names) for path in _images(folder / name)]
        paths, numbers = [p for p, _ in found], [k for _, k in found]
    else:
        paths, numbers, names = _images(folder), labels, []
        names = [str(k) for k in sorted(set(labels))] if labels is not None else names
    if numbers is not None and len(numbers) != len(paths):
        raise ValueError(
            f"image_dataset_from_directory: {len(numbers)} labels for {len(paths)} images\n"
            "expected one for each file, in the order of their names\nwrite labels='inferred'"
        )
    if verbose:
        classes = f" belonging to {len(names)} classes" if numbers is not None else ""
        print(f"Found {len(paths)} files{classes}.")
    return paths, None if numbers is None else np.array(numbers, np.int32), names


def _images(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES]


def _parts(order: np.ndarray, split: float | None, subset: Any, verbose: bool) -> list[np.ndarray]:
    """Return what is in the subsets that are asked for; the last files are held back."""
    if split is None:
        return [order]
    kept = len(order) - int(split * len(order))
    both = {"training": order[:kept], "validation": order[kept:]}
    wanted = [name for name in both if subset in (name, "both")]
    if empty := [name for name in wanted if not len(both[name])]:
        raise ValueError(
            f"image_dataset_from_directory: no file for {empty[0]}: {len(order)} files, "
            f"validation_split={split}\nexpected at least one\nwrite a larger or smaller share"
        )
    for name in wanted if verbose else ():
        print(f"Using {len(both[name])} files for {name}.")
    return [both[name] for name in wanted]


def _pixels(path: Path, color_mode: str) -> np.ndarray:
    """Return an image as (1, rows, columns, channels)."""
    from PIL import Image

    with Image.open(path) as image:
        pixels = np.asarray(image.convert(COLOURS[color_mode]), config.floatx())
    return pixels.reshape(1, *pixels.shape[:2], -1)


def _labels(numbers: np.ndarray, mode: str, names: list[str]) -> np.ndarray:
    if mode == "int":
        return numbers
    if mode == "categorical":
        return np.eye(len(names), dtype=config.floatx())[numbers]
    return numbers.astype(config.floatx())[:, np.newaxis]
