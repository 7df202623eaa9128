"""Somebody breaks in: what he does is at the controller, and stays there until somebody looks."""

import pytest

from tests.lab.change.desk import Desk, until
from tests.lab.change.wishes import control

from .conftest import (
    CONTROLS,
    OFFICE,
    PARAMETERS,
    SERVERS,
    THIEF,
    WEB,
    address,
    alerts,
    kept_out,
    login,
    look,
    of_files,
    unwatched,
    watch,
    whats,
)

MORE = (control("own-hello", {"package": {"name": "hello", "state": "installed"}}),)
pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800), pytest.mark.usefixtures("english")]


def come(lab, source, target, user, key, command="id"):
    """Log in from a lab host; return whether sshd let us in."""
    words = login(address(lab, target), user, key, command)
    return lab.run(source, words, check=False).returncode == 0


def test_a_quiet_server_is_watched_and_has_no_open_alert(desk):
    done = desk.ask("intrusion", "status", "--limit", ",".join(SERVERS))
    assert done.code == 0, done.document
    assert [one["lacks"] for one in done.document["hosts"]] == [{}, {}]
    assert done.document["open"] == 0
    # The controller's own logins, and its sudo, are no news.
    assert alerts(desk) == []


def test_an_intrusion_is_told_step_by_step(lab, desk):
    # He guesses until he is kept out; comes from elsewhere, with a stolen key; becomes root, leaves
    # a way back, and changes a program.
    def guesses_and_is_kept_out():
        assert not come(lab, THIEF, WEB, "admin", "/root/wrong")
        return kept_out(lab, WEB, address(lab, THIEF))

    until(guesses_and_is_kept_out, "he is kept out", 240, 0.3)
    lab.run(WEB, ["sh", "-c", "echo 'clerk ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/clerk"])
    assert come(lab, OFFICE, WEB, "clerk", "/root/stolen", "sudo -n useradd -m -G sudo helper")
    assert come(lab, OFFICE, WEB, "clerk", "/root/stolen", "sudo -n cp /usr/bin/true /usr/bin/who")
    look(lab, WEB)

    done = desk.ask("intrusion", "status", "--limit", WEB)
    assert done.code == 3
    told = {one["details"]["what"]: one for one in alerts(desk) if one["host"] == WEB}
    assert told["ban"]["details"]["source"] == address(lab, THIEF)
    assert told["login_source"]["details"]["source"] == address(lab, OFFICE)
    assert told["login_source"]["details"]["user"] == "clerk"
    assert told["sudo_first"]["details"]["user"] == "clerk"
    assert told["sudoers_new"]["details"]["path"] == "/etc/sudoers.d/clerk"
    assert told["account_new"]["details"]["user"] == "helper"
    joined = {"what": "group_mighty", "user": "helper", "group": "sudo"}
    assert told["group_mighty"]["details"] == joined
    changed = {one["details"].get("path") for one in alerts(desk, "--kind", "integrity")}
    assert {"/usr/bin/who", "/etc/passwd", "/etc/sudoers.d/clerk"} <= changed

    shown = desk.luytre("intrusion", "alerts", "--limit", WEB).out
    assert f"clerk logged in from {address(lab, OFFICE)}" in shown.replace("\n", " ")


def test_nothing_is_told_twice(desk):
    before = [one["number"] for one in alerts(desk, "--all")]
    done = desk.ask("intrusion", "status", "--limit", WEB)
    assert done.document["new"] == 0
    assert [one["number"] for one in alerts(desk, "--all")] == before


def test_status_names_the_servers_and_the_next_command(desk):
    assert desk.ask("audit", "--limit", ",".join(SERVERS)).code in (0, 3)
    told = desk.ask("status").document
    matter = next(one for one in told["matters"] if one["concern"] == "intrusion")
    assert matter["hosts"] == [WEB]
    assert matter["command"] == "luytre intrusion alerts --limit web"


def test_the_report_tells_of_it_in_both_languages(desk, tmp_path, monkeypatch):
    for language, words in (("en", "clerk logged in from"), ("vi", "clerk đăng nhập từ")):
        monkeypatch.setenv("LUYTRE_LANG", language)
        place = tmp_path / f"{language}.html"
        assert desk.luytre("report", "html", "--out", str(place)).code == 0
        assert words in place.read_text()


def test_what_somebody_has_looked_at_is_open_no_more(desk):
    (first, *_rest) = alerts(desk, "--limit", WEB)
    done = desk.ask("intrusion", "seen", str(first["number"]), "--remark", "an exercise")
    assert done.code == 0
    assert first["number"] not in [one["number"] for one in alerts(desk)]
    kept = next(one for one in alerts(desk, "--all") if one["number"] == first["number"])
    assert (kept["remark"], kept["seen_by"]) == ("an exercise", "Trần Thị Bình")
    assert desk.ask("intrusion", "seen", str(first["number"]), "--remark", "again").code == 6


