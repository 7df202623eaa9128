"""Throwaway Debian hosts for rehearsal, demo and tests."""

from orchestrator.lab.errors import LabError
from orchestrator.lab.lab import Lab
from orchestrator.lab.model import HostSpec, LabHost, Trait

__all__ = ["HostSpec", "Lab", "LabError", "LabHost", "Trait"]
