"""systemd's units: what is asked over the bus, and every way back of links and services."""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

ETC = "/etc/systemd/system"
LINKS = f"find {ETC} /etc/rc?.d -printf '%p %y %m %l\\n' | sort"
THERE_AND_BACK = """
from agent import kinds, resources
wants, before = given["wants"], []
for want in wants:
    kind, target = kinds.module("unit"), kinds.Target(host, "probe")
    for resource in kind.propose(want, kind.observe(want, host), target).resources:
        before.append((resource, *resources.capture(resource, host)))
for want in wants:
    kind.converge(want, target)
    host.forget()
    verdict = kind.judge(want, kind.observe(want, host)).verdict
for resource, state, content in reversed(before):
    resources.restore(resource, state, content, host)
    host.forget()
tell([verdict, [r for r, s, c in before]])
"""
SERVICE = "[Service]\nExecStart=/usr/bin/sleep infinity\n"


@pytest.fixture
def units(g1: Inside):
    """Return a function that writes unit files; they are gone afterwards."""
    names: list[str] = []

    def write(**texts: str) -> None:
        for name, text in texts.items():
            name = name.replace("__", "@").replace("_", ".")  # noqa: PLW2901 - a file's name
            names.append(name)
            g1.lab.write(g1.name, f"/usr/lib/systemd/system/{name}", text.encode())
        g1.sh("systemctl daemon-reload")

    yield write
    for name in names:
        g1.sh(f"systemctl stop {name} 2>/dev/null || true; rm -f /usr/lib/systemd/system/{name}")
    g1.sh(f"find {ETC} -name 'probe*' -delete; systemctl daemon-reload; systemctl reset-failed")


def active(inside: Inside, *names: str) -> list[str]:
    """Return how units stand."""
    return inside.sh(f"systemctl is-active {' '.join(names)} || true").split()


def trip(inside: Inside, *wants: dict[str, object]) -> tuple[str, list[str]]:
    """Bring units where they shall be and back; return the verdict between and the resources."""
    verdict, resources = inside.python(THERE_AND_BACK, {"wants": wants})
    return verdict, resources


def test_every_unit_is_told_as_systemctl_tells_it(each: Inside):
    each.sh(
        f"ln -sf /dev/null {ETC}/probe-masked.service;"
        f"ln -sf /usr/lib/systemd/system/ssh.service {ETC}/probe-alias.service;"
        "systemctl daemon-reload"
    )
    listed = each.sh(
        "systemctl list-unit-files --no-legend --plain --full;"
        "systemctl list-units --all --no-legend --plain --full"
    )
    names = sorted({line.split()[0] for line in listed.splitlines()} - {"-.mount"})
    names = [name for name in names if "@." not in name] + ["none-such.service", "-.mount"]
    assert len(names) > 150
    told = each.python(
        """
        from agent import systemd
        states = systemd.unit_states(host, given)
        tell({name: [s.load, s.active, s.enabled] for name, s in states.items()})
        """,
        names,
    )
    shown = each.sh(
        "systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState -- "
        + " ".join(f"'{name}'" for name in names)
    )
    for name, block in zip(names, shown.strip("\n").split("\n\n"), strict=True):
        properties = dict(line.split("=", 1) for line in block.split("\n"))
        wanted = [properties["LoadState"], properties["ActiveState"]]
        assert told[name][:2] == wanted, name
        if properties.get("UnitFileState"):
            assert told[name][2] == properties["UnitFileState"], name
    each.sh(f"rm {ETC}/probe-*; systemctl daemon-reload")


@pytest.mark.parametrize("name", ["getty@.service", "ssh.service", "cron.service", "no.such"])
def test_starting_at_boot_is_told_as_is_enabled_tells_it(each: Inside, name: str):
    code = (
        "from agent import systemd; tell(systemd.unit_states(host, [given])[given].enabled or '')"
    )
    said = each.lab.run(each.name, ["systemctl", "is-enabled", name], check=False).stdout
    assert each.python(code, name) == said.decode().strip().replace("not-found", "")