def test_a_database_that_was_replaced_is_told_and_what_it_hid_as_well(lab, desk):
    # Root of the server changes a program and lets AIDE take it for the truth.
    hide = (
        "cp /usr/bin/true /usr/bin/nice;"
        "aide --init --config /etc/luytre-intrusion/aide.conf > /dev/null;"
        "cd /var/lib/luytre-intrusion/aide && cp new accepted"
    )
    lab.run(OFFICE, ["sh", "-ec", hide], timeout=600)
    look(lab, OFFICE)
    done = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert done.code == 3
    assert {"database", "file_changed"} <= set(whats(desk, OFFICE))
    # The accepted one is back.
    again = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert "database" not in again.host(OFFICE)["lacks"]


def test_accepting_shows_what_differs_and_marks_the_alerts(desk):
    done = desk.ask("intrusion", "accept", "--yes", "--limit", OFFICE, "--reason", "an exercise")
    assert done.code == 0, done
    paths = {one["path"] for one in done.document["hosts"][0]["changes"]}
    assert "/usr/bin/nice" in paths
    assert alerts(desk, "--limit", OFFICE, "--kind", "integrity") == []
    checked = desk.ask("intrusion", "check", "--limit", OFFICE)
    assert (checked.code, checked.document["hosts"][0]["changes"]) == (0, [])


def test_what_a_recorded_run_changed_is_no_alert(lab, desk):
    # What is made anew: a setting, the link of a unit, a package with its files.
    lab.run(OFFICE, ["sh", "-c", "echo '# edited' >> /etc/fail2ban/jail.d/zz-luytre.local"])
    assert desk.apply(OFFICE).code == 0
    desk.want(*MORE, also=(*CONTROLS, "banners-console"), parameters=PARAMETERS)
    applied = desk.apply(OFFICE)
    assert (applied.code, applied.err) == (0, ""), applied
    look(lab, OFFICE)
    done = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert of_files(desk, OFFICE) == set(), alerts(desk, "--limit", OFFICE)
    assert done.document["accepted"][OFFICE], done.document
    assert done.host(OFFICE)["differ"] == 0
    checked = desk.ask("intrusion", "check", "--limit", OFFICE)
    assert checked.document["hosts"][0]["changes"] == []


def test_a_file_of_a_run_that_was_changed_since_is_told_and_never_accepted(lab, desk):
    lab.run(OFFICE, ["sh", "-c", "echo '# edited' >> /etc/issue"])
    desk.want(*MORE, also=(*CONTROLS, "banners-console"), parameters=PARAMETERS)
    assert desk.apply(OFFICE).code == 0
    lab.run(OFFICE, ["sh", "-c", "cp /usr/bin/true /usr/bin/hello; echo '# his' >> /etc/issue"])
    look(lab, OFFICE)
    done = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert done.document["accepted"] == {}
    assert of_files(desk, OFFICE) == {"/etc/issue", "/usr/bin/hello"}
    assert done.host(OFFICE)["differ"] == 2


def test_a_file_that_differed_before_is_no_later_runs(lab, desk):
    lab.run(OFFICE, ["sh", "-c", "echo 'CREATE_HOME no' >> /etc/login.defs"])
    look(lab, OFFICE)
    assert desk.ask("intrusion", "status", "--limit", OFFICE).host(OFFICE)["differ"] == 3
    days = "passwords-min-days"
    desk.want(*MORE, also=(*CONTROLS, "banners-console", days), parameters=PARAMETERS)
    assert desk.apply(OFFICE, control=days).host(OFFICE)["changed"] == [days]
    look(lab, OFFICE)
    done = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert (done.document["accepted"], done.host(OFFICE)["differ"]) == ({}, 3)
    assert desk.ask("rollback", "--yes", "--limit", OFFICE, "--control", days).code == 0
    lab.run(OFFICE, ["sed", "-i", "/CREATE_HOME no/d", "/etc/login.defs"])
    desk.want(*MORE, also=(*CONTROLS, "banners-console"), parameters=PARAMETERS)
    look(lab, OFFICE)
    assert desk.ask("intrusion", "status", "--limit", OFFICE).host(OFFICE)["differ"] == 2


