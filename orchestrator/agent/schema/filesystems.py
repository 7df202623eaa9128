"""Kinds of what is true of whole file systems, and of many files at once."""

from .model import Field, Kind

KINDS = {
    "files": Kind(
        doc="all files that patterns stand for: permissions, owner, group; there may be none",
        identity="paths",
        fields={
            "paths": Field("globs", "absolute paths; * in names, /** for all below", required=True),
            "exclude": Field("globs", "of these, not"),
            "type": Field("string", "what is judged (file)", choices=("file", "directory")),
            "mode_at_most": Field("mode", "no permission beyond these bits, octal in quotes"),
            "owner": Field("names", "accepted owners; the first one is set"),
            "group": Field("names", "accepted groups; the first one is set"),
            "system": Field("boolean", "owners and groups below 1000 are accepted as well"),
        },
        example={"paths": ["/etc/ssh/ssh_host_*_key"], "mode_at_most": "0600", "owner": "root"},
    ),
    "walk": Kind(
        doc="what should be nowhere on the local file systems; one walk serves all of these",
        identity="find",
        fields={
            "find": Field(
                "string",
                "what is looked for: SUID and SGID programs, files that everybody may write, such "
                "directories without the sticky bit, files without an owner or a group",
                required=True,
                choices=("set-id", "writable-files", "writable-directories", "unowned"),
            ),
            "allowed": Field("globs", "paths that may be so; * in names, /** for all below"),
            "skip": Field("globs", "directories that are not looked into (no patterns)"),
        },
        example={"find": "set-id", "allowed": ["/usr/bin/sudo"]},
    ),
    "mount": Kind(
        doc="a directory with a file system of its own, and its options, now and at boot",
        identity="path",
        fields={
            "path": Field("path", "the directory", required=True),
            "own": Field("boolean", "it must be a file system of its own"),
            "type": Field("string", "apply may mount one in memory there", choices=("tmpfs",)),
            "options": Field("mount_flags", "what it is mounted with, where it is one"),
        },
        example={"path": "/tmp", "options": ["nodev", "nosuid"]},
    ),
    "kernel_module": Kind(
        doc="a kernel module that is not loaded and cannot be",
        identity="name",
        fields={"name": Field("name", "the module's name", required=True)},
        example={"name": "cramfs"},
    ),
}
