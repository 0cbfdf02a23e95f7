"""The models under the name Keras has for them: ``keras.models.Sequential``."""

from __future__ import annotations

from gradlab.keras.model import Model as Model
from gradlab.keras.sequential import Sequential as Sequential