def test_the_same_backdoor_is_told_again_when_it_comes_back(lab, desk):
    numbers = [str(one["number"]) for one in alerts(desk, "--limit", OFFICE)]
    assert desk.ask("intrusion", "seen", *numbers, "--remark", "an exercise").code == 0
    # Somebody looked, and it is still there: that is no alert, and no quiet server.
    still = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert (still.code, still.document["open"], still.host(OFFICE)["differ"]) == (3, 0, 2)
    reinstall = "cp -p /usr/bin/hello /root/evil; apt-get -qqy install --reinstall hello >/dev/null"
    lab.run(OFFICE, ["sh", "-ec", reinstall], timeout=120)
    look(lab, OFFICE)
    desk.ask("intrusion", "status", "--limit", OFFICE)
    lab.run(OFFICE, ["cp", "-p", "/root/evil", "/usr/bin/hello"])
    look(lab, OFFICE)
    back = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert (back.code, of_files(desk, OFFICE)) == (3, {"/usr/bin/hello"})


def test_what_setting_up_left_is_no_alert_and_what_lies_beside_it_is(lab, desk):
    # Another version of the program was there when the files were accepted.
    lab.run(OFFICE, ["sh", "-c", "printf x >> /usr/local/lib/luytre/intrusion.pyz"])
    done = desk.ask("intrusion", "accept", "--yes", "--limit", OFFICE, "--reason", "an exercise")
    assert done.code == 0, done
    again = desk.ask("intrusion", "setup", "--yes", "--limit", OFFICE)
    assert (again.code, again.err) == (0, ""), again
    look(lab, OFFICE)
    status = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert status.document["accepted"] == {OFFICE: "setup"}
    assert of_files(desk, OFFICE) == set()
    lab.run(OFFICE, ["sh", "-c", "printf x >> /usr/local/lib/luytre/intrusion.pyz"])
    look(lab, OFFICE)
    desk.ask("intrusion", "status", "--limit", OFFICE)
    assert of_files(desk, OFFICE) == {"/usr/local/lib/luytre/intrusion.pyz"}


def test_what_a_rollback_left_is_no_alert(lab, desk):
    done = desk.ask("intrusion", "accept", "--yes", "--limit", OFFICE, "--reason", "an exercise")
    assert done.code == 0, done
    back = desk.luytre("rollback", "--host", OFFICE, "--yes", "--force")
    assert back.code in (0, 3), back
    look(lab, OFFICE)
    desk.ask("intrusion", "status", "--limit", OFFICE)
    assert "/etc/issue" not in of_files(desk, OFFICE)


def test_more_changes_of_ours_than_a_server_tells_are_ours(lab, desk):
    desk.ask("intrusion", "accept", "--yes", "--limit", OFFICE, "--reason", "an exercise")
    many = control("own-many", {"package": {"name": "libboost1.83-dev", "state": "installed"}})
    desk.want(*MORE, many, also=CONTROLS, parameters=PARAMETERS)
    applied = desk.apply(OFFICE)
    assert (applied.code, applied.err) == (0, ""), applied
    look(lab, OFFICE)
    done = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert of_files(desk, OFFICE) == set(), alerts(desk, "--limit", OFFICE)
    assert done.document["accepted"][OFFICE], done.document


def test_two_workspaces_do_not_replace_each_others_database(lab, desk, bastion, tmp_path):
    other = Desk(tmp_path / "other", lab, operator="Lê An")
    other.declare(luytre_admin_sources=["10.213.0.0/16"], luytre_bastions=[f"{bastion}/32"])
    lab.run(OFFICE, ["touch", "/etc/of-another-workspace"])
    words = ("intrusion", "accept", "--yes", "--limit", OFFICE, "--reason", "ours")
    refused = other.ask(*words)
    assert refused.code == 1
    assert "Trần Thị Bình" in refused.document["lost"][OFFICE]
    assert other.ask(*words, "--take-over").code == 0

    first = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert "Lê An" in first.host(OFFICE)["lacks"]["other_keeper"]
    # Told, and what the other database hides as well; but theirs stays there.
    assert {"database", "/etc/of-another-workspace"} <= of_files(desk, OFFICE)
    assert other.ask("intrusion", "status", "--limit", OFFICE).host(OFFICE)["differ"] == 0
    done = desk.ask("intrusion", "accept", *words[2:], "--take-over")
    assert done.code == 0, done
    assert "other_keeper" not in desk.ask("intrusion", "status", "--limit", OFFICE).out


