"""The methods of a model that save and restore it; how, is said in the modules beside this one."""

from __future__ import annotations

import os
from typing import Any


class Saved:
    """The part of a model that knows how to get into a file and out of it."""

    _losses: Any

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        include_optimizer: bool = True,
        save_format: str | None = None,
    ) -> None:
        """Write the model to a ``.keras`` file, or to a folder; see `keras.models.save_model`."""
        from gradlab.keras.saving import models

        models.save_model(self, filepath, overwrite, include_optimizer, save_format)  # type: ignore[arg-type]

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights alone, to a ``.weights.h5`` file; see `keras.saving.save_weights`."""
        from gradlab.keras.saving import weights

        weights.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> None:
        """Put the weights of a file into this model; see `keras.saving.load_weights`."""
        from gradlab.keras.saving import weights

        weights.load_weights(self, filepath, skip_mismatch)

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of `compile` as files have them; none before `compile`."""
        from gradlab.keras.saving import compiling

        return compiling.compile_config(self)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile the model as `get_compile_config` of another one says."""
        from gradlab.keras.saving import compiling

        compiling.compile_from(self, config)
