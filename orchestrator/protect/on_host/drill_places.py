"""Where a drill keeps things while it goes on; afterwards none of them is there."""

import os
import re

from . import places

# What is restored, and the servers that dumps are loaded into: as large as the backup.
DISK = "/var/lib/luytre-drill"
# Keys, password and wish: in memory only.
MEMORY = "/run/luytre-drill"
LOCK = MEMORY + "/lock"
# What came of drills, until the controller has it: whoever followed one may be gone.
RESULTS = "/var/lib/luytre-drill-results"
# Everything that is started runs here: it has a loopback, and no way out.
NETWORK = "luytre-drill"
NETWORKS = "/run/netns"
NETWORK_PATH = NETWORKS + "/" + NETWORK
# Says that NETWORKS is mounted because a drill made a network where there was none.
NETWORKS_MADE = MEMORY + "/networks-made"
NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{6}-[0-9]+")


class Drilled:
    """The places of one drill, by its name."""

    def __init__(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ValueError("not the name of a drill: {!r}".format(name))
        self.name = name
        self.disk = os.path.join(DISK, name)
        self.files = self.disk + "/files"
        # The restored tree over this host's own: what a service sees as its root.
        self.root = self.disk + "/root"
        self.above = self.disk + "/above"
        self.cache = self.disk + "/cache"
        self.memory = os.path.join(MEMORY, name)
        self.wish = self.memory + "/wish.json"
        self.progress = os.path.join(MEMORY, name + ".progress")
        self.result = os.path.join(RESULTS, name + ".json")
        self.unit = "luytre-drill@{}.service".format(name)

    def make(self) -> None:
        """Make the directories; a server's own account must be able to pass through."""
        places.directory(self.memory)
        for path in (DISK, self.disk):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o711)
        for path in (self.files, self.root, self.above):
            places.directory(path)
