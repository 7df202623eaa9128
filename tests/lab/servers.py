"""Second servers on lab hosts, and their timers."""

from contextlib import contextmanager


def wait_listening(lab, name, *ports):
    """Wait until something on the host listens on each of the TCP ``ports``."""
    for port in ports:
        answers = f"until ss -Hltn sport = :{port} | grep -q .; do sleep 0.1; done"
        lab.run(name, ["timeout", "50", "sh", "-c", answers])


def keep_timers_off(lab, name, *timers):
    """Let timers of a host, which may come later, run and not fire: tests go on at night, too."""
    for timer in timers:
        place = f"/run/systemd/system/{timer}.d/far-off.conf"
        lab.write(name, place, b"[Timer]\nOnCalendar=\nOnCalendar=2099-01-01\n")


@contextmanager
def second_sshd(lab, name, settings, port=2200):
    """Run a second sshd with ``settings`` of its own on a host; give its port once it answers."""
    own = f"{settings}Port {port}\nPidFile /run/second-sshd.pid\n"
    lab.write(name, "/etc/ssh/second", own.encode())
    lab.run(name, ["/usr/sbin/sshd", "-f", "/etc/ssh/second"])
    # sshd leaves its starter before it listens.
    wait_listening(lab, name, port)
    try:
        yield port
    finally:
        ended = "p=$(cat /run/second-sshd.pid); kill $p; while kill -0 $p; do sleep 0.1; done"
        lab.run(name, ["timeout", "20", "sh", "-c", ended])
