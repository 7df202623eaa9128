"""One read-only image per release, built once by mmdebstrap and kept by the hash of its recipe."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import sources
from orchestrator.lab.commands import run
from orchestrator.model.i18n import _

Progress = Callable[[str], None]

PACKAGES = (
    "ca-certificates",
    "cron",
    "dbus",
    "iproute2",
    "libpam-systemd",
    "netcat-openbsd",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
    "systemd-timesyncd",
)

_DPKG = """\
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
"""

_APT = """\
Acquire::Languages "none";
APT::Install-Recommends "false";
"""

# The timers would take apt's lock right after the first boot. An "uninitialized" machine-id
# would make every first boot enable all presets again.
_CUSTOMIZE = """\
set -eu
root=$1
chmod 1777 "$root/tmp"
rm -f "$root"/etc/ssh/ssh_host_*
: > "$root/etc/machine-id"
chroot "$root" useradd --create-home --uid 1000 --user-group --shell /bin/bash ops
chroot "$root" usermod --password '*' ops
chroot "$root" systemctl --quiet enable systemd-networkd.service
chroot "$root" systemctl --quiet disable apt-daily.timer apt-daily-upgrade.timer
chroot "$root" apt-get clean
chroot "$root" apt-cache gencaches
touch "$root/etc/.updated" "$root/var/.updated"
"""


@dataclass(frozen=True)
class Recipe:
    """Everything that an image is made from."""

    release: str
    sources: str
    apt: str

    @property
    def key(self) -> str:
        """The release and a hash of the recipe: the image's directory name."""
        parts = (self.release, self.sources, self.apt, *PACKAGES, _DPKG, _CUSTOMIZE)
        return f"{self.release}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"


def cache_directory() -> Path:
    """Return where images are kept: ``$LUYTRE_LAB_CACHE``, else /var/cache/luytre/lab."""
    return Path(os.environ.get("LUYTRE_LAB_CACHE") or "/var/cache/luytre/lab")


def ensure_images(releases: Iterable[str], progress: Progress) -> dict[str, Path]:
    """Return the image of each release, building those that are missing, side by side.

    Raises LabError when a build fails, ConfigurationError without Debian sources.
    """
    known = sources.archives()
    apt = _APT + sources.apt_options()
    wanted = sorted(set(releases))
    recipes = [Recipe(release, sources.sources_for(release, known), apt) for release in wanted]
    with ThreadPoolExecutor(max_workers=max(len(recipes), 1)) as pool:
        paths = pool.map(lambda recipe: _ensure(recipe, progress), recipes)
        return dict(zip(wanted, paths, strict=True))


def _ensure(recipe: Recipe, progress: Progress) -> Path:
    cache = cache_directory()
    image = cache / recipe.key
    if image.is_dir():
        return image
    cache.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _locked(cache / f"{recipe.release}.lock"):
        if not image.is_dir():
            progress(
                _("building the image of Debian {release} (once, about half a minute)").format(
                    release=recipe.release
                )
            )
            _build(recipe, image)
    return image


def _build(recipe: Recipe, image: Path) -> None:
    """Build into a neighbour and rename, so that an image is whole or absent."""
    prefix = f".{recipe.release}-"
    for left in image.parent.glob(f"{prefix}*"):
        shutil.rmtree(left)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=image.parent))
    try:
        work.chmod(0o755)
        written = {"debian.sources": recipe.sources, "apt.conf": recipe.apt, "dpkg.cfg": _DPKG}
        for name, content in written.items():
            (work / name).write_text(content)
        # a mount namespace of its own: a killed build leaves no mounts behind
        run(
            [
                *("unshare", "--mount", "mmdebstrap", "--quiet", "--mode=root"),
                *("--variant=minbase", "--format=directory", "--skip=cleanup/apt"),
                *(f"--include={','.join(PACKAGES)}", f"--customize-hook={_CUSTOMIZE}"),
                *(f"--aptopt={work}/apt.conf", f"--dpkgopt={work}/dpkg.cfg"),
                *(recipe.release, f"{work}/root", f"{work}/debian.sources"),
            ]
        )
        (work / "root").rename(image)
    finally:
        shutil.rmtree(work)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
