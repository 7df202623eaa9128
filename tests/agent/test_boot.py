"""The message that carries the agent: run by a real Python, whatever comes before it."""

import ast
import json
import marshal
import subprocess
import sys
import zlib

import pytest

from orchestrator.fleet import pack

MARKER = "luytre-0123456789abcdef"
SECRET = "hunter2-not-a-program"
INTERPRETERS = sorted({sys.executable, "/usr/bin/python3"})
STATUS = {"operation": "status"}


def boot(data, python=sys.executable, options=pack.OPTIONS):
    """Run the bootstrap as the controller does, its stdin open until it has answered."""
    argv = [python, *options, "-c", pack.BOOT, MARKER]
    pipe = subprocess.PIPE
    environment = {"LC_ALL": "C"}
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
        process.stdin.write(data)
        process.stdin.flush()
        out = process.stdout.read()
        process.stdin.close()
        err = process.stderr.read()
    return process.returncode, out, err


def answer(out):
    """Return the document in an answer."""
    before, _, rest = out.partition(f"\n{MARKER}\n".encode())
    size, _, data = rest.partition(b"\n")
    assert before == b""
    assert len(data) == int(size)
    return json.loads(zlib.decompress(data))


def asking(out):
    """Return an answer without the question for the sources before it."""
    question, _ = pack.sources_reply(MARKER, "status")
    assert out.startswith(question)
    return out[len(question) :]


def with_magic(message, magic):
    """Return a message whose bytecode is that of another Python."""
    line, sizes, frames = message.split(b"\n", 2)
    size = int(sizes.split()[0])
    return b"\n".join([line, sizes, magic.ljust(size, b"x")[:size] + frames[size:]])


@pytest.mark.parametrize("python", INTERPRETERS)
@pytest.mark.parametrize("magic", [None, b"\0\0\0\0", b"\xff\xff\r\n"])
def test_every_python_runs_the_agent_from_bytecode_or_from_source(python, magic):
    message = pack.message(MARKER, STATUS, {})
    if magic is not None:
        message = with_magic(message, magic) + pack.sources_reply(MARKER, "status")[1]
    code, out, err = boot(message, python)
    assert (code, err) == (0, b"")
    told = answer(out if magic is None else asking(out))
    assert told["format"] == 1
    script = "import platform; print(platform.python_version())"
    asked = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    version = asked.stdout.strip()
    assert told["result"]["host"]["python"] == version


def test_bytecode_of_another_python_is_never_run():
    """Damaged bytecode under a foreign number: only the sources can have answered."""
    line, sizes, frames = pack.message(MARKER, STATUS, {}).split(b"\n", 2)
    magic, code, *_rest = map(int, sizes.split())
    damaged = b"\0" * magic + b"\0" * code + frames[magic + code :]
    _, sources = pack.sources_reply(MARKER, "status")
    out = boot(b"\n".join([line, sizes, damaged]) + sources)[1]
    assert answer(asking(out))["format"] == 1


def test_who_changes_a_host_brings_the_sources_along():
    """They are kept for the way back, and Ansible cannot be asked for them."""
    message = with_magic(pack.message(MARKER, {"operation": "rollback", "run": "x"}, {}), b"\0\0")
    assert "knows no run x" in answer(boot(message)[1])["refused"]


@pytest.mark.parametrize(
    "junk",
    [
        f"{SECRET}\n".encode(),
        f"import os; os._exit(99) # {SECRET}\n".encode(),
        f"Welcome to the jungle\r\n\x1b[31m{SECRET}\n\n".encode(),
        b"\xff\xfe\0" + SECRET.encode() + b"\n",
        SECRET.encode() * 40_000 + b"\n",
        f" {MARKER[:-1]}\n{SECRET}\n".encode(),
        f"x{MARKER}\n{MARKER}x\n{SECRET}\n".encode(),
    ],
)
def test_what_stands_before_the_marker_is_neither_run_nor_echoed(junk):
    code, out, err = boot(junk + pack.message(MARKER, STATUS, {}))
    assert (code, err) == (0, b"")
    assert SECRET.encode() not in out
    assert answer(out)["format"] == 1