def test_one_broken_unit_does_not_hide_the_others(g1: Inside):
    g1.sh(f"ln -sfn probe-loop.service {ETC}/probe-loop.service; systemctl daemon-reload")
    manifest = {
        "controls": [
            {"id": name, "desired": [{"kind": "unit", "want": {"name": name, "active": True}}]}
            for name in ("ssh.service", "probe-loop.service")
        ]
    }
    try:
        findings = g1.ask("audit", manifest=manifest)["result"]["findings"]
    finally:
        g1.sh(f"rm {ETC}/probe-loop.service; systemctl daemon-reload")
    assert findings[0]["verdict"] == "pass"
    assert findings[1]["verdict"] in ("error", "fail")


@pytest.mark.parametrize(
    "want",
    [
        {"enabled": False, "active": False},
        {"enabled": False},
        {"active": False},
        {"enabled": False, "active": False, "masked": True},
        {"active": False, "masked": True},
    ],
)
def test_a_running_unit_comes_back(g1: Inside, units, want):
    install = "[Install]\nWantedBy=multi-user.target probe.target\nAlias=probe-too.service\n"
    units(probe_service=SERVICE + install)
    g1.sh("systemctl -q enable --now probe.service")
    before = g1.sh(LINKS)
    assert "probe-too.service" in before
    assert trip(g1, {"name": "probe.service", **want})[0] == "pass"
    assert g1.sh(LINKS) == before
    assert active(g1, "probe.service") == ["active"]


@pytest.mark.parametrize("masked", [False, True])
def test_a_stopped_or_masked_unit_comes_back(g1: Inside, units, masked):
    units(probe_service=SERVICE + "[Install]\nWantedBy=multi-user.target\n")
    if masked:
        g1.sh("systemctl -q mask probe.service")
    before = g1.sh(LINKS)
    want = {"name": "probe.service", "masked": False, "enabled": True, "active": True}
    assert trip(g1, want)[0] == "pass"
    assert g1.sh(LINKS) == before
    assert active(g1, "probe.service") == ["inactive"]


LOCAL = {"name": "probe.service", "masked": True}
WANTED = "[Install]\nWantedBy=multi-user.target\nAlias=probe-too.service\n"


@pytest.fixture
def local(each: Inside):
    """A host with a service that its administrator wrote into /etc, enabled and running."""
    each.lab.write(each.name, f"{ETC}/probe.service", (SERVICE + WANTED).encode())
    each.sh("systemctl daemon-reload; systemctl -q enable --now probe.service")
    yield each
    each.sh("systemctl stop probe.service 2>/dev/null || true; rm -rf /etc/systemd/system.control")
    each.sh(f"find {ETC} -name 'probe*' -delete; systemctl daemon-reload; systemctl reset-failed")


@pytest.mark.parametrize("name", ["probe.service", "probe-too.service"])
@pytest.mark.parametrize(
    "want", [{}, {"active": False}, {"enabled": False}, {"enabled": False, "active": False}]
)
def test_a_unit_whose_file_is_in_etc_can_be_masked_and_comes_back(local: Inside, name, want):
    before = local.sh(LINKS + f"; sha256sum {ETC}/probe.service; ls /etc/systemd")
    assert trip(local, {"name": name, "masked": True, **want})[0] == "pass"
    assert local.sh(LINKS + f"; sha256sum {ETC}/probe.service; ls /etc/systemd") == before
    assert active(local, "probe.service") == ["active"]


def test_a_masked_unit_whose_file_is_in_etc_cannot_be_started_until_it_is_unmasked(local: Inside):
    code = """
    from agent import kinds
    kind = kinds.module("unit")
    kind.converge(given, kinds.Target(host, "probe"))
    host.expect(["systemctl", "daemon-reload"])
    tell(kind.judge(given, kind.observe(given, host)).verdict)
    """
    want = {"name": "probe.service", "masked": True, "active": False}
    assert local.python(code, want) == "pass"
    assert local.status("systemctl", "start", "probe.service") != 0
    assert local.python(code, {**want, "masked": False, "active": True}) == "pass"
    assert active(local, "probe.service") == ["active"]


