"""Many hosts at once."""

import os
import signal
import threading

import pytest

from orchestrator.fleet.pool import over_hosts
from orchestrator.model.errors import Interrupted, UnreachableError
from orchestrator.model.host import Endpoint, ManagedHost


def hosts(count):
    return [ManagedHost(f"h{i}", Endpoint(f"h{i}", "192.0.2.1")) for i in range(count)]


def test_results_come_in_the_order_of_the_hosts():
    late = threading.Event()

    def work(host):
        if host.name == "h0":
            late.wait(10)
        elif host.name == "h4":
            late.set()
        return host.name

    assert over_hosts(hosts(5), work, 2) == ["h0", "h1", "h2", "h3", "h4"]


def test_one_hosts_failure_is_its_result_and_the_others_finish():
    def work(host):
        if host.name == "h1":
            raise UnreachableError("h1", "no route")
        return host.name

    first, failed, last = over_hosts(hosts(3), work, 3)
    assert (first, last) == ("h0", "h2")
    assert isinstance(failed, UnreachableError)


def test_never_more_than_the_wanted_number_at_once():
    lock, busy, seen = threading.Lock(), set(), []
    together = threading.Barrier(3)

    def work(host):
        with lock:
            busy.add(host.name)
            seen.append(len(busy))
        together.wait(10)
        with lock:
            busy.discard(host.name)

    over_hosts(hosts(12), work, 3)
    assert max(seen) == 3


def test_the_operator_hears_of_each_host_as_it_ends_in_one_thread():
    heard = []
    over_hosts(
        hosts(20),
        lambda host: host.name,
        5,
        lambda host, result: heard.append((host.name, result, threading.current_thread())),
    )
    assert sorted(name for name, _result, _thread in heard) == sorted(h.name for h in hosts(20))
    assert {thread for _name, _result, thread in heard} == {threading.current_thread()}
    assert all(name == result for name, result, _thread in heard)


def test_a_programming_error_is_not_hidden_and_ends_the_run():
    begun = []

    def work(host):
        begun.append(host.name)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        over_hosts(hosts(100), work, 1)
    assert len(begun) < 100


def test_an_error_of_the_listener_is_raised_too():
    def listener(_host, _result):
        raise LookupError

    with pytest.raises(LookupError):
        over_hosts(hosts(3), lambda _host: None, 2, listener)


def test_ctrl_c_begins_no_new_host():
    begun = []
    stopped = threading.Event()

    def work(host):
        begun.append(host.name)
        if host.name == "h0":
            os.kill(os.getpid(), signal.SIGINT)
        stopped.wait(10)

    timer = threading.Timer(5, stopped.set)
    timer.start()
    with pytest.raises(Interrupted):
        over_hosts(hosts(50), work, 2)
    timer.join()
    assert set(begun) <= {"h0", "h1"}


def test_no_hosts_no_results():
    assert over_hosts([], lambda _host: None, 5) == []


def test_no_thread_is_left():
    before = set(threading.enumerate())
    over_hosts(hosts(30), lambda _host: None, 10)
    # Those of tests before may end meanwhile.
    assert not set(threading.enumerate()) - before
