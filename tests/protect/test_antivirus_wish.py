"""What is scanned, where signatures come from, which files a mirror takes."""

import io
import tarfile
from pathlib import Path

import pytest

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.host import Endpoint, ManagedHost
from orchestrator.protect.antivirus import mirror, wish


def host(name="web1", **variables):
    return ManagedHost(name, Endpoint(name, name, 22, "ops"), variables=variables)


def test_without_a_word_the_usual_places_are_scanned_and_nothing_is_moved():
    asked = wish.scan_wish(host())
    assert asked == {
        "paths": list(wish.USUAL_PATHS),
        "paths_if_there": ["/var/www", "/dev/shm"],
        "excludes": wish.OURS,
        "quarantine": False,
    }


def test_what_is_declared_is_scanned_and_nothing_else():
    asked = wish.scan_wish(
        host(luytre_antivirus_paths=["/data"], luytre_antivirus_excludes=["/data/iso"])
    )
    assert (asked["paths"], asked["paths_if_there"]) == (["/data"], [])
    assert asked["excludes"] == ["/data/iso", "/srv/luytre-vault", "/srv/luytre-copy"]


def test_a_mirror_serves_where_its_own_address_says():
    place = wish.mirror_place(host(luytre_clamav_mirror="http://m.example:8080/clamav/"))
    assert place == ("m.example", 8080, "/clamav")
    assert place.url == "http://m.example:8080/clamav"


def test_an_address_of_ipv6_keeps_its_brackets():
    place = wish.mirror_place(host(luytre_clamav_mirror="http://[2001:db8::1]"))
    assert place.url == "http://[2001:db8::1]:80"


@pytest.mark.parametrize("address", ["https://m.example", ""])
def test_a_mirror_without_an_address_that_it_can_serve_is_refused(address):
    with pytest.raises(ConfigurationError, match="where it serves"):
        wish.mirror_place(host(luytre_clamav_mirror=address))


def test_a_mirror_that_is_no_managed_server_is_refused():
    named = host(luytre_antivirus_mirror="mirror2")
    with pytest.raises(ConfigurationError, match="mirror2"):
        wish.mirrors([named], {"mirror1": host("mirror1")})


def test_files_of_our_own_get_the_names_that_servers_ask_for(tmp_path):
    for name in ("incident-7.hdb", "daily.cvd"):
        (tmp_path / name).write_text(name)
    packed = mirror.pack([tmp_path / "incident-7.hdb", tmp_path / "daily.cvd"])
    with tarfile.open(fileobj=io.BytesIO(packed.content)) as archive:
        assert archive.getnames() == ["luytre-own.hdb", "daily.cvd"]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("luytre-own.hdb: 3 -> 1 signatures", "/usb/incident-7.hdb: 3 -> 1 signatures"),
        ("daily.cvd: older than what is published", "new/daily.cvd: older than what is published"),
        (
            "together they do not load: Can't load /srv/luytre-signatures/17.5/luytre-own.hdb: bad",
            "together they do not load: Can't load /usb/incident-7.hdb: bad",
        ),
        ("together they do not load: luytre-own.ndb", "together they do not load: luytre-own.ndb"),
        ("/var/lib/clamav/daily.cvd: gone", "/var/lib/clamav/daily.cvd: gone"),
        ("the archive is cut off", "the archive is cut off"),
    ],
)
def test_a_refused_file_is_told_by_the_name_that_the_operator_gave(problem, told):
    files = {"luytre-own.hdb": Path("/usb/incident-7.hdb"), "daily.cvd": Path("new/daily.cvd")}
    assert mirror.Packed(b"", files).named(problem) == told


@pytest.mark.parametrize("names", [["a.exe"], ["other.cvd"], ["a.hdb", "b.hdb"], ["gone.hdb"]])
def test_what_a_mirror_does_not_serve_is_refused_before_anybody_is_asked(tmp_path, names):
    for name in names:
        if name != "gone.hdb":
            (tmp_path / name).write_text("x")
    with pytest.raises(ConfigurationError):
        mirror.pack([tmp_path / name for name in names])
