"""A package made anew of what is installed, where no source has its version any more."""

import hashlib
import os
import shutil

from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Set

_INFO = "/var/lib/dpkg/info"
# dpkg writes these itself.
_NO_PART_OF_IT = ("list", "conffiles", "md5sums")
# Fields of dpkg's status file that describe this installation, not the package.
_OF_THE_INSTALLATION = ("Status", "Conffiles", "Config-Version")
_SECONDS = 300.0


def repack(name: str, directory: str, host: Host) -> None:
    """Build NAME_VERSION_ARCHITECTURE.deb in a directory of files as they are on this host.

    Configuration files that people changed are not in it: dpkg leaves them as they are then, and
    goes on knowing them as changed. Raises Unreadable where a file is missing, or dpkg-deb refuses.
    """
    paragraph = host.expect(["/usr/bin/dpkg-query", "--status", name]).decode("utf-8", "replace")
    fields = parse_status(paragraph)
    tree = os.path.join(directory, name + ".tree")
    os.makedirs(os.path.join(tree, "DEBIAN"), 0o755)
    os.chmod(tree, 0o755)
    try:
        settings = conffiles_of(paragraph)
        changed = {path for path in settings if _digest(path, host) != settings[path]}
        _put_files(name, tree, changed, host)
        _put_control(name, paragraph, fields["Architecture"], tree, host)
        file = "{Package}_{Version}_{Architecture}.deb".format(**fields).replace(":", "%3a")
        argv = ["/usr/bin/dpkg-deb", "-Zgzip", "-z1", "--build", tree]
        built = host.run([*argv, os.path.join(directory, file)], seconds=_SECONDS)
        if built.status != 0:
            raise Unreadable("dpkg-deb: {}".format(built.complaint))
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def parse_status(paragraph: str) -> "Dict[str, str]":
    """Return the fields of one paragraph of dpkg's status file that fit on one line."""
    pairs = (line.partition(": ") for line in paragraph.splitlines() if line[:1].strip())
    return {key: value for key, separator, value in pairs if separator}


def control_of(paragraph: str) -> str:
    """Return the control file of the package that a paragraph of dpkg's status file tells."""
    lines: "List[str]" = []
    wanted = True
    for line in paragraph.splitlines():
        if line[:1].strip():
            wanted = line.partition(":")[0] not in _OF_THE_INSTALLATION
        if wanted and line:
            lines.append(line)
    return "\n".join(lines) + "\n"


def conffiles_of(paragraph: str) -> "Dict[str, str]":
    """Return the configuration files that a paragraph names, with their MD5 as they were packed.

    Those that became obsolete are left out.
    """
    found, inside = {}, False
    for line in paragraph.splitlines():
        if line[:1].strip():
            inside = line.startswith("Conffiles:")
        elif inside and not line.endswith(" obsolete"):
            path, _space, digest = line.rpartition(" ")
            found[path.strip()] = digest
    return found


def _digest(path: str, host: Host) -> str:
    data = host.read(path)
    return hashlib.md5(data).hexdigest() if data is not None else ""


def _put_files(name: str, tree: str, without: "Set[str]", host: Host) -> None:
    told = host.expect(["/usr/bin/dpkg-query", "--listfiles", name])
    lines = told.decode("utf-8", "surrogateescape").splitlines()
    # "diverted by …" is told beside the paths.
    listed = [path for path in lines if path.startswith("/") and path != "/."]
    parents = {os.path.dirname(path) for path in listed}
    for path in listed:
        if path in without:
            continue
        _put(path, _truename(path, name, host), tree, path in parents)


def _truename(path: str, name: str, host: Host) -> str:
    """Return where a file lies that another package may have diverted."""
    if path not in host.once("diverted", lambda: _diverted(host)):
        return path
    owner = host.expect(["/usr/bin/dpkg-divert", "--listpackage", path])
    if owner.decode("utf-8", "replace").strip() == name:
        return path
    told = host.expect(["/usr/bin/dpkg-divert", "--truename", path])
    return told.decode("utf-8", "surrogateescape").rstrip("\n")


def _diverted(host: Host) -> "List[str]":
    data = host.read("/var/lib/dpkg/diversions") or b""
    return data.decode("utf-8", "surrogateescape").splitlines()[::3]


def _put(path: str, place: str, tree: str, holds: bool) -> None:
    """Copy one file, link or directory with its owner, mode and times.

    ``holds``: the package has files below it, so that it is a directory to the package, also where
    it became a link to one (/bin).
    """
    target = tree + path
    try:
        found = os.lstat(place)
        if os.path.isdir(place) and (holds or not os.path.islink(place)):
            os.makedirs(target, exist_ok=True)
            found = os.stat(place)
        elif os.path.islink(place):
            os.symlink(os.readlink(place), target)
        else:
            shutil.copyfile(place, target)
        os.lchown(target, found.st_uid, found.st_gid)
        if not os.path.islink(target):
            os.chmod(target, found.st_mode & 0o7777)
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    except FileNotFoundError:
        # Configuration that somebody deleted, and documentation that dpkg was told to leave out.
        if not path.startswith(("/etc/", "/usr/share/")):
            raise Unreadable("{} is missing".format(place)) from None


def _put_control(name: str, paragraph: str, architecture: str, tree: str, host: Host) -> None:
    place = os.path.join(tree, "DEBIAN")
    with open(os.path.join(place, "control"), "w", encoding="utf-8") as stream:
        stream.write(control_of(paragraph))
    kept = [path for path in conffiles_of(paragraph) if os.path.isfile(tree + path)]
    if kept:
        with open(os.path.join(place, "conffiles"), "w", encoding="utf-8") as stream:
            stream.write("".join(path + "\n" for path in kept))
    prefixes = (name + ".", "{}:{}.".format(name, architecture))
    for file in host.names(_INFO):
        for prefix in prefixes:
            part = file[len(prefix) :]
            if file.startswith(prefix) and "." not in part and part not in _NO_PART_OF_IT:
                shutil.copy(os.path.join(_INFO, file), os.path.join(place, part))