def test_a_directory_of_masks_that_others_use_stays(local: Inside):
    local.sh("systemctl set-property probe.service MemoryMax=100M")
    before = local.sh("find /etc/systemd/system.control | sort")
    assert "probe.service.d" in before
    assert trip(local, LOCAL)[0] == "pass"
    assert local.sh("find /etc/systemd/system.control | sort") == before


@pytest.mark.parametrize(
    ("want", "now"),
    [
        ({"enabled": True, "active": True}, "pass"),
        ({"enabled": False}, "fail"),
        ({"enabled": False, "active": False}, "fail"),
        ({"masked": True}, "fail"),
        ({"masked": False}, "pass"),
    ],
)
def test_an_alias_is_judged_and_changed_as_the_unit_itself(g1: Inside, units, want, now):
    units(probe_service=SERVICE + WANTED)
    g1.sh("systemctl -q enable --now probe.service")
    wanted = {"name": "probe-too.service", **want}
    state = {"kind": "unit", "want": wanted}
    manifest = {"controls": [{"id": "a", "desired": [state]}]}
    found = g1.ask("audit", manifest=manifest)["result"]["findings"][0]
    assert found["verdict"] == now
    assert "probe-too.service (probe.service): loaded, enabled, active" in str(found)
    before = g1.sh(LINKS)
    verdict, resources = trip(g1, wanted)
    assert verdict == "pass"
    if now == "fail":
        assert "unit:probe.service" in resources
    assert g1.sh(LINKS) == before
    assert active(g1, "probe.service") == ["active"]


def test_an_alias_that_is_disabled_stays_so(g1: Inside, units):
    """Disabling takes the alias away: there is nothing of that name any more."""
    units(probe_service=SERVICE + WANTED)
    g1.sh("systemctl -q enable --now probe.service")
    code = """
    from agent import kinds
    kind = kinds.module("unit")
    kind.converge(given, kinds.Target(host, "probe"))
    host.expect(["systemctl", "daemon-reload"])
    tell(kind.judge(given, kind.observe(given, host)).verdict)
    """
    want = {"name": "probe-too.service", "enabled": False, "active": False}
    assert g1.python(code, want) == "pass"
    assert g1.status("systemctl", "is-enabled", "-q", "probe.service") != 0
    assert active(g1, "probe.service") == ["inactive"]
    assert g1.python(code, {**want, "masked": True}) == "pass"


def test_who_masks_ctrl_alt_del_does_not_mask_the_reboot(each: Inside):
    before = each.sh(LINKS)
    name = "ctrl-alt-del.target"
    verdict, resources = trip(each, {"name": name, "masked": True})
    assert (verdict, resources) == ("pass", [f"unit:{name}"])
    assert each.sh(LINKS) == before
    assert each.sh("systemctl show -p LoadState --value reboot.target") == "loaded\n"


def test_an_instance_of_a_template_comes_back(g1: Inside, units):
    units(probe___service=SERVICE + "[Install]\nWantedBy=multi-user.target\n")
    g1.sh("systemctl -q enable --now probe@a.service probe@b.service")
    before = g1.sh(LINKS)
    assert trip(g1, {"name": "probe@a.service", "enabled": False, "active": False})[0] == "pass"
    assert g1.sh(LINKS) == before
    assert active(g1, "probe@a.service", "probe@b.service") == ["active", "active"]


def test_a_unit_that_is_not_there_can_be_masked_and_comes_back(g1: Inside):
    before = g1.sh(LINKS)
    assert trip(g1, {"name": "probe-none.service", "masked": True})[0] == "pass"
    assert g1.sh(LINKS) == before


