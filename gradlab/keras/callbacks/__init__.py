"""Callbacks: what else happens at the beginning and the end of training, epochs and batches.

`fit` calls each hook of each callback; a callback overrides those that it needs.

Source: deck 001, sections 10.2.6 and 10.2.7.
"""

from gradlab.keras.callbacks.backup import BackupAndRestore as BackupAndRestore
from gradlab.keras.callbacks.base import Callback as Callback
from gradlab.keras.callbacks.base import CallbackList as CallbackList
from gradlab.keras.callbacks.base import LambdaCallback as LambdaCallback
from gradlab.keras.callbacks.base import Logs as Logs
from gradlab.keras.callbacks.checkpoint import ModelCheckpoint as ModelCheckpoint
from gradlab.keras.callbacks.finder import ExponentialLearningRate as ExponentialLearningRate
from gradlab.keras.callbacks.finder import LearningRateFinder as LearningRateFinder
from gradlab.keras.callbacks.history import History as History
from gradlab.keras.callbacks.history import ProgbarLogger as ProgbarLogger
from gradlab.keras.callbacks.rates import LearningRateScheduler as LearningRateScheduler
from gradlab.keras.callbacks.rates import ReduceLROnPlateau as ReduceLROnPlateau
from gradlab.keras.callbacks.stopping import EarlyStopping as EarlyStopping
from gradlab.keras.callbacks.stopping import TerminateOnNaN as TerminateOnNaN
from gradlab.keras.callbacks.tables import CSVLogger as CSVLogger
from gradlab.keras.callbacks.tensorboard import TensorBoard as TensorBoard
from gradlab.keras.callbacks.tensorboard import get_run_logdir as get_run_logdir
