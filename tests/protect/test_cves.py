"""What debsecan's data says of updates."""

import zlib

import pytest

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.patches import Patches, Update
from orchestrator.protect import cves

DATA = """VERSION 1
CVE-2026-0001,,closed by 1.1
CVE-2026-0002,,closed in unstable only
CVE-2026-0003,,never closed
CVE-2026-0004,,closed long ago

tiny,0,S?RF,2.0,1.1 1.2
tiny,1,SM F,2.0,
tiny,2,S   ,,
tiny,3,SH F,0.9,
other,0,S   ,2.0,

tiny,tiny-lib tiny-daemon
"""


@pytest.fixture(
    params=[str.encode, lambda text: zlib.compress(text.encode())], ids=["text", "zlib"]
)
def holes(request, tmp_path):
    file = tmp_path / "GENERIC"
    file.write_bytes(request.param(DATA))
    return cves.load(file)


def update(installed, candidate, source="tiny"):
    return Update("tiny-lib", installed, candidate, True, False, source)


def test_an_update_closes_what_was_open_and_is_not_any_more(holes):
    assert holes.closed_by(update("1.0", "1.1")) == ("CVE-2026-0001",)
    assert holes.closed_by(update("1.0", "2.0")) == ("CVE-2026-0001", "CVE-2026-0002")
    assert holes.closed_by(update("1.0+b3", "1.1+b1")) == ("CVE-2026-0001",)
    assert holes.closed_by(update("1.1", "1.2")) == ()
    assert holes.closed_by(update("1.0", "1.1", "unheard-of")) == ()


def test_a_host_is_told_with_them(holes):
    told = holes.told(Patches("web1", (update("1.0", "1.1"),)))
    assert told.updates[0].holes == ("CVE-2026-0001",)


@pytest.mark.parametrize(
    "data", [b"", b"VERSION 2\n", b"VERSION 1\nx\n\na,7,S,1,\n", b"\x78\x9cxx"]
)
def test_what_is_no_such_file_is_refused(tmp_path, data):
    file = tmp_path / "GENERIC"
    file.write_bytes(data)
    with pytest.raises(ConfigurationError, match="holds no data of debsecan"):
        cves.load(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        cves.load(tmp_path / "gone")
