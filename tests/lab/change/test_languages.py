"""Hosts whose logins and services speak another encoding than UTF-8."""

import pytest

from . import tree
from .wishes import DAEMON, content, control

pytestmark = pytest.mark.lab

PLACE = "/etc/cấu hình/tường lửa.conf"
LANGUAGE = "vi_VN.TCVN5712-1"
INSTALL = (
    "export DEBIAN_FRONTEND=noninteractive; apt-get -q update; apt-get -qy install locales;"
    f" localedef -i vi_VN -f TCVN5712-1 {LANGUAGE}; systemctl restart ssh;"
    f" systemctl set-environment LANG={LANGUAGE} LC_ALL={LANGUAGE}"
)


def test_a_host_that_speaks_the_old_vietnamese_encoding_is_hardened_as_any_other(desk, yard, spent):
    """Python does not even start in it: it knows no TCVN 5712."""
    variables = f"LANG={LANGUAGE}\nLC_ALL={LANGUAGE}\n".encode()
    yard.lab.write(spent, "/etc/default/locale", variables)
    yard.lab.run(spent, ["sh", "-ec", INSTALL], timeout=300)
    before = tree.state(yard.lab, spent)
    package = {"package": {"name": "tiny", "state": "installed"}}
    desk.want(control("own-file", content(PLACE)), control("own-package", package), DAEMON)
    applied = desk.apply(spent)
    assert applied.code == 0, applied
    assert yard.lab.run(spent, ["cat", PLACE]).stdout == b"ours\n"
    assert desk.ask("audit", "--limit", spent).code == 0
    taken = desk.ask("rollback", "--yes", "--run", applied.document["run"])
    assert taken.code == 0, taken
    assert tree.differences(before, tree.state(yard.lab, spent)) == []
