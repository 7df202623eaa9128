"""Puts the data directories of the checkout into the wheel, below ``orchestrator/data``."""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import setup
from setuptools.command.build_py import build_py

DATA = ("baselines", "templates", "playbooks")


class BuildWithData(build_py):
    """Copies the data on a real build; an editable install reads it where it stands."""

    def run(self) -> None:
        """Build the package, then add the data."""
        super().run()
        if not self.editable_mode:
            for name in DATA:
                target = Path(self.build_lib, "orchestrator", "data", name)
                copytree(name, target, dirs_exist_ok=True, ignore=ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildWithData})
