"""From where somebody came is told as sshd tells it."""

import pytest

from orchestrator.protect.on_host.watching.whence import peer


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("192.0.2.7 50022 192.0.2.1 22", "192.0.2.7"),
        ("::ffff:192.0.2.7 50022 192.0.2.1 22", "192.0.2.7"),
        ("fe80::1%eth0 50022 fe80::2 22", "fe80::1"),
    ],
)
def test_the_other_end_is_told(told, address):
    assert peer(told) == address


def test_what_is_no_address_is_an_error():
    with pytest.raises(ValueError, match="UNKNOWN"):
        peer("UNKNOWN 65535 UNKNOWN 65535")
