"""Fashion-MNIST: 70,000 pictures of clothes from a shop, made like MNIST, and harder.

A linear model reads 92 % of the digits of MNIST, but only 83 % of these pictures.
"""

from __future__ import annotations

from gradlab.keras.datasets import load
from gradlab.keras.datasets.images import ImageSet

IMAGES = ImageSet(
    name="fashion_mnist",
    folder="fashion-mnist",
    keras="fashion-mnist",
    torchvision="FashionMNIST",
    sha256={
        "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
)


def load_data() -> tuple[load.Pair, load.Pair]:
    """Return (X_train, y_train), (X_test, y_test), as ``keras.datasets.fashion_mnist.load_data``.

    The images are uint8, (60000, 28, 28) and (10000, 28, 28): 0 is background, 255 is darkest. The
    labels are uint8, (60000,) and (10000,): 0 T-shirt/top, 1 Trouser, 2 Pullover, 3 Dress, 4 Coat,
    5 Sandal, 6 Shirt, 7 Sneaker, 8 Bag, 9 Ankle boot. The arrays are yours to change.

    The four files are looked for in ``GRADLAB_DATA/fashion-mnist``, gradlab's cache, the caches of
    Keras and torchvision; then they are downloaded, 31 MB. Without network you get
    ``load_sample()``.

    Warns:
        SampleNotice: only the sample could be had.

    Raises:
        DamagedDataError: a file was found, but its SHA-256 is not that of Fashion-MNIST.

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
    machine learning algorithms", 2017; the slides of deck 001. Licence of the data: MIT.

    >>> (X_train, y_train), (X_test, y_test) = load_data()  # doctest: +SKIP
    >>> X_train.shape, X_train.dtype, y_test[:3].tolist()  # doctest: +SKIP
    ((60000, 28, 28), dtype('uint8'), [9, 2, 1])
    """
    return load.load(IMAGES)


def load_sample() -> tuple[load.Pair, load.Pair]:
    """Return the part of Fashion-MNIST that travels with gradlab: for a try, or without network.

    These are the first 200 training images and the first 50 test images of each class, in the
    order in which Fashion-MNIST has them.

    >>> (X_train, y_train), (X_test, y_test) = load_sample()
    >>> X_train.shape, X_test.shape, y_test[:3].tolist()
    ((2000, 28, 28), (500, 28, 28), [9, 2, 1])
    """
    return load.load_sample(IMAGES.name)
