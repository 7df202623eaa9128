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
    "updates": Kind(
        doc=(
            "what apt has newer than what is installed; packages are brought up to date only where"
            " the control was asked for by its name"
        ),
        identity="rule",
        fields={
            "rule": Field(
                "string",
                "security, all: no such update waits but for what is on hold; held: none that mends"
                " security is on hold",
                required=True,
                choices=("security", "all", "held"),
            ),
            "sources": Field(
                "names", "words by which sources that mend security are known", required=True
            ),
            "days": Field(
                "number", "how old the newest answer of the sources may be", required=True
            ),
        },
        example={"rule": "security", "sources": ["security"], "days": 7},
    ),
    "restarts": Kind(
        doc=(
            "what runs of files that were replaced since; services are restarted only where the"
            " control was asked for by its name"
        ),
        identity="rule",
        fields={
            "rule": Field(
                "string",
                "services: none uses replaced files; reboot: none is needed",
                required=True,
                choices=("services", "reboot"),
            ),
        },
        example={"rule": "services"},
    ),
}