def test_input_without_the_marker_ends_without_a_word():
    argv = [sys.executable, *pack.OPTIONS, "-c", pack.BOOT, MARKER]
    done = subprocess.run(argv, input=f"{SECRET}\n".encode() * 3, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (65, b"", b"")


def test_requests_and_secrets_arrive_whole():
    """Text of every script, and as many secrets as one likes."""
    request = {"operation": "audit", "manifest": {"controls": []}, "text": "Lũy tre 竹 🎋"}
    assert answer(boot(pack.message(MARKER, request, {"digest_key": "ab" * 10**5}))[1])["result"]


@pytest.mark.parametrize(
    ("options", "verdict"),
    [(pack.OPTIONS, "pass"), (("-X", "utf8=0", "-I", "-S"), "error")],
)
def test_a_name_that_python_cannot_spell_is_an_error_of_its_control_alone(
    tmp_path, options, verdict
):
    """Python 3.6, which knows no UTF-8 mode, cannot in the language C."""
    place = tmp_path / "tường lửa"
    place.write_text("x")
    controls = [
        {"id": name, "desired": [{"kind": "file", "want": {"path": path, "mode": "0644"}}]}
        for name, path in (("spelled", str(place)), ("plain", "/etc/passwd"))
    ]
    place.chmod(0o644)
    request = {"operation": "audit", "manifest": {"controls": controls}}
    message = pack.message(MARKER, request, {})
    found = answer(boot(message, options=options)[1])["result"]["findings"]
    assert [each["verdict"] for each in found] == [verdict, "pass"]


def test_a_refusal_is_an_answer():
    request = {"operation": "rollback", "run": "../../etc"}
    assert "not the name of a run" in answer(boot(pack.message(MARKER, request, {}))[1])["refused"]


def test_looking_needs_no_more_than_the_looking_part():
    seen, changes = (set(_modules(pack.prepare(verb))) for verb in ("status", "begin"))
    assert "agent/rollback.py" not in seen
    assert {"agent/entry.py", "agent/rollback.py", "agent/kinds/sshd.py"} <= changes
    assert seen < changes
    assert "agent/schema.py" not in changes


def _modules(frames):
    code, source = (marshal.loads(zlib.decompress(frame)) for frame in frames)
    assert set(code) == set(source)
    return source


@pytest.mark.parametrize("module", ["collections", "json", "re", "signal", "socket", "subprocess"])
def test_an_audit_does_without_modules_that_cost_more_than_itself(module):
    kinds = [name for name in pack.sources() if name.startswith("agent/kinds/")]
    wanted = [name[: -len(".py")].replace("/", ".") for name in (*kinds, "agent/audit.py")]
    head = pack.BOOT.partition("from agent.entry")[0]
    ending = f"for n in {wanted!r}: __import__(n)\nprint({module!r} in sys.modules)"
    argv = [sys.executable, *pack.OPTIONS, "-c", head + ending, MARKER]
    message = pack.message(MARKER, STATUS, {})
    told = subprocess.run(argv, input=message, capture_output=True, check=True)
    assert told.stdout == b"False\n"


@pytest.mark.parametrize("name", sorted(pack.sources()))
def test_the_sources_are_python_of_the_oldest_hosts(name):
    """Also the copy that is saved for the way back: Python may be upgraded under it."""
    ast.parse(pack.sources()[name], name, feature_version=(3, 6))


@pytest.mark.parametrize("operation", ["begin", "converge", "await", "finish"])
def test_the_agent_is_the_same_for_all_hosts_and_all_steps_of_a_change(operation):
    request = {"operation": operation, "run": MARKER}
    head, rest = pack.around_agent(MARKER, request, {})
    assert head + pack.agent_for("begin") + rest == pack.message(MARKER, request, {})
    assert len(head + rest) < 1000
