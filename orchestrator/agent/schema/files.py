"""Kinds of files and file systems."""

from .model import Field, Kind

KINDS = {
    "file": Kind(
        doc="a file or directory: its content, mode and owner",
        identity="path",
        fields={
            "path": Field("path", "absolute path", required=True),
            "type": Field("string", "what it is (file)", choices=("file", "directory")),
            "state": Field(
                "string",
                "present (default), absent, or optional: judged only where it exists",
                choices=("present", "absent", "optional"),
            ),
            "mode": Field("mode", "exact permission bits, octal in quotes"),
            "mode_at_most": Field("mode", "no permission beyond these bits, octal in quotes"),
            "owner": Field("name", "owner's name"),
            "group": Field("names", "group's name, or a list of accepted ones"),
            "content": Field("text", "the whole content"),
            "template": Field("template", "file in templates/ that gives it", compiled=True),
            "public": Field("boolean", "the content may be shown in diffs and evidence"),
            "reload": Field("units", "units to reload after a change"),
            "restart": Field("units", "units to restart after a change, where they run"),
        },
        example={"path": "/etc/shadow", "mode_at_most": "0640", "owner": "root"},
    ),
}