def test_a_database_that_could_not_be_given_is_nobodys_work(lab, desk):
    program, aside = "/usr/local/lib/luytre/intrusion.pyz", "/root/aside.pyz"
    lab.run(OFFICE, ["touch", "/etc/anew"])
    # The line breaks between the look and what is given back.
    refuse = (
        "import sys, zipfile\n"
        f"sys.path.insert(0, '{aside}')\n"
        "from on_host.watching.main import main\n"
        "sys.exit(9 if sys.argv[1] == 'accept' else main(sys.argv[1:]))\n"
    )
    lab.run(OFFICE, ["mv", program, aside])
    lab.write(OFFICE, program, refuse.encode())
    words = ("--yes", "--limit", OFFICE, "--reason", "an exercise")
    assert desk.ask("intrusion", "accept", *words).code == 1
    numbers = [one["number"] for one in alerts(desk, "--all")]
    waits = desk.ask("intrusion", "status", "--limit", OFFICE)
    assert "not_taken" in waits.host(OFFICE)["lacks"]
    assert (waits.code, [*waits.document["lost"]]) == (1, [OFFICE])
    assert [one["number"] for one in alerts(desk, "--all")] == numbers
    lab.run(OFFICE, ["mv", aside, program])
    desk.ask("intrusion", "status", "--limit", OFFICE)
    assert (
        "not_taken" not in desk.ask("intrusion", "status", "--limit", OFFICE).host(OFFICE)["lacks"]
    )


def test_a_server_that_is_away_is_not_green(lab, desk):
    lab.run(OFFICE, ["systemctl", "stop", "ssh"])
    try:
        done = desk.ask("intrusion", "status", "--limit", OFFICE)
        shown = desk.luytre("intrusion", "status", "--limit", OFFICE)
    finally:
        lab.run(OFFICE, ["systemctl", "start", "ssh"])
    assert done.code == 4
    assert "unreachable" in done.host(OFFICE)["lacks"]
    assert OFFICE in done.document["lost"]
    assert "it was not reached" in shown.out


def test_events_that_were_taken_out_of_the_record_are_told(lab, desk):
    # He logs in, and takes the event of it out before anybody asks.
    lab.run(WEB, ["useradd", "shadowy"])
    take_out = (
        "import json; p='/var/lib/luytre-intrusion/record.json'; t=json.load(open(p));"
        "t['events']=[e for e in t['events'] if 'shadowy' not in str(e)];"
        "json.dump(t, open(p, 'w'))"
    )
    watch(lab, WEB)
    lab.run(WEB, unwatched("python3", "-c", take_out))
    desk.ask("intrusion", "status", "--limit", WEB)
    assert "gap" in whats(desk, WEB)


def test_a_record_that_was_deleted_is_told(lab, desk):
    lab.run(WEB, unwatched("rm", "/var/lib/luytre-intrusion/record.json"))
    assert desk.ask("intrusion", "status", "--limit", WEB).code == 3
    assert "anew" in whats(desk, WEB)


def test_a_watch_that_was_stopped_is_told(lab, desk):
    # Eleven minutes pass for the record while the timer does not run.
    lab.run(WEB, ["systemctl", "stop", "luytre-intrusion.timer"])
    older = (
        "import json; p='/var/lib/luytre-intrusion/record.json'; t=json.load(open(p));"
        "t['watched']-=660; json.dump(t, open(p, 'w'))"
    )
    up = float(lab.read(WEB, "/proc/uptime").split()[0])
    lab.run(WEB, unwatched("python3", "-c", older))
    asked = desk.ask("intrusion", "status", "--limit", WEB)
    assert "luytre-intrusion.timer does not run" in asked.host(WEB)["lacks"]["problem"]
    lab.run(WEB, ["systemctl", "start", "luytre-intrusion.timer"])
    assert "problem" not in desk.ask("intrusion", "status", "--limit", WEB).host(WEB)["lacks"]
    if up < 660:
        pytest.skip("the machine under the lab has not run for so long")
    assert "stopped" in whats(desk, WEB)


def test_a_program_that_was_deleted_is_told(lab, desk):
    lab.run(WEB, ["mv", "/usr/local/lib/luytre/intrusion.pyz", "/root/aside"])
    done = desk.ask("intrusion", "status", "--limit", WEB)
    lab.run(WEB, ["mv", "/root/aside", "/usr/local/lib/luytre/intrusion.pyz"])
    assert done.code == 1
    assert "lost" in done.host(WEB)["lacks"]


def test_fault_58_a_full_audit_partition_is_told_and_the_server_stays_up(lab, desk):
    lab.run(
        WEB, ["sh", "-ec", "mkdir -p /var/log/audit; mount -t tmpfs -o size=1m none /var/log/audit"]
    )
    try:
        lab.run(
            WEB, ["sh", "-c", "head -c 2000000 /dev/zero > /var/log/audit/audit.log"], check=False
        )
        desk.ask("intrusion", "status", "--limit", WEB)
        told = [one for one in alerts(desk) if one["details"]["what"] == "room"]
        assert [one["details"]["path"] for one in told] == ["/var/log/audit"]
        assert desk.ask("audit", "--limit", WEB).code in (0, 3)
    finally:
        lab.run(WEB, ["umount", "/var/log/audit"])
