"""What sets antivirus and backups up on a watched server is ours, and nothing beside it is."""

import pytest

from orchestrator.protect.intrusion.leaving import Leaving

from .conftest import OFFICE, SERVERS, WEB, look, of_files

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800), pytest.mark.usefixtures("english")]

BOTH = ",".join(SERVERS)
SCANNER, CLIENT = "/usr/local/lib/luytre/antivirus.pyz", "/etc/luytre-backup/client.json"
WISH = "/etc/luytre-antivirus/scan.json"
# Somebody else's, while the set-up goes on: in a place and in a way that set-ups have as well.
THEIRS = "/etc/systemd/system/timers.target.wants/theirs.timer"


@pytest.fixture
def accepted(lab, desk):
    """Two servers whose files are accepted as they are; office names both others."""
    lab.run(OFFICE, ["install", "-m", "755", "/bin/true", "/usr/bin/clamscan"])
    url = {"luytre_clamav_mirror": f"http://{WEB}:8080/clamav"}
    backup = {"luytre_backup_vault": WEB, "luytre_backup_paths": ["/etc/hostname"]}
    desk.declare(OFFICE, luytre_antivirus_mirror=WEB, **url, **backup)
    desk.declare(WEB, **url)
    done = desk.ask("intrusion", "accept", "--yes", "--limit", BOTH, "--reason", "before")
    assert done.code == 0, done
    desk.ask("intrusion", "status", "--limit", BOTH)


def asked(lab, desk):
    """Let both look, and return what is said of them."""
    for name in SERVERS:
        look(lab, name)
    return desk.ask("intrusion", "status", "--limit", BOTH)


@pytest.mark.usefixtures("accepted")
@pytest.mark.parametrize("what", ["antivirus", "backup"])
def test_what_a_set_up_wrote_is_no_alert_and_what_was_done_to_it_since_is(lab, desk, what):
    done = desk.ask(what, "setup", "--yes", "--limit", OFFICE)
    assert done.code == 0, done
    assert "told as alerts" not in done.err
    status = asked(lab, desk)
    for name in SERVERS:
        assert of_files(desk, name) == set(), (name, of_files(desk, name))
    assert status.document["accepted"] == dict.fromkeys(SERVERS, "setup")
    changed = {"antivirus": SCANNER, "backup": CLIENT}[what]
    lab.run(OFFICE, ["sh", "-ec", f"printf x >> {changed}; ln -s /nowhere {THEIRS}"])
    status = asked(lab, desk)
    assert of_files(desk, OFFICE) == {changed, THEIRS}
    assert status.document["accepted"] == {}
    lab.run(OFFICE, ["rm", THEIRS])


@pytest.mark.usefixtures("accepted")
def test_what_somebody_does_to_a_file_while_it_is_set_up_is_an_alert(lab, desk, monkeypatch):
    asking = Leaving.note_written

    def disturbed(leaving, hosts, written):
        # The set-up has written it just now; whatever is done to the other file, AIDE does not see.
        lab.run(OFFICE, ["sh", "-ec", f"mv {WISH} /opt/scan.json; ln -s /opt/scan.json {WISH}"])
        return asking(leaving, hosts, written)

    monkeypatch.setattr(Leaving, "note_written", disturbed)
    assert desk.ask("antivirus", "setup", "--yes", "--limit", OFFICE).code == 0
    asked(lab, desk)
    assert of_files(desk, OFFICE) == {WISH}
