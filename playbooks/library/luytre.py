#!/usr/bin/python
"""Hand one message to the agent of luytre and return its answer."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: luytre
short_description: Let the agent of luytre work on this host
description:
  - Takes the message that the controller packed in two parts (the agent itself, and what it is
    asked) and runs it with the same bootstrap as C(luytre audit) does over SSH.
  - It begins, converges and closes a run. It converges nothing without a run that was prepared by
    C(luytre apply), because without it there is no armed way back.
options:
  agent:
    description: The packed agent, as C(luytre apply) writes it for all hosts of a run.
    type: str
    required: true
  payload:
    description: The packed request, as C(luytre apply) writes it for each host.
    type: str
    required: true
author: luytre
"""

EXAMPLES = r"""
- name: Converge
  luytre:
    agent: "{{ lookup('ansible.builtin.file', luytre_payloads + '/agent') }}"
    payload: "{{ lookup('ansible.builtin.file', luytre_payloads + '/converge/web1') }}"
"""

RETURN = r"""
luytre:
  description: The agent's result; C(state) says how the run stands.
  type: dict
  returned: success
"""


def main() -> None:
    taken = {"type": "str", "required": True, "no_log": True}
    module = AnsibleModule({"agent": taken, "payload": taken})
    shared, payload = (json.loads(module.params[name]) for name in ("agent", "payload"))
    frames = base64.b64decode(shared["agent"]) + base64.b64decode(payload["rest"])
    message = payload["head"].encode() + frames
    told = talk(module, shared["boot"], payload["marker"], message)
    for key in ("refused", "failed"):
        if key in told:
            module.fail_json(msg=told[key], luytre={"state": key, "reason": told[key]})
    result = told["result"]
    if result.get("state") not in ("begun", "converged", "confirmed"):
        module.fail_json(msg=result.get("reason", "no reason was given"), luytre=result)
    module.exit_json(changed=bool(result.get("changed")), luytre=result)


def talk(module: AnsibleModule, boot: str, marker: str, message: bytes) -> dict:
    """Run the bootstrap; its stdin stays open until the answer is complete."""
    argv = [sys.executable, "-X", "utf8", "-I", "-S", "-c", boot, marker]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(argv, **pipes)
    process.stdin.write(message)
    process.stdin.flush()
    out = process.stdout.read()
    process.stdin.close()
    err = process.stderr.read().decode("utf-8", "replace")
    process.wait()
    head = b"\n" + marker.encode() + b"\n"
    start = out.find(head)
    if start < 0:
        module.fail_json(msg="no usable answer: " + err[-500:], luytre={"state": "failed"})
    size, _, data = out[start + len(head) :].partition(b"\n")
    return json.loads(zlib.decompress(data[: int(size)]))


if __name__ == "__main__":
    main()
