"""modprobe.d as it counts, and lists of modules as kernels bring them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import modprobe
from orchestrator.agent.host import Host

DEP = (
    b"kernel/fs/hfs/hfs.ko.xz: kernel/drivers/cdrom/cdrom.ko.xz\n"
    b"kernel/drivers/usb/storage/uas.ko.xz: kernel/drivers/usb/storage/usb-storage.ko.xz\n"
    b"kernel/drivers/usb/storage/usb-storage.ko.xz:\n"
    b"kernel/net/vmw_vsock/vsock_diag.ko: kernel/net/vmw_vsock/vsock.ko\n"
)
BUILTIN = b"kernel/fs/ext4/ext4.ko\nkernel/fs/overlayfs/overlay.ko\n"


def host(dep=DEP, builtin=BUILTIN):
    """Return a host whose one kernel has these modules."""
    found = Host()
    found.once("module-lists", lambda: [("6.1", dep, builtin)])
    return found


@pytest.mark.parametrize(
    ("name", "files", "built_in"),
    [
        ("hfs", True, False),
        ("hfsplus", False, False),
        ("cdrom", False, False),
        ("usb-storage", True, False),
        ("usb_storage", True, False),
        ("vsock-diag", True, False),
        ("overlay", False, True),
        ("ext4", False, True),
        ("fs", False, False),
    ],
)
def test_where_a_module_is(name, files, built_in):
    assert modprobe.places(name, host()) == (["6.1"] * files, ["6.1"] * built_in)


def command(name, *files):
    """Return what is run in place of a module; files are texts in the order of reading."""
    found = modprobe.parse([(str(index), text) for index, text in enumerate(files)])
    return found.command(modprobe.canonical(name))


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["install hfs /bin/false"], ("/bin/false", "0")),
        (["install  hfs\t/bin/false  "], ("/bin/false", "0")),
        (["install hfs /bin/false", "install hfs /bin/true"], ("/bin/false", "0")),
        (["install hfs /sbin/insmod x", "install hfs /bin/true"], ("/sbin/insmod x", "0")),
        (["install h* /bin/true"], ("/bin/true", "0")),
        (["install h?s /bin/true"], ("/bin/true", "0")),
        (["install hfsplus /bin/true"], ("", "")),
        (["install \\\nhfs \\\n/bin/true"], ("/bin/true", "0")),
        (["#install hfs /bin/true", " # install hfs /bin/true"], ("", "")),
        (["install hfs"], ("", "")),
        (["remove hfs /bin/true\nalias hfs off"], ("", "")),
        ([], ("", "")),
    ],
)
def test_the_first_command_for_a_module_counts(files, told):
    assert command("hfs", *files) == told


def test_dashes_and_underscores_are_the_same_letter():
    assert command("usb-storage", "install usb_storage /bin/true") == ("/bin/true", "0")
    assert command("usb_storage", "install usb-storage /bin/true") == ("/bin/true", "0")
    assert command("usb_storage", "install usb-sto* /bin/true") == ("/bin/true", "0")
    found = modprobe.parse([("a", "blacklist usb-storage"), ("b", "blacklist usb_storage")])
    assert found.blacklist == {"usb_storage": "a"}


@given(st.text(), st.text())
def test_any_text_may_be_a_configuration(one, other):
    modprobe.parse([("a", one), ("b", other)]).command("hfs")


def test_loaded_modules_and_who_uses_them():
    text = (
        "xt_conntrack 16384 1 - Live 0x0000000000000000\n"
        "usb_storage 81920 2 uas,ums_realtek, Live 0x0000000000000000\n"
        "cramfs 45056 0 - Live 0x0000000000000000 (OE)\n"
    )
    assert modprobe.parse_loaded(text) == {
        "xt_conntrack": "1",
        "usb_storage": "2 uas ums_realtek",
        "cramfs": "0",
    }
    assert modprobe.parse_loaded("") == {}


@given(st.text())
def test_any_text_may_list_loaded_modules(text):
    modprobe.parse_loaded(text)
