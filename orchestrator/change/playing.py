"""A play in a thread of its own."""

import threading
from collections.abc import Callable


class Playing:
    """Work that runs a play, begun at once.

    It is not the main thread's: ansible-runner replaces signal handlers there. ``failure`` is what
    it raised, once it has ended.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self.failure: BaseException | None = None
        self._work = work
        self._ended = threading.Event()
        threading.Thread(target=self._carry_out, name="ansible").start()

    def wait(self) -> None:
        """Wait for its end; may be interrupted, and called again.

        It is waited for by an event: Python takes a thread for ended whose join was interrupted.
        """
        self._ended.wait()

    def _carry_out(self) -> None:
        try:
            self._work()
        except BaseException as problem:  # noqa: BLE001 - carried to whoever waits
            self.failure = problem
        finally:
            self._ended.set()
