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
from typing import NamedTuple

from orchestrator.lab import boot_disk, sources
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

# what a machine of its own needs beyond, and what only such a one can have
_VM_PACKAGES = (
    "apparmor",
    "auditd",
    "grub-pc-bin",
    "grub2-common",
    "initramfs-tools",
    "linux-image-cloud-amd64",
    "qemu-guest-agent",
    "udev",
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

# A container has no disk, no firmware and no kernel's command line: these find nothing in it, and
# are a third of what each daemon-reload costs.
_IDLE_GENERATORS = (
    *("cryptsetup", "debug", "gpt-auto", "hibernate-resume"),
    *("integritysetup", "run", "system-update", "veritysetup"),
)
_CONTAINER_CUSTOMIZE = f"""\
set -eu
off=$1/etc/systemd/system-generators
mkdir -p "$off"
for each in {" ".join(_IDLE_GENERATORS)}; do
    ln -s /dev/null "$off/systemd-$each-generator"
done
"""

# Before the kernel is installed: an initial RAM disk with what this hardware needs is unpacked
# sooner; emulated, every MiB counts.
_VM_SETUP = """\
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
echo MODULES=list > "$1/etc/initramfs-tools/conf.d/lab.conf"
printf '%s\\n' virtio_pci virtio_blk ext4 > "$1/etc/initramfs-tools/modules"
"""

# GRUB's configuration is of update-grub's form, which cannot be called before there is a disk. No
# login waits at the console that `luytre lab shell` uses. The agent would log every question.
_VM_CUSTOMIZE = f"""\
set -eu
root=$1
echo '/dev/vda1 / ext4 errors=remount-ro 0 1' > "$root/etc/fstab"
ln -s /dev/null "$root/etc/systemd/system/serial-getty@hvc0.service"
chroot "$root" systemctl --quiet disable e2scrub_reap.service e2scrub_all.timer
quiet=$root/usr/lib/systemd/system/qemu-guest-agent.service.d/quiet.conf
mkdir -p "${{quiet%/*}}"
printf '[Service]\\nLogLevelMax=warning\\n' > "$quiet"
mkdir -p "$root/boot/grub" "$root/etc/default"
cp -r "$root/usr/lib/grub/i386-pc" "$root/boot/grub"
chroot "$root" grub-mkimage --format=i386-pc --output={boot_disk.CORE} \\
    --prefix='(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 serial normal linux
cat > "$root/etc/default/grub" << .
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX="console=ttyS0"
GRUB_TERMINAL=serial
GRUB_DISABLE_LINUX_UUID=true
GRUB_DISABLE_OS_PROBER=true
.
cat > "$root/boot/grub/grub.cfg" << .
set timeout=0
serial
terminal_output serial
menuentry 'Debian GNU/Linux' {{
    set root='hd0,msdos1'
    linux /vmlinuz root=/dev/vda1 ro console=ttyS0
    initrd /initrd.img
}}
.
chmod 0600 "$root/boot/grub/grub.cfg"
"""


class Kind(NamedTuple):
    """One sort of image: a release of Debian, as a container or with what a machine needs."""

    release: str
    vm: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that an image is made from."""

    release: str
    sources: str
    apt: str
    vm: bool = False

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that are installed beside Debian's smallest system."""
        return (*PACKAGES, *_VM_PACKAGES) if self.vm else PACKAGES

    @property
    def name(self) -> str:
        """What it is an image of."""
        return f"vm-{self.release}" if self.vm else self.release

    @property
    def key(self) -> str:
        """The name and a hash of the recipe: the image's directory name."""
        parts = (self.name, self.sources, self.apt, *self.packages, _DPKG, *_hooks(self))
        return f"{self.name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"


def cache_directory() -> Path:
    """Return where images are kept: ``$LUYTRE_LAB_CACHE``, else /var/cache/luytre/lab."""
    return Path(os.environ.get("LUYTRE_LAB_CACHE") or "/var/cache/luytre/lab")


def ensure_images(kinds: Iterable[Kind], progress: Progress) -> dict[Kind, Path]:
    """Return the image of each kind, building those that are missing, side by side.

    Raises LabError when a build fails, ConfigurationError without Debian sources.
    """
    known = sources.archives()
    apt = _APT + sources.apt_options()
    wanted = sorted(set(kinds))
    recipes = [
        Recipe(kind.release, sources.sources_for(kind.release, known), apt, kind.vm)
        for kind in wanted
    ]
    with ThreadPoolExecutor(max_workers=max(len(recipes), 1)) as pool:
        paths = pool.map(lambda recipe: _ensure(recipe, progress), recipes)
        return dict(zip(wanted, paths, strict=True))


def _hooks(recipe: Recipe) -> list[str]:
    own = _VM_CUSTOMIZE if recipe.vm else _CONTAINER_CUSTOMIZE
    hooks = [f"--customize-hook={_CUSTOMIZE}", f"--customize-hook={own}"]
    return [*hooks, f"--setup-hook={_VM_SETUP}"] if recipe.vm else hooks


def _ensure(recipe: Recipe, progress: Progress) -> Path:
    cache = cache_directory()
    image = cache / recipe.key
    if image.is_dir():
        return image
    cache.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _locked(cache / f"{recipe.name}.lock"):
        if not image.is_dir():
            progress(
                _("building the image of Debian {release} (once, about a minute)").format(
                    release=recipe.release
                )
            )
            _build(recipe, image)
    return image


def _build(recipe: Recipe, image: Path) -> None:
    """Build into a neighbour and rename, so that an image is whole or absent."""
    prefix = f".{recipe.name}-"
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
                *(f"--include={','.join(recipe.packages)}", *_hooks(recipe)),
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
