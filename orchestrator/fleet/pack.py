"""The agent as one message: bytecode for the controller's Python, sources for every other."""

import hashlib
import json
import marshal
import threading
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

from orchestrator import agent
from orchestrator.fleet.pack_cache import Frames, kept

# marshal's version 2 is read by every Python 3.
_MARSHAL_VERSION = 2
# zlib's levels: what is packed once, and what is packed for every host.
_SMALL, _FAST = 9, 1

# What only looks at a host needs no more than a third of the agent.
_WATCHING = ("audit", "status")
_CHANGING = tuple(
    f"agent/{name}.py"
    for name in (
        "arm",
        "change",
        "comparison",
        "converge",
        "debs",
        "discard",
        "foresee",
        "health",
        "impacts/__init__",
        "impacts/bans",
        "impacts/connections",
        "impacts/firewall",
        "impacts/forwarding",
        "impacts/logins",
        "impacts/services",
        "impacts/sudo",
        "journal",
        "keyed/change",
        "owned",
        "packages",
        "patches",
        "phases",
        "plan",
        "prune",
        "reboot",
        "refresh",
        "repack",
        "rollback",
        "settle",
        "survey",
        "undo",
    )
)

# Of the interpreter on the host. File names are UTF-8, whatever the login speaks.
OPTIONS = ("-X", "utf8", "-I", "-S")

# Reads up to the marker line first: what stands before it (a sudo password that was not needed,
# a shell's greeting) must never be taken for anything. Then one line with the sizes of the frames.
# Sources that did not come along are asked for where the bytecode is of another Python.
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
if not source and magic!=MAGIC_NUMBER:
 os.write(1,b"\\n"+m+b" sources\\n")
 source=I.read(int(I.readline()))
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
serve(m,u(request),u(secrets),source,C if magic==MAGIC_NUMBER else{})
os._exit(0)
"""


# The first hosts of a run would all pack at once, each for itself.
_PACKING = threading.Lock()


@cache
def sources() -> Mapping[str, str]:
    """Return the agent's sources by their path in the package (``agent/kinds/sshd.py``).

    ``schema`` stays at home: only the baseline asks for it.
    """
    root = Path(agent.__file__).parent
    files = sorted(file for file in root.rglob("*.py") if file.parent.name != "schema")
    return {f"agent/{file.relative_to(root).as_posix()}": file.read_text("utf-8") for file in files}


def message(marker: str, request: Mapping[str, Any], secrets: Mapping[str, Any]) -> bytes:
    """Return the message for one host, whole.

    ``request`` (with its ``operation``) and ``secrets`` are plain data; ``marker`` is random for
    every call.
    """
    head, rest = around_agent(marker, request, secrets)
    return head + agent_for(request["operation"]) + rest


def around_agent(
    marker: str, request: Mapping[str, Any], secrets: Mapping[str, Any]
) -> tuple[bytes, bytes]:
    """Return what stands before the agent in a message (marker line and sizes), and after it."""
    ours = _frames_for(request["operation"])
    theirs = (_frame(request, _FAST), _frame(secrets, _FAST))
    sizes = " ".join(str(len(frame)) for frame in (*ours, *theirs))
    return f"{marker}\n{sizes}\n".encode(), b"".join(theirs)


def agent_for(operation: str) -> bytes:
    """Return the agent as it stands in a message: the same for all hosts, and for all that change.

    Its frame of sources is empty where nothing is changed: hosts with another Python ask for them
    (see :func:`sources_reply`).
    """
    return b"".join(_frames_for(operation))


def _frames_for(operation: str) -> tuple[bytes, bytes, bytes]:
    code, source = prepare(operation)
    return MAGIC_NUMBER, code, b"" if operation in _WATCHING else source


def sources_reply(marker: str, operation: str) -> tuple[bytes, bytes]:
    """Return the line by which a host asks for the sources, and what it is sent then."""
    source = prepare(operation)[1]
    return f"\n{marker} sources\n".encode(), f"{len(source)}\n".encode() + source


def prepare(operation: str) -> Frames:
    """Return the frames of code and of sources for an operation.

    The first time they are made, which takes a third of a second; later ones are read.
    """
    with _PACKING:
        return _agent_frames(operation not in _WATCHING)


@cache
def _agent_frames(change: bool) -> Frames:
    wanted = [name for name in sources() if change or name not in _CHANGING]
    made_of = (MAGIC_NUMBER, change, Path(__file__).read_bytes(), [sources()[n] for n in wanted])
    name = hashlib.sha256(repr((made_of, wanted)).encode()).hexdigest()
    return kept(name, lambda: _made(wanted, bare=not change))


def _made(wanted: Sequence[str], *, bare: bool) -> Frames:
    code = {name: _bare(_compiled(name)) if bare else _compiled(name) for name in wanted}
    # Only the same Python reads this frame: marshal's own version, which is half as large.
    packed = zlib.compress(marshal.dumps(code), _SMALL)
    return packed, _frame({name: sources()[name] for name in wanted})


@cache
def _compiled(name: str) -> CodeType:
    return compile(sources()[name], name, "exec", dont_inherit=True, optimize=2)


def _bare(code: CodeType) -> CodeType:
    """Return code without its tables of line numbers, which are nearly half of it.

    A traceback then names functions only; an audit can be repeated where one is wanted.
    """
    constants = tuple(_bare(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=constants, co_linetable=b"")


def _frame(data: Any, level: int = _SMALL) -> bytes:
    return zlib.compress(marshal.dumps(data, _MARSHAL_VERSION), level)


def plain(document: Mapping[str, Any]) -> Any:
    """Return a document as what marshal takes: dictionaries, lists, text, numbers."""
    return json.loads(json.dumps(document))
