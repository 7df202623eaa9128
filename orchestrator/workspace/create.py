"""A fresh workspace for ``luytre init``."""

import json
import os
from pathlib import Path

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _
from orchestrator.workspace.directory import Workspace, load
from orchestrator.workspace.settings import FILE_NAME
from orchestrator.workspace.settings import parse as parse_settings
from orchestrator.workspace.yaml_source import parse

_IGNORED = ".luytre/"
_SETTINGS = """\
# Lũy Tre: settings of this workspace / cấu hình của thư mục làm việc này

# Who works here; every change is recorded under this name.
# Người thao tác; mọi thay đổi được ghi lại dưới tên này.
operator:
  name: {name}
{ssh_key}
# Where the servers are written down / Nơi khai báo các máy chủ
inventory: inventories

# What they are measured against; tcvn: by each server's luytre_level.
# Bộ yêu cầu áp dụng; tcvn: theo luytre_level của từng máy chủ.
profile: cis-level1-server

# Servers worked with at the same time / Số máy chủ xử lý cùng lúc
concurrency: 20

# Seconds after which a server that was not confirmed puts itself back.
# Số giây, sau đó máy chủ chưa được xác nhận sẽ tự hoàn tác.
confirm_window: 60

# Days for which a server keeps what takes a run back (copies of files: root's alone).
# Số ngày máy chủ giữ dữ liệu để hoàn tác một lượt chạy (bản sao các tệp, chỉ root đọc được).
journal_days: 90

# Own controls and templates, beside the shipped ones / Yêu cầu và mẫu riêng
# baselines: [baselines]
# templates: [templates]

# Own Ansible roles in roles/, run before and after the change of each server; a rollback does
# not take back what they do / Role Ansible riêng trong roles/, chạy trước và sau khi thay đổi
# từng máy chủ; hoàn tác không đưa lại những gì chúng đã làm.
# own_roles: {{before: [monitoring-off], after: [monitoring-on]}}

# Known holes, as debsecan fetches them: a file brought in from outside, of which patch status tells
# Danh sách lỗ hổng đã biết của debsecan: tệp mang từ ngoài vào, patch status sẽ dùng đến
# debsecan: debsecan/GENERIC

# vi or en; without it the terminal's language counts / Bỏ trống: theo ngôn ngữ của terminal
# language: vi
"""

_INVENTORY = """\
# An ordinary Ansible inventory / Tệp kê khai máy chủ theo chuẩn Ansible.
# Addresses and names are examples: replace them / Thay các giá trị ví dụ dưới đây.
all:
  vars:
    ansible_user: ops
    # Networks that may reach SSH, the jump host among them.
    # Các mạng được phép truy cập SSH, gồm cả máy trung gian.
    luytre_admin_sources: [192.0.2.0/28]
    # What each server offers; [] where it offers nothing / Dịch vụ mà máy chủ cung cấp
    luytre_services: []
    # Groups that log in over SSH; what is kept although the baseline would take it away
    # Các nhóm được đăng nhập qua SSH; dịch vụ cần giữ dù bộ yêu cầu muốn tắt
    # luytre_ssh_groups: [sudo]
    # luytre_keep_services: [snmp]
    # Where virus signatures come from inside the network / Nơi lấy mẫu mã độc trong mạng nội bộ
    luytre_clamav_mirror: http://clamav.example.org
  children:
    so_thong_tin:
      vars:
        luytre_agency: Sở ví dụ
      hosts:
        web1:
          ansible_host: 192.0.2.21
          luytre_level: 2
          luytre_services:
            - {name: https, port: 443, protocol: tcp, sources: [0.0.0.0/0, "::/0"]}
          # What is backed up every night, and which server takes it; then: luytre backup setup
          # Sao lưu những gì mỗi đêm, vào máy kho nào; sau đó chạy: luytre backup setup
          # luytre_backup_vault: vault1
          # luytre_backup_paths: [/etc, /srv]
          # luytre_backup_databases: [{postgresql: "*"}]
"""


def create(directory: Path, operator_name: str, *, ssh_key: Path | None = None) -> Workspace:
    """Write a new workspace into ``directory`` (created where it is missing) and load it.

    An existing ``.gitignore`` only gets our line. Raises ConfigurationError, before anything is
    written, where another file would be overwritten or the values are not accepted.
    """
    key = f"ssh_key: {_quoted(str(ssh_key.expanduser().absolute()))}" if ssh_key else ""
    text = _SETTINGS.format(
        name=_quoted(operator_name), ssh_key=f"  {key or '# ssh_key: ~/.ssh/id_ed25519.pub'}\n"
    )
    parse_settings(parse(text, str(directory / FILE_NAME)), directory)
    files = {FILE_NAME: text, "inventories/hosts.yml": _INVENTORY}
    for name in files:
        if os.path.lexists(directory / name):
            message = _("is there already; nothing was written")
            raise ConfigurationError(message, position=Position(str(directory / name)))
    try:
        for name, content in files.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            with (directory / name).open("x", encoding="utf-8") as file:
                file.write(content)
        _ignore_state(directory / ".gitignore")
    except OSError as error:
        message = _("cannot be written: {reason}").format(reason=error.strerror)
        raise ConfigurationError(message, position=Position(str(directory))) from error
    return load(directory)


def _ignore_state(path: Path) -> None:
    """Keep our state out of git: it holds the digest key."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if _IGNORED not in lines:
        path.write_text("\n".join([*lines, _IGNORED, ""]), encoding="utf-8")


def _quoted(text: str) -> str:
    """Return a YAML scalar in double quotes: JSON's quoting is a part of YAML's."""
    return json.dumps(text, ensure_ascii=False)
