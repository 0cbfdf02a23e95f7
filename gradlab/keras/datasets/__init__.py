"""The data sets of the course, as ``keras.datasets`` has them: one line loads them.

MNIST and Fashion-MNIST are found on your machine or downloaded; the others travel with gradlab.
"""

from gradlab.keras.datasets import california_housing as california_housing
from gradlab.keras.datasets import fashion_mnist as fashion_mnist
from gradlab.keras.datasets import iris as iris
from gradlab.keras.datasets import mnist as mnist
from gradlab.keras.datasets.images import DamagedDataError as DamagedDataError
from gradlab.keras.datasets.load import SampleNotice as SampleNotice
