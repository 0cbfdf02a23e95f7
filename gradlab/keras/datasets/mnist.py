"""MNIST: 70,000 handwritten digits, 28 x 28 pixels each; the task is to read them.

Half were written by employees of the American census bureau, half by pupils.
"""

from __future__ import annotations

from gradlab.keras.datasets import load
from gradlab.keras.datasets.images import ImageSet

IMAGES = ImageSet(
    name="mnist",
    folder="mnist",
    keras="mnist.npz",
    torchvision="MNIST",
    sha256={
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
)


def load_data(path: str = "mnist.npz") -> tuple[load.Pair, load.Pair]:
    """Return (X_train, y_train), (X_test, y_test), as ``keras.datasets.mnist.load_data`` does.

    The images are uint8, (60000, 28, 28) and (10000, 28, 28): 0 is paper, 255 is ink. The labels
    are uint8, (60000,) and (10000,): the digits 0 to 9. The arrays are yours to change.

    The four files are looked for in ``GRADLAB_DATA/mnist``, gradlab's cache, the caches of Keras
    and torchvision; then they are downloaded, 12 MB. Without network you get ``load_sample()``.

    Args:
        path: an ``.npz`` file of Keras, in its cache or anywhere if you give the full path.

    Warns:
        SampleNotice: only the sample could be had.

    Raises:
        DamagedDataError: a file was found, but its SHA-256 is not that of MNIST.

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998; the
    slides of deck 000. Licence of the data: CC BY-SA 3.0.

    >>> (X_train, y_train), (X_test, y_test) = load_data()  # doctest: +SKIP
    >>> X_train.shape, X_train.dtype, y_train[:5].tolist()  # doctest: +SKIP
    ((60000, 28, 28), dtype('uint8'), [5, 0, 4, 1, 9])
    """
    return load.load(IMAGES._replace(keras=path))


def load_sample() -> tuple[load.Pair, load.Pair]:
    """Return the part of MNIST that travels with gradlab: for a try, or where there is no network.

    These are the first 200 training images and the first 50 test images of each digit, in the
    order in which MNIST has them.

    >>> (X_train, y_train), (X_test, y_test) = load_sample()
    >>> X_train.shape, X_test.shape, y_train[:5].tolist()
    ((2000, 28, 28), (500, 28, 28), [5, 0, 4, 1, 9])
    """
    return load.load_sample(IMAGES.name)
