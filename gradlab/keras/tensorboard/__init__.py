"""Event files for TensorBoard, written and read without TensorFlow.

A run leaves numbers, histograms, images, texts and its graph in files; ``tensorboard --logdir``
shows them in a browser. The callback `keras.callbacks.TensorBoard` writes them during `fit`.

Source: deck 001, section 10.2.7.
"""

from gradlab.keras.tensorboard.reader import Event as Event
from gradlab.keras.tensorboard.reader import EventFileError as EventFileError
from gradlab.keras.tensorboard.reader import read_events as read_events
from gradlab.keras.tensorboard.writer import FileWriter as FileWriter

create_file_writer = FileWriter  # its name in tf.summary
