"""The folder of a local stack: marked as such, so that a purge never removes anything else."""

from __future__ import annotations

import shutil
from pathlib import Path

from udfs.domain.errors import StackError

__all__ = ["StackHome"]

_MARKER = "weir-home"
_TEXT = "This folder belongs to a local Weir stack. `weir down --purge` removes it with all it holds.\n"


class StackHome:
    """A folder that is, or becomes, the home of a stack.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def marked(self) -> bool:
        """Whether the folder is a stack's home."""
        return (self.path / _MARKER).is_file()

    def create(self) -> None:
        """Make the folder and mark it.

        Raises
        ------
        StackError
            If it holds other things already, or cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not self.marked and any(self.path.iterdir()):
                msg = f"{self.path} is not empty and not a home of Weir; choose another folder: WEIR_HOME=FOLDER."
                raise StackError(msg)
            (self.path / _MARKER).write_text(_TEXT, encoding="utf-8")
            (self.path / "logs").mkdir(exist_ok=True)
        except OSError as error:
            msg = f"{self.path} cannot be the stack's home: got {error}. Choose another folder: WEIR_HOME=FOLDER."
            raise StackError(msg) from error

    def remove(self) -> bool:
        """Remove the folder and return whether there was one.

        Raises
        ------
        StackError
            If it is not marked as a stack's home, or cannot be removed.
        """
        if not self.path.exists():
            return False
        if not self.marked:
            msg = f"{self.path} is not a home of Weir (it has no file {_MARKER}), so it is not removed."
            raise StackError(msg)
        try:
            shutil.rmtree(self.path)
        except OSError as error:
            msg = f"{self.path} could not be removed: got {error}."
            raise StackError(msg) from error
        return True
