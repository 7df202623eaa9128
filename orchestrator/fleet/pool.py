"""Many hosts at once: one host's failure is data, anything else ends the run."""

import contextvars
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from orchestrator.fleet.connection import OpenLogins, shared_logins
from orchestrator.model.errors import HostError, Interrupted
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _

T = TypeVar("T")

# How long ended workers may take to notice that their connections were closed (seconds).
_WAIT_FOR_END = 5.0


def over_hosts(
    hosts: Sequence[ManagedHost],
    work: Callable[[ManagedHost], T],
    concurrency: int,
    on_done: Callable[[ManagedHost, T | HostError], None] | None = None,
) -> list[T | HostError]:
    """Run ``work`` for every host, at most ``concurrency`` at once; results in the hosts' order.

    A HostError raised by ``work`` is that host's result. Logins that ``work`` makes share their
    jump hosts and are closed at the end, whatever happens. ``on_done`` is called in this thread, as
    hosts finish.

    Raises Interrupted on Ctrl-C: no new host is begun, open connections are closed. Any other
    exception of ``work`` or ``on_done`` ends the run the same way and is raised as it is.
    """
    with shared_logins() as logins:
        run = _Run(hosts, work)
        workers: list[threading.Thread] = []
        try:
            for _number in range(min(concurrency, len(hosts))):
                workers.append(run.worker())
                workers[-1].start()
            results = run.collect(on_done)
        except KeyboardInterrupt as error:
            _end(run, logins, workers)
            raise Interrupted(_("interrupted: what was under way has been ended")) from error
        except BaseException:
            _end(run, logins, workers)
            raise
        for worker in workers:
            worker.join()
        return results


def _end(run: "_Run[T]", logins: OpenLogins, workers: list[threading.Thread]) -> None:
    run.stop()
    logins.close()
    for worker in workers:
        if worker.ident is not None:
            worker.join(_WAIT_FOR_END / len(workers))


@dataclass
class _Run(Generic[T]):
    hosts: Sequence[ManagedHost]
    work: Callable[[ManagedHost], T]
    _waiting: "queue.SimpleQueue[int]" = field(default_factory=queue.SimpleQueue)
    _done: "queue.SimpleQueue[tuple[int, T | BaseException]]" = field(
        default_factory=queue.SimpleQueue
    )
    _stopped: bool = False

    def __post_init__(self) -> None:
        for index in range(len(self.hosts)):
            self._waiting.put(index)

    def worker(self) -> threading.Thread:
        context = contextvars.copy_context()
        # Daemons: a worker stuck in a name look-up must not keep the interrupted program alive.
        return threading.Thread(target=context.run, args=(self._serve,), daemon=True)

    def stop(self) -> None:
        self._stopped = True

    def _serve(self) -> None:
        while not self._stopped:
            try:
                index = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._done.put((index, self.work(self.hosts[index])))
            except BaseException as error:  # noqa: BLE001 - raised again by collect()
                if not isinstance(error, HostError):
                    self.stop()
                self._done.put((index, error))

    def collect(
        self, on_done: Callable[[ManagedHost, T | HostError], None] | None
    ) -> list[T | HostError]:
        results: dict[int, T | HostError] = {}
        while len(results) < len(self.hosts):
            index, result = self._done.get()
            if isinstance(result, BaseException) and not isinstance(result, HostError):
                raise result
            results[index] = result
            if on_done is not None:
                on_done(self.hosts[index], result)
        return [results[index] for index in range(len(self.hosts))]
