"""GRUB's menu and the kernel's parameters, as Debian generates them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent import grub
from orchestrator.agent.host import Unreadable
from orchestrator.agent.kinds import boot_parameter, boot_password

MENU = """\
### BEGIN /etc/grub.d/00_header ###
set default="0"
set superusers="boss, deputy"
password_pbkdf2 boss grub.pbkdf2.sha512.10000.AB.CD
password_pbkdf2 deputy grub.pbkdf2.sha512.10000.EF.01
### BEGIN /etc/grub.d/10_linux ###
menuentry 'Debian GNU/Linux' --class debian --unrestricted {
\tlinux\t/boot/vmlinuz-6.1.0-9-amd64 root=UUID=1 ro quiet apparmor=1 audit=1
\tinitrd\t/boot/initrd.img-6.1.0-9-amd64
}
submenu 'Advanced options' {
\t\tlinux\t/boot/vmlinuz-6.1.0-9-amd64 root=UUID=1 ro single apparmor=1 audit=1 audit=0
}
"""
RUNNING = "BOOT_IMAGE=/boot/vmlinuz root=UUID=1 ro apparmor=1 audit=1\n"


class Files:
    """A host with these files and no other."""

    def __init__(self, **files):
        places = {"menu": "/boot/grub/grub.cfg", "custom": "/boot/grub/custom.cfg"}
        places["running"] = "/proc/cmdline"
        self.files = {places[name]: text.encode() for name, text in files.items()}

    def read(self, place):
        return self.files.get(place)


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        ({"menu": MENU}, "pass"),
        ({"menu": MENU.replace("set superusers", "# set superusers")}, "fail"),
        ({"menu": MENU.replace("deputy grub.pbkdf2.", "deputy x")}, "fail"),
        ({"menu": MENU.replace("password_pbkdf2 boss", "password boss")}, "fail"),
        ({"menu": MENU, "custom": 'set superusers=""\n'}, "fail"),
        ({"menu": MENU, "custom": 'set superusers="other"\n'}, "fail"),
    ],
)
def test_every_superuser_needs_a_hashed_password(files, verdict):
    want = {"required": True}
    assert boot_password.judge(want, boot_password.observe(want, Files(**files))).verdict == verdict


@pytest.mark.parametrize(
    ("want", "menu", "running", "verdict"),
    [
        ({"apparmor": 1}, MENU, RUNNING, "pass"),
        ({"audit": 1}, MENU, RUNNING, "fail"),
        ({"audit": 1}, MENU.replace(" audit=0", ""), RUNNING, "pass"),
        ({"apparmor": 1}, MENU, RUNNING.replace("apparmor=1", "apparmor=0"), "fail"),
        ({"apparmor": 1}, MENU, "ro -- apparmor=1", "fail"),
        ({"audit_backlog_limit": {"at_least": 8192}}, MENU, RUNNING, "fail"),
        (
            {"audit_backlog_limit": {"at_least": 8192}},
            MENU.replace("apparmor=1", "audit_backlog_limit=16384"),
            "audit-backlog-limit=8192",
            "pass",
        ),
    ],
)
def test_parameters_count_in_the_running_kernel_and_in_every_entry(want, menu, running, verdict):
    observed = boot_parameter.observe(want, Files(menu=menu, running=running))
    judged = boot_parameter.judge(want, observed)
    assert judged.verdict == verdict, judged.observed


@pytest.mark.parametrize("files", [{}, {"menu": "set x=1\n"}, {"menu": ""}])
def test_another_boot_loader_is_an_error_and_no_verdict(files):
    with pytest.raises(Unreadable):
        boot_parameter.observe({"audit": 1}, Files(running=RUNNING, **files))


@given(st.text("linux set superusers=password_pbkdf2\"' \t\n-|", max_size=150))
def test_any_text_may_be_a_menu(text):
    grub.kernels(text)
    users, hashed = grub.guarded(text)
    assert set(hashed) <= set(users)
