"""The agent as one message: bytecode for the controller's Python, sources for every other."""

import json
import marshal
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

from orchestrator import agent

# marshal's version 2 is read by every Python 3.
_MARSHAL_VERSION = 2
# zlib's levels: what is packed once, and what is packed for every host.
_SMALL, _FAST = 9, 1

# What only looks at a host needs no more than a third of the agent.
_WATCHING = ("audit", "status")
_CHANGING = tuple(
    f"agent/{name}.py"
    for name in ("arm", "change", "journal", "packages", "phases", "plan", "rollback")
)

# Reads up to the marker line first: what stands before it (a sudo password that was not needed,
# a shell's greeting) must never be taken for anything. Then one line with the sizes of the frames.
# At the end it leaves at once: taking the interpreter apart would cost 2 ms.
BOOT = """\
import os,sys,zlib,marshal
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER
I=sys.stdin.buffer
m=sys.argv[1].encode()
while 1:
 l=I.readline(65536)
 if not l:sys.exit(65)
 if l.strip()==m:break
magic,code,source,request,secrets=[I.read(int(n)) for n in I.readline().split()]
u=lambda d:marshal.loads(zlib.decompress(d))
C=u(code if magic==MAGIC_NUMBER else source)
class L:
 @staticmethod
 def find_spec(n,p=None,t=None):
  f=n.replace(".","/")
  for k in(f+"/__init__.py",f+".py"):
   if k in C:return ModuleSpec(n,L,origin=k,is_package=k[-12:]=="/__init__.py")
 @staticmethod
 def create_module(s):return None
 @staticmethod
 def exec_module(o):
  k=o.__spec__.origin
  exec(C[k]if magic==MAGIC_NUMBER else compile(C[k],k,"exec"),o.__dict__)
sys.meta_path.insert(0,L)
from agent.entry import serve
serve(m,u(request),u(secrets),source)
os._exit(0)
"""


@cache
def sources() -> Mapping[str, str]:
    """Return the agent's sources by their path in the package (``agent/kinds/sshd.py``).

    ``schema.py`` stays at home: only the baseline asks for it.
    """
    root = Path(agent.__file__).parent
    files = sorted(file for file in root.rglob("*.py") if file.name != "schema.py")
    return {f"agent/{file.relative_to(root).as_posix()}": file.read_text("utf-8") for file in files}


def message(marker: str, request: Mapping[str, Any], secrets: Mapping[str, Any]) -> bytes:
    """Return the whole message for one host: marker line, sizes, five frames.

    ``request`` (with its ``operation``) and ``secrets`` are plain data; ``marker`` is random for
    every call.
    """
    change = request["operation"] not in _WATCHING
    frames = (
        MAGIC_NUMBER,
        _code_frame(change),
        _source_frame(change),
        _frame(request, _FAST),
        _frame(secrets, _FAST),
    )
    sizes = " ".join(str(len(frame)) for frame in frames)
    return b"".join((f"{marker}\n{sizes}\n".encode(), *frames))


@cache
def _modules(change: bool) -> Mapping[str, str]:
    if change:
        return sources()
    return {name: text for name, text in sources().items() if name not in _CHANGING}


@cache
def _code_frame(change: bool) -> bytes:
    code = {
        name: compile(text, name, "exec", dont_inherit=True, optimize=2)
        for name, text in _modules(change).items()
    }
    # Only the same Python reads this frame: marshal's own version, which is half as large.
    return zlib.compress(marshal.dumps(code), _SMALL)


@cache
def _source_frame(change: bool) -> bytes:
    return _frame(dict(_modules(change)))


def _frame(data: Any, level: int = _SMALL) -> bytes:
    return zlib.compress(marshal.dumps(data, _MARSHAL_VERSION), level)


def plain(document: Mapping[str, Any]) -> Any:
    """Return a document as what marshal takes: dictionaries, lists, text, numbers."""
    return json.loads(json.dumps(document))
