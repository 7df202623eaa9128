"""The baseline, the profiles and the templates that are shipped."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.agent import schema
from orchestrator.baseline.check import check_templates
from orchestrator.baseline.compile import compile_manifest
from orchestrator.baseline.document import markdown
from orchestrator.baseline.load import examine, load_baseline
from orchestrator.fleet.inventory_schema import validate
from orchestrator.model.control import Alternatives, Baseline, Control, State
from orchestrator.model.errors import ConfigurationError
from orchestrator.workspace.shipped import shipped
from tests.baseline.conftest import host

TEMPLATES = [shipped("templates")]
VARIABLES: dict[str, Any] = {
    "luytre_admin_sources": ["192.0.2.0/28", "192.0.2.0/25", "2001:db8::/64"],
    "luytre_services": [
        {"name": "https", "port": 443},
        {"name": "dns", "port": 53, "protocol": "udp", "sources": ["10.0.0.0/8", "::/0"]},
        {"name": "db", "port": 5432, "sources": ["10.1.2.3"]},
    ],
    "luytre_clamav_mirror": "http://clamav.example.org",
}


def declared(**changed: Any) -> dict[str, Any]:
    """Return the variables as the inventory hands them over: checked, defaults filled in."""
    values, problems = validate({**VARIABLES, **changed})
    assert problems == []
    return values


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return load_baseline([shipped("baselines")])


def states(control: Control) -> list[State]:
    found: list[State] = []
    for wish in control.desired:
        ways = wish.any_of if isinstance(wish, Alternatives) else ((wish,),)
        found += [state for way in ways for state in way]
    return found


def ruleset(baseline: Baseline, **changed: Any) -> str:
    who = host(port=changed.pop("port", 22), **declared(**changed))
    document = compile_manifest(
        baseline, "cis-level1-server", who, TEMPLATES, controls=["firewall-default-drop"]
    ).document
    return str(document["controls"][0]["desired"][1]["want"]["ruleset"])


def test_nothing_is_wrong_with_it() -> None:
    found, problems = examine([shipped("baselines")])
    assert [str(problem) for problem in problems] == []
    assert [str(problem) for problem in check_templates(found, TEMPLATES)] == []


def test_the_documentation_is_up_to_date(baseline: Baseline) -> None:
    written = Path(__file__).parents[2] / "docs" / "controls.md"
    assert written.read_text(encoding="utf-8") == markdown(baseline), (
        "luytre baseline docs > docs/controls.md"
    )


@pytest.mark.parametrize("profile", ["cis-level1-server", "cis-level2-server", "tcvn-level-2"])
def test_every_profile_compiles(baseline: Baseline, profile: str) -> None:
    document = compile_manifest(baseline, profile, host(**declared()), TEMPLATES).document
    assert len(document["controls"]) == len(baseline.profiles[profile].controls) > 30
    assert "{{" not in json.dumps(document)


def test_the_minimal_profile_needs_nothing_from_the_inventory(baseline: Baseline) -> None:
    assert compile_manifest(baseline, "minimal", host(), TEMPLATES).document["controls"]


def test_every_control_is_referenced_and_told_in_both_languages(baseline: Baseline) -> None:
    for control in baseline.controls.values():
        assert control.id.startswith((f"{control.chapter}-",)), control.id
        assert control.refs.get("tcvn-11930"), control.id
        assert control.title.en != control.title.vi, control.id
        assert not control.title.en.endswith("."), control.id
        assert control.why.en.endswith("."), control.id
        assert control.why.vi.endswith("."), control.id


def test_every_kind_is_used(baseline: Baseline) -> None:
    used = {state.kind for control in baseline.controls.values() for state in states(control)}
    assert used == set(schema.KINDS)


def test_what_can_lock_operators_out_says_so(baseline: Baseline) -> None:
    for name in ("ssh-root-login", "ssh-ciphers", "ssh-forwarding", "firewall-default-drop"):
        assert baseline.controls[name].risk == "lockout"


def test_no_control_takes_key_logins_or_sudo_from_operators(baseline: Baseline) -> None:
    options = {
        option.lower()
        for control in baseline.controls.values()
        for state in states(control)
        if state.kind == "sshd"
        for option in state.want
    }
    forbidden = {"pubkeyauthentication", "authorizedkeysfile", "allowusers"}
    assert not options & forbidden
    written = {
        state.want["path"]
        for one in baseline.controls.values()
        for state in states(one)
        if state.kind == "file" and {"content", "template"} & set(state.want)
    }
    assert not [path for path in written if path.startswith(("/etc/sudoers", "/etc/pam.d"))]


def test_who_logs_in_over_ssh_is_left_to_people_until_they_say_it(baseline: Baseline) -> None:
    def groups(**variables: Any) -> Any:
        who = host(**declared(**variables))
        document = compile_manifest(
            baseline, "cis-level1-server", who, TEMPLATES, controls=["ssh-access"]
        ).document
        return document["controls"][0]["desired"][0]["want"]

    assert groups() == {"AllowGroups": {"only": []}}
    assert groups(luytre_ssh_groups=["quantri", "ops"]) == {
        "AllowGroups": {"only": ["quantri", "ops"]}
    }


@pytest.mark.parametrize(
    ("variables", "kept"),
    [
        ({}, None),
        ({"luytre_keep_services": []}, None),
        ({"luytre_keep_services": ["dns"]}, None),
        ({"luytre_keep_services": ["web"]}, "luytre_keep_services: web"),
        ({"luytre_services": [{"name": "portal", "port": 443}]}, "luytre_services: 443"),
        ({"luytre_services": [{"name": "db", "port": 5432}]}, None),
    ],
)
def test_a_web_server_keeps_its_web_server(
    baseline: Baseline, variables: dict[str, Any], kept: str | None
) -> None:
    who = host(**declared(**{"luytre_services": [], **variables}))
    document = compile_manifest(
        baseline, "cis-level1-server", who, TEMPLATES, controls=["services-web"]
    ).document
    assert document["controls"][0]["applies"] == ({"kept": kept} if kept else {})


def test_a_mistyped_service_to_keep_is_refused_with_what_was_meant(baseline: Baseline) -> None:
    who = host(luytre_keep_services=["wbe"])
    with pytest.raises(
        ConfigurationError, match="luytre_keep_services: no control knows 'wbe'"
    ) as caught:
        compile_manifest(baseline, "minimal", who, TEMPLATES)
    assert caught.value.hint == "did you mean: web?"


def test_every_service_that_is_taken_away_can_be_kept(baseline: Baseline) -> None:
    spared = {"services-cron", "services-journald", "services-rsyslog"}
    for control in baseline.controls.values():
        if control.chapter == "services" and control.id not in spared:
            assert control.applies.get("unless_kept"), control.id


def test_a_jump_host_keeps_forwarding(baseline: Baseline) -> None:
    def forwarding(**variables: Any) -> Any:
        document = compile_manifest(
            baseline, "cis-level2-server", host(**variables), TEMPLATES, controls=["ssh-forwarding"]
        ).document
        return document["controls"][0]["desired"][0]["want"]

    assert forwarding() == {"DisableForwarding": "yes"}
    assert forwarding(luytre_jump_host=False) == {"DisableForwarding": "yes"}
    assert forwarding(luytre_jump_host=True) == {"DisableForwarding": "no"}


@pytest.mark.parametrize("missing", sorted(VARIABLES))
def test_a_host_that_does_not_say_what_is_needed_is_refused(
    baseline: Baseline, missing: str
) -> None:
    who = host(**{name: value for name, value in VARIABLES.items() if name != missing})
    with pytest.raises(ConfigurationError, match=f"{missing} is not defined") as caught:
        compile_manifest(baseline, "cis-level1-server", who, TEMPLATES)
    assert caught.value.message.startswith("web1: ")
    assert missing in caught.value.hint
    assert caught.value.position is not None


def test_ssh_is_let_in_from_the_administration_networks_only(baseline: Baseline) -> None:
    lines = [line.strip() for line in ruleset(baseline, port=2222).splitlines() if "2222" in line]
    assert lines == [
        'ip saddr { 192.0.2.0/25 } tcp dport 2222 accept comment "ssh"',
        'ip6 saddr { 2001:db8::/64 } tcp dport 2222 accept comment "ssh"',
    ]


def test_services_are_let_in_from_their_sources(baseline: Baseline) -> None:
    text = ruleset(baseline)
    assert '\ttcp dport 443 accept comment "https"\n' in text
    assert '\tip saddr { 10.0.0.0/8 } udp dport 53 accept comment "dns"\n' in text
    assert '\tip6 saddr { ::/0 } udp dport 53 accept comment "dns"\n' in text
    assert [line for line in text.splitlines() if "5432" in line] == [
        '\t\tip saddr { 10.1.2.3/32 } tcp dport 5432 accept comment "db"'
    ]


def test_the_table_is_ours_alone_and_leaves_forwarding_to_others(baseline: Baseline) -> None:
    lines = [line for line in ruleset(baseline).splitlines() if line and not line.startswith("#")]
    assert lines[0] == "table inet luytre {"
    assert lines[-1] == "}"
    assert [line.strip() for line in lines if "hook" in line] == [
        "type filter hook input priority filter; policy drop;"
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"luytre_services": []},
        {"luytre_admin_sources": ["10.0.0.0/8"]},
        {"luytre_admin_sources": ["2001:db8::/64"]},
        {"luytre_admin_sources": ["0.0.0.0/0", "::/0"], "port": 65535},
    ],
)
def test_nft_accepts_the_ruleset(
    baseline: Baseline, tmp_path: Path, changed: dict[str, Any]
) -> None:
    file = tmp_path / "rules.nft"
    file.write_text(ruleset(baseline, **changed), encoding="utf-8")
    command = ["unshare", "--net", "--map-root-user", "nft", "--check", "--file", str(file)]
    if not shutil.which("nft"):
        pytest.skip("nft is not installed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_banner_says_nothing_of_the_system() -> None:
    banner = (TEMPLATES[0] / "banner" / "issue.net.j2").read_text(encoding="utf-8")
    assert "Authorised access only" in banner
    assert "Chỉ người được cấp quyền" in banner
    # login programs replace backslash sequences by system details
    assert "\\" not in banner
    assert not [word for word in ("Debian", "Linux", "OpenSSH") if word in banner]
