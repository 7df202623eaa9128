"""One lab for all of these tests."""

import pytest

from orchestrator.lab import HostSpec

from .ways import Ways


@pytest.fixture(scope="package")
def ways(lab_factory, tmp_path_factory):
    lab = lab_factory("ways")
    lab.up(
        [
            HostSpec("plain"),
            HostSpec("new", "trixie"),
            *(
                HostSpec(trait, traits=frozenset({trait}))
                for trait in ("sudo-password", "behind-jump", "no-python", "no-sudo")
            ),
        ]
    )
    yield Ways(lab, tmp_path_factory.mktemp("ways"))
    lab.down()
