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
}