def test_units_that_are_enabled_along_come_back_too(g1: Inside, units):
    """``Also=`` makes systemctl disable the socket together with its service."""
    units(
        probe_service=SERVICE + "[Install]\nWantedBy=multi-user.target\nAlso=probe.socket\n",
        probe_socket="[Socket]\nListenStream=/run/probe\n[Install]\nWantedBy=sockets.target\n",
    )
    g1.sh("systemctl -q enable --now probe.socket probe.service")
    before = g1.sh(LINKS)
    assert "sockets.target.wants/probe.socket" in before
    assert trip(g1, {"name": "probe.service", "enabled": False, "active": False})[0] == "pass"
    assert g1.sh(LINKS) == before
    assert active(g1, "probe.socket", "probe.service") == ["active", "active"]


@pytest.mark.parametrize(
    "bond", ["Requires=probe.service", "BindsTo=probe.service", "PartOf=probe.service"]
)
def test_units_that_stop_along_run_again(g1: Inside, units, bond):
    units(
        probe_service=SERVICE,
        **{"probe-child_service": f"[Unit]\n{bond}\nAfter=probe.service\n" + SERVICE},
    )
    g1.sh("systemctl start probe.service probe-child.service")
    verdict, resources = trip(g1, {"name": "probe.service", "active": False})
    assert verdict == "pass"
    assert resources == ["unit:probe.service", "unit:probe-child.service"]
    assert active(g1, "probe.service", "probe-child.service") == ["active", "active"]


def test_a_unit_that_has_to_make_room_runs_again(g1: Inside, units):
    units(
        probe_service="[Unit]\nConflicts=probe-rival.service\n" + SERVICE,
        **{"probe-rival_service": SERVICE},
    )
    g1.sh("systemctl start probe-rival.service")
    assert trip(g1, {"name": "probe.service", "active": True})[0] == "pass"
    assert active(g1, "probe.service", "probe-rival.service") == ["inactive", "active"]


def test_a_directory_of_links_keeps_its_mode(g1: Inside, units):
    units(probe_service=SERVICE + "[Install]\nWantedBy=probe.target\n")
    g1.sh("systemctl -q enable probe.service")
    wants = f"{ETC}/probe.target.wants"
    before = g1.sh(f"stat -c '%a %U' {wants}")
    g1.python(
        """
        from agent.resources import unit
        os.umask(0o077)
        links = unit.links("probe.service")
        unit.put_links("probe.service", {})
        assert not os.path.exists(given)
        unit.put_links("probe.service", links)
        """,
        wants,
    )
    assert g1.sh(f"stat -c '%a %U' {wants}") == before


@pytest.mark.parametrize("verb", ["reload", "restart"])
def test_what_is_masked_or_does_not_run_is_not_reloaded(g1: Inside, units, verb):
    """Masked by its administrator, or not running: nothing is to be done, nothing fails."""
    units(probe_service=SERVICE)
    code = "from agent import rollback; rollback.activate([given], host); tell('done')"
    assert g1.python(code, f"{verb} probe.service") == "done"
    assert active(g1, "probe.service") == ["inactive"]
    g1.sh("systemctl start probe.service; systemctl -q mask probe.service")
    assert g1.python(code, f"{verb} probe.service") == "done"
    assert g1.python(code, f"{verb} none-such.service") == "done"


def test_a_service_without_reload_that_runs_is_restarted(g1: Inside, units):
    units(probe_service=SERVICE)
    g1.sh("systemctl start probe.service")
    pid = g1.sh("systemctl show -p MainPID --value probe.service")
    g1.python("from agent import rollback; rollback.activate(['reload probe.service'], host)")
    assert g1.sh("systemctl show -p MainPID --value probe.service") != pid


def test_a_service_is_reloaded_however_often_it_was_before(g1: Inside, units):
    """systemd's limit of starts must not kill what we reload."""
    units(probe_service=SERVICE)
    g1.sh("systemctl start probe.service")
    code = "from agent import rollback\nfor _ in range(12): rollback.activate([given], host)"
    g1.python(code, "restart probe.service")
    assert active(g1, "probe.service") == ["active"]
