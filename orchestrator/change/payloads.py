"""What the module of our playbooks is handed: the agent, a request per host and step, variables."""

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orchestrator.change.order import Order
from orchestrator.fleet.agent import write_agent, write_payload
from orchestrator.model.change import HostPlan

_CHANGING = ("begin", "converge")
# Only where packages are to be removed after the confirmation.
_REMOVING = ("await", "finish")


def write_payloads(
    directory: Path, hosts: Iterable[str], order: Order
) -> dict[str, dict[str, Any]]:
    """Write the payloads of a run below ``directory``; return the playbook's variables by host."""
    payloads = directory / "payloads"
    for operation in (*_CHANGING, *_REMOVING):
        (payloads / operation).mkdir(parents=True)
    write_agent(payloads / "agent")
    variables = {}
    for name in hosts:
        plan = order.plans[name]
        install = {p: v for change in plan.changes for p, v in change.install.items()}
        remove = sorted({package for change in plan.changes for package in change.remove})
        for operation in (*_CHANGING, *(_REMOVING if remove else ())):
            request = {"operation": operation, "run": order.run}
            if operation == "begin":
                request |= _begin(plan, order) | {"install": install, "remove": remove}
            write_payload(payloads / operation / name, request)
        variables[name] = {
            "luytre_payloads": str(payloads),
            "luytre_run": order.run,
            "luytre_install": [f"{p}={v}" if v else p for p, v in sorted(install.items())],
            "luytre_remove": remove,
        }
    return variables


def _begin(plan: HostPlan, order: Order) -> dict[str, Any]:
    return {
        "operator": order.operator,
        "controller": socket.gethostname(),
        "witness": order.witness,
        "window": order.window,
        "journal_days": order.journal_days,
        "manifest": order.manifests[plan.host].document,
        "changes": {change.control: dict(change.before) for change in plan.changes},
        "prunes": [change.control for change in plan.changes if change.prunes],
    }
