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
    "apt": Kind(
        doc="apt's options, as they hold after all files were read (apt-config dump)",
        mapping="option",
        example={"Acquire::AllowInsecureRepositories": False},
    ),
    "apt_sources": Kind(
        doc="the sources that packages come from; judged only",
        identity="rule",
        fields={
            "rule": Field(
                "string",
                "verified: no source switches a check off; signed_by: every source names its key",
                required=True,
                choices=("verified", "signed_by"),
            ),
        },
        example={"rule": "verified"},
    ),
}
