"""The place of a value of a control in its file, looked up only when it is needed."""

from pathlib import Path

from orchestrator.model.control import Control
from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.workspace.yaml_source import read

Keys = tuple[str | int, ...]


def position_of(control: Control, keys: Keys) -> Position | None:
    """Return the place of the value under ``keys`` of a control; its file is read again for that.

    Where the file is gone or was broken since it was loaded, the control's own place remains.
    """
    if control.position is None:
        return None
    try:
        document = read(Path(control.position.path))
    except ConfigurationError:
        return control.position
    items = document.data if isinstance(document.data, list) else []
    for index, item in enumerate(items):
        if isinstance(item, dict) and item.get("id") == control.id:
            return document.locate((index, *keys))
    return control.position
