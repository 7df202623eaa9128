"""Kinds of what runs."""

from .model import Field, Kind

KINDS = {
    "unit": Kind(
        doc="a systemd unit: whether it starts at boot and whether it runs",
        identity="name",
        fields={
            "name": Field("unit", "unit name with its suffix", required=True),
            "enabled": Field("boolean", "starts at boot"),
            "active": Field("boolean", "runs now"),
            "masked": Field("boolean", "cannot be started at all"),
        },
        example={"name": "rsync.service", "enabled": False, "active": False},
    ),
    "cron_jobs": Kind(
        doc="what cron and at run: who may change it, and the directories that lead to it",
        identity="run_as",
        fields={
            "run_as": Field("string", "whose jobs", required=True, choices=("root",)),
        },
        example={"run_as": "root"},
    ),
}
