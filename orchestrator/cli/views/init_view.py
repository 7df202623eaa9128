"""A fresh workspace and the way on, for people and for programs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.model.i18n import _
from orchestrator.model.text import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from orchestrator.workspace.directory import Workspace


def render(workspace: "Workspace") -> "RenderableType":
    """Return what was made and the next steps, in their order."""
    from rich.text import Text  # noqa: PLC0415 - programs need no rich

    directory = visible(str(workspace.directory))
    steps = (
        (_("write down the servers"), f"{directory}/inventories/hosts.yml"),
        (_("check what was written"), "luytre inventory list"),
        (_("pin the servers' host keys"), "luytre inventory enroll"),
        (_("compare them with the baseline; nothing is changed"), "luytre audit"),
    )
    text = Text.assemble((_("The workspace is ready: {path}").format(path=directory), "bold"), "\n")
    if not workspace.directory.samefile(Path.cwd()):
        text.append(f"\n  cd {visible(os.path.relpath(workspace.directory))}\n", "cyan")
    for number, (what, how) in enumerate(steps, start=1):
        text.append(f"\n{number}. {what}\n")
        text.append(f"   {how}\n", "cyan")
    return text


def document(workspace: "Workspace") -> dict[str, Any]:
    """Return where the workspace and its inventory are."""
    return {
        "workspace": str(workspace.directory),
        "inventory": str(workspace.settings.inventory),
        "operator": workspace.settings.operator.name,
    }
