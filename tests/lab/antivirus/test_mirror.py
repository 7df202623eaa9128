"""The mirror serves what is whole, refuses what is not, and says each day that it is there."""

import hashlib
import signal
import time

import pytest

from tests.lab.change.desk import ended, until
from tests.lab.servers import wait_listening

from .conftest import (
    BOTH,
    MIRROR,
    SERVED,
    SMALL,
    USED,
    WEB,
    digests,
    on,
    proof,
    publish,
    signatures,
    updated,
    verdicts,
    wrapped,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]
_SITE = "/etc/nginx/conf.d/luytre-signatures.conf"
_RELOAD = "systemctl reload nginx.service"
# nginx is told to read its settings again, and nobody when it has.
_CLOSED = "timeout 20 sh -c 'while ss -Hltn sport = :8080 | grep -q .; do sleep 0.1; done'"


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("hdb", "no signature\n"),
        ("ndb", "Luytre.Broken:0:*:zz\n"),
        ("yar", "rule broken { condition: \n"),
        # It would find a file that every server has.
        ("ndb", f"Luytre.Everywhere:0:*:{b'PRETTY_NAME'.hex()}\n"),
        ("ndb", f"Luytre.Dpkg:0:*:{b'cannot skip padding for file'.hex()}\n"),
    ],
)
def test_fault_54_the_mirror_refuses_a_broken_file_and_keeps_the_old_one(
    desk, lab, suffix, content
):
    before = digests(lab, MIRROR, SERVED)
    files = signatures(desk, **{suffix: content})
    done = desk.ask("antivirus", "mirror", "publish", "--replace", *files)
    assert done.code == 6, done
    problem = done.document["mirrors"][0]["problem"]
    assert problem.startswith(f"{files[0]}: ")
    assert "luytre-own" not in problem
    assert "/srv" not in problem
    assert digests(lab, MIRROR, SERVED) == before


def test_fault_54_the_mirror_refuses_an_official_file_without_its_signature(desk, lab):
    before = on(lab, MIRROR, f"ls {SERVED}")
    false = desk.directory / "daily.cvd"
    body = b"\x1f\x8b" + b"x" * 100
    whole = hashlib.md5(body).hexdigest()
    head = f"ClamAV-VDB:30 Nov 2026 07-00 +0000:27999:1:90:{whole}:AAAA:nobody:1796000000"
    false.write_bytes(head.encode().ljust(512) + body)
    done = desk.ask("antivirus", "mirror", "publish", str(false))
    assert done.code == 6, done
    assert "integrity" in done.document["mirrors"][0]["problem"]
    assert on(lab, MIRROR, f"ls {SERVED}") == before


def test_fault_54_a_broken_file_on_the_mirror_leaves_the_old_one_in_use_on_servers(desk, lab):
    before = {host: digests(lab, host, USED) for host in (WEB, SMALL)}
    lab.write(MIRROR, f"{SERVED}/luytre-own.hdb", b"broken on the disk\n")
    # HTTP tells times by the second: what came within the same one is not fetched again.
    on(lab, MIRROR, f"touch -d '1 minute' {SERVED}/luytre-own.hdb")
    status = desk.ask("antivirus", "mirror", "status")
    assert status.code == 1
    (mirror,) = status.document["mirrors"]
    assert ["luytre-own.hdb" in one for one in mirror["unreadable"]] == [True]
    done = desk.ask("antivirus", "update", "--limit", BOTH)
    assert done.code == 1, done
    for host in (WEB, SMALL):
        assert "freshclam" in done.host(host)["problem"]
        assert digests(lab, host, USED) == before[host]
        assert proof(desk, host)[1] == "found"
    publish(desk)
    updated(desk, lab)


def test_a_publication_whose_terminal_is_gone_is_in_the_log_and_ends_on_the_mirror(desk, lab):
    files, before = signatures(desk), on(lab, MIRROR, f"readlink {SERVED}")
    hold = "touch /root/held; until test -e /root/go; do sleep 0.1; done"
    words = ("antivirus", "mirror", "publish", *files)
    with wrapped(lab, MIRROR, "/usr/bin/clamscan", hold), desk.started(*words) as publication:
        until(lambda: on(lab, MIRROR, "ls /root/held || true"), "the mirror looks at a file")
        publication.send_signal(signal.SIGHUP)
        assert ended(publication).code == 130
        on(lab, MIRROR, "touch /root/go")
        until(lambda: on(lab, MIRROR, f"readlink {SERVED}") != before, "it is published")
    on(lab, MIRROR, "rm /root/held /root/go")
    newest = desk.ask("log", "show").document["entries"][:2]
    told = {"files": files, "replace": False}
    assert [(one["action"], one["detail"]) for one in newest] == [
        (
            "publication of signatures interrupted",
            {**told, "mirrors": {MIRROR: "not waited for: it may publish all the same"}},
        ),
        ("publication of signatures started", {**told, "mirrors": [MIRROR]}),
    ]


def test_signatures_that_are_served_are_not_lost_unasked(desk, lab):
    before = digests(lab, MIRROR, SERVED)
    other = signatures(desk, hdb="d41d8cd98f00b204e9800998ecf8427e:7:Luytre.Other\n")
    refused = desk.ask("antivirus", "mirror", "publish", *other)
    assert refused.code == 6
    assert "1 -> 1 signatures, 1 of those" in refused.document["mirrors"][0]["problem"]
    assert digests(lab, MIRROR, SERVED) == before
    shown = desk.luytre("antivirus", "mirror", "publish", *signatures(desk))
    assert shown.code == 0, shown


