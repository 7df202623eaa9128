"""What an apply is given: the plans, and under whose name and which run they are carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.change.own_roles import Own
from orchestrator.model.change import HostPlan
from orchestrator.model.manifest import Manifest


@dataclass(frozen=True)
class Order:
    """What to apply: planned changes by host, under one run and one operator.

    ``window`` is in seconds: how long a host waits for its confirmation. ``witness`` is the head of
    the audit log, left on every host that is touched; ``journal_days`` is how long the way back of
    a run is kept there. ``own`` are the operator's own roles. ``updates``: nothing but packages is
    brought up to date, and a host that took itself back gets the old ones back at once.
    """

    run: str
    operator: str
    window: int
    journal_days: int
    witness: str
    digest_key: bytes
    playbook: Path
    pins_file: Path
    plans: Mapping[str, HostPlan]
    manifests: Mapping[str, Manifest]
    own: Own
    updates: bool = False
