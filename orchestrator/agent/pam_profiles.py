"""pam-auth-update tried in a directory of its own: what it would make of the common files.

Its result is looked at before it becomes active, and written by us, each file at once.
"""

import os

from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Sequence

PROFILES = "/usr/share/pam-configs"
SAVED = "/var/lib/pam"
_TYPES = ("account", "auth", "password", "session", "session-noninteractive")
COMMON = tuple("/etc/pam.d/common-" + type_ for type_ in _TYPES)
# In the order in which they are written: what pam-auth-update remembers, behind what it made.
FILES = (*COMMON, *("{}/{}".format(SAVED, type_) for type_ in _TYPES), SAVED + "/seen")
_PROGRAM = "/usr/sbin/pam-auth-update"
_SECONDS = 30.0

# Profiles of ours. pam-auth-update(8): the higher priority comes first; 256 is pam_unix, 1024
# Debian's own of pam_pwquality. ``end`` becomes the jump behind the block.
OURS = {
    "luytre-faillock-preauth": """\
Name: Refuse accounts that failed logins have locked (luytre)
Default: no
Priority: 1025
Auth-Type: Primary
Auth:
	requisite	pam_faillock.so preauth
Account-Type: Additional
Account:
	required	pam_faillock.so
""",
    "luytre-faillock-authfail": """\
Name: Count failed logins (luytre)
Default: no
Priority: 0
Auth-Type: Primary
Auth:
	[default=die]	pam_faillock.so authfail
""",
    "luytre-pwhistory": """\
Name: Refuse former passwords (luytre)
Default: no
Priority: 1023
Password-Type: Primary
Password:
	requisite	pam_pwhistory.so use_authtok
Password-Initial:
	requisite	pam_pwhistory.so
""",
}
# The profiles that bring each module.
WANTED = {
    "pam_unix": ("unix",),
    "pam_faillock": ("luytre-faillock-preauth", "luytre-faillock-authfail"),
    "pam_pwquality": ("pwquality",),
    "pam_pwhistory": ("luytre-pwhistory",),
}


class Kept(Exception):
    """Somebody changed the common files in a way that pam-auth-update does not undo."""


def places(module: str) -> "Sequence[str]":
    """Return the files that change when a module is enabled: our profiles, then the others."""
    ours = ["{}/{}".format(PROFILES, name) for name in WANTED[module] if name in OURS]
    return [*ours, *FILES]


def tried(module: str, host: Host) -> "Dict[str, bytes]":
    """Return, by place, the files as pam-auth-update makes them with a module enabled.

    Raises Kept where pam-auth-update refuses to work, Unreadable where a profile is missing.
    """
    from shutil import rmtree
    from tempfile import mkdtemp

    # Under /run: nothing of it survives a reboot, and only root may look.
    root = mkdtemp(prefix="luytre-pam-", dir="/run")
    try:
        _prepare(root, module, host)
        settings = root + "/debconf.conf"
        argv = ["env", "DEBIAN_FRONTEND=noninteractive", "DEBCONF_SYSTEMRC=" + settings]
        argv += [_PROGRAM, "--root", root, "--enable", *WANTED[module]]
        done = host.run(argv, seconds=_SECONDS)
        told = (done.out + done.err).decode("utf-8", "replace")
        if "Local modifications" in told:
            raise Kept()
        if done.status != 0:
            raise Unreadable("pam-auth-update: {}".format(done.complaint))
        found = {place: host.read(root + place) for place in places(module)}
        return {place: data for place, data in found.items() if data is not None}
    finally:
        rmtree(root)


def _prepare(root: str, module: str, host: Host) -> None:
    """Copy what pam-auth-update reads; its answers go to a debconf of its own."""
    names = ["{}/{}".format(PROFILES, name) for name in host.names(PROFILES)]
    for place in [*FILES, *names]:
        data = host.read(place)
        if data is not None:
            _put(root + place, data)
    for name in WANTED[module]:
        if name in OURS:
            _put("{}{}/{}".format(root, PROFILES, name), OURS[name].encode())
        elif "{}/{}".format(PROFILES, name) not in names:
            raise Unreadable("{}/{}: missing".format(PROFILES, name))
    stanzas = "Config: config\nTemplates: templates\n"
    for name in ("config", "templates"):
        stanzas += "\nName: {}\nDriver: File\nFilename: {}/{}.dat\n".format(name, root, name)
    _put(root + "/debconf.conf", stanzas.encode())


def _put(place: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb") as stream:
        stream.write(data)