def test_a_mirror_whose_web_server_is_stopped_is_told_and_set_up_again(desk, lab):
    address = next(host.address for host in lab.hosts() if host.name == MIRROR)
    assert desk.ask("antivirus", "mirror", "status").code == 0
    on(lab, MIRROR, "systemctl disable --quiet --now nginx.service")
    try:
        status = desk.ask("antivirus", "mirror", "status")
        assert status.code == 1, status
        (mirror,) = status.document["mirrors"]
        asked = f"http://{address}:8080/clamav/luytre-own.hdb"
        assert mirror["unanswered"] == f"{asked}: Connection refused"
        assert desk.ask("antivirus", "setup", "--yes", "--limit", WEB).code == 0
        assert on(lab, MIRROR, "systemctl is-enabled nginx.service").strip() == "enabled"
        assert desk.ask("antivirus", "mirror", "status").code == 0
    finally:
        on(lab, MIRROR, "systemctl enable --quiet --now nginx.service")


@pytest.mark.parametrize(
    ("broken", "mended", "why"),
    [
        (f"chmod 0600 {SERVED}/*", f"chmod 0644 {SERVED}/*", "answers 403"),
        (
            f"mv {_SITE} /root; {_RELOAD}; {_CLOSED}",
            f"mv /root/*.conf {_SITE}; {_RELOAD}",
            "refused",
        ),
    ],
    ids=["unreadable", "without its site"],
)
def test_a_web_server_that_runs_and_serves_nothing_is_told(desk, lab, broken, mended, why):
    on(lab, MIRROR, broken)
    try:
        status = desk.ask("antivirus", "mirror", "status")
        assert status.code == 1, status
        assert why in status.document["mirrors"][0]["unanswered"]
    finally:
        on(lab, MIRROR, mended)
        wait_listening(lab, MIRROR, 8080)
    assert desk.ask("antivirus", "mirror", "status").code == 0


def test_a_mirror_at_the_root_of_its_name_is_served_and_its_site_is_read_first(desk, lab):
    set_up = ("antivirus", "setup", "--yes", "--limit", WEB)
    before = on(lab, MIRROR, f"cat {_SITE}")
    address = next(host.address for host in lab.hosts() if host.name == MIRROR)
    try:
        desk.declare(MIRROR, luytre_clamav_mirror=f"http://{address}:8090")
        assert desk.ask(*set_up).code == 0
        port = "python3 -c \"import urllib.request as u; print(u.urlopen('http://{}:8090/{}').status)\""
        until(lambda: "200" in on(lab, WEB, port.format(address, "luytre-own.hdb")), "it serves")
        # What another site says is wrong as well: ours stays as it was.
        on(lab, MIRROR, "echo nonsense > /etc/nginx/conf.d/z.conf")
        served = on(lab, MIRROR, f"cat {_SITE}")
        desk.declare(MIRROR, luytre_clamav_mirror=f"http://{address}:8091")
        refused = desk.ask(*set_up)
        assert refused.code == 1
        (why,) = [one["why"] for one in refused.document["hosts"] if one["host"] == MIRROR]
        assert "z.conf" in why
        assert on(lab, MIRROR, f"cat {_SITE}; ls /etc/nginx/conf.d").split() == [
            *served.split(),
            "luytre-signatures.conf",
            "z.conf",
        ]
    finally:
        on(lab, MIRROR, "rm -f /etc/nginx/conf.d/z.conf")
        (desk.inventory / f"host_vars/{MIRROR}.yml").unlink()
        assert desk.ask(*set_up).code == 0
    assert on(lab, MIRROR, f"cat {_SITE}; nginx -t") == before


def test_the_mirror_says_each_day_that_its_own_files_are_of_that_day(desk, lab):
    timer = "luytre-signatures.timer"
    assert on(
        lab, MIRROR, f"systemctl is-active {timer}; systemctl is-enabled {timer}"
    ).split() == [
        "active",
        "enabled",
    ]
    before = on(lab, MIRROR, f"head -qn 1 {SERVED}/luytre-own.*").splitlines()
    content = f"tail -qn +2 {SERVED}/luytre-own.*"
    signatures_before = on(lab, MIRROR, content)
    on(lab, MIRROR, "sleep 1; systemctl start luytre-signatures.service")
    after = on(lab, MIRROR, f"head -qn 1 {SERVED}/luytre-own.*").splitlines()
    assert len(after) == 3
    assert not set(before) & set(after)
    assert on(lab, MIRROR, content) == signatures_before
    updated(desk, lab)
    for host in (WEB, SMALL):
        assert on(lab, host, f"head -qn 1 {USED}/luytre-own.*").splitlines() == after
        assert verdicts(desk, host, "own-signatures") == {"own-signatures": "pass"}
    stale = int(time.time()) - 8 * 86400
    on(lab, SMALL, f"sed -i '1s/.*/# luytre-signatures: {stale}/' {USED}/luytre-own.ndb")
    assert verdicts(desk, SMALL, "own-signatures") == {"own-signatures": "fail"}
    on(lab, SMALL, f"rm {USED}/luytre-own.ndb")
    assert verdicts(desk, SMALL, "own-signatures") == {"own-signatures": "fail"}
    updated(desk, lab, SMALL)
    assert verdicts(desk, SMALL, "own-signatures") == {"own-signatures": "pass"}
