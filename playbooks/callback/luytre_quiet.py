"""Print nothing: what hosts answer is read from events, and could take minutes to print."""

from __future__ import annotations

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: luytre_quiet
type: stdout
short_description: Print nothing
description:
  - A host that answers with megabytes would hold up the events of all others while it is printed.
extends_documentation_fragment:
  - default_callback
"""


class CallbackModule(CallbackBase):
    """A callback whose methods do nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "luytre_quiet"
