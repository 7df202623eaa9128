"""A way to a vault for tests that need no vault."""

from orchestrator.protect.on_host import restic


class Way(restic.Vault):
    """A way to a vault whose restic is a script."""

    def __init__(self, script: str, *, there: bool) -> None:
        super().__init__({"vault": "vault1", "address": "192.0.2.1", "port": 1, "user": "x"})
        self._script, self._there = script, there

    def argv(self, *_arguments: str) -> list[str]:
        return ["sh", "-c", self._script]

    def answers(self) -> bool:
        return self._there
