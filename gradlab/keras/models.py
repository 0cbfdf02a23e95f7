"""The models under the name Keras has for them: ``keras.models.Sequential``."""

from __future__ import annotations

from gradlab.keras.cloning import clone_model as clone_model
from gradlab.keras.model import Model as Model
from gradlab.keras.saving.models import load_model as load_model
from gradlab.keras.saving.models import save_model as save_model
from gradlab.keras.sequential import Sequential as Sequential
