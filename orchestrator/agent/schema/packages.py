"""Kinds of what is installed."""

from .model import Field, Kind

KINDS = {
    "package": Kind(
        doc="a Debian package that is installed, or that is not",
        identity="name",
        fields={
            "name": Field("name", "package name", required=True),
            "state": Field(
                "string", "what is wanted", required=True, choices=("installed", "absent")
            ),
        },
        example={"name": "clamav-daemon", "state": "installed"},
    ),
}
