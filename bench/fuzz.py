"""Fuzz what reads a host's answer: ``python -m bench.fuzz [--seconds N] [READER …]``.

Each reader of ``bench.readers`` runs for a while on one core, in a process of its own, from the
recorded answers in ``bench/seeds``. A finding (an error that is not declared, more than ten seconds
or 1 GiB for one answer) is kept in ``--findings`` and ends that reader's run. Needs atheris, which
``script/setup --dev`` installs.
"""

import argparse
import copy
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SEEDS = Path(__file__).parent / "seeds"
_MARKER = b"luytre-" + b"0" * 32
_LONGEST = 65536
_ODD = (None, True, -1, 1e308, 10**30, "", "-x", "pass", "error", "\x1b[31m\u202e", [], {}, [[1]])
_STATS = {
    "executions": re.compile(r"stat::number_of_executed_units:\s+(\d+)"),
    "edges": re.compile(r"cov: (\d+) "),
    "corpus": re.compile(r"corp: (\d+)/"),
    "peak MiB": re.compile(r"stat::peak_rss_mb:\s+(\d+)"),
}


def main() -> int:
    """Run the readers one after the other; return 1 where there was a finding."""
    options = _options()
    if options.inside:
        _fuzz(options.inside, options.readers)
    print(f"{time.strftime('%Y-%m-%d')}, Python {sys.version.split()[0]}, {options.seconds} s each")
    print(f"| reader | {' | '.join(_STATS)} | findings |\n|---|{'---|' * (len(_STATS) + 1)}")
    options.findings.mkdir(parents=True, exist_ok=True)
    found = [_campaign(name, options) for name in options.readers or _names()]
    return 1 if any(found) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", help="which readers; all where none is named")
    parser.add_argument("--seconds", type=int, default=300, help="how long for each reader")
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir(), "findings"))
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _campaign(name: str, options: argparse.Namespace) -> int:
    """Fuzz one reader, print its row of the table, return the number of findings."""
    kept = options.findings / f"{name}-"
    with tempfile.TemporaryDirectory(prefix="luytre-fuzz-") as corpus:
        for number, seed in enumerate(seeds(name)):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        flags = (
            f"-max_total_time={options.seconds}",
            f"-artifact_prefix={kept}",
            f"-max_len={_LONGEST}",
            "-print_final_stats=1",
            "-timeout=10",
            "-rss_limit_mb=1024",
        )
        command = [sys.executable, "-m", "bench.fuzz", "--inside", name, "--", corpus, *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    log = options.findings / f"{name}.log"
    log.write_text(done.stderr)
    numbers = [(figure.findall(done.stderr) or ["?"])[-1] for figure in _STATS.values()]
    findings = len(list(options.findings.glob(f"{name}-*")))
    told = str(findings) if done.returncode == 0 or findings else f"ended with {done.returncode}"
    print(f"| {name} | {' | '.join(numbers)} | {told} |", flush=True)
    return findings or done.returncode


def seeds(name: str) -> Iterator[bytes]:
    """Yield what a reader starts from: recorded answers, and short files of every sort."""
    from bench.host_readers import READERS  # noqa: PLC0415 - atheris must come before

    recorded = {file.stem: file.read_bytes() for file in sorted(_SEEDS.glob("*.json"))}
    if name in recorded:
        yield recorded[name]
    elif name == "files":
        for number, reader in enumerate(READERS):
            yield bytes([number]) + (_SEEDS / "files" / reader).read_bytes()
    elif name in ("document", "stdout"):
        for text in recorded.values():
            packed = zlib.compress(text)
            framed = b"\n%s\n%d\n%s" % (_MARKER, len(packed), packed)
            yield text if name == "document" else framed
    elif name == "sudo":
        yield b"\x01sudo: a password is required\n"
        yield b"\x7fenv: 'sudo': No such file or directory\n"
        yield b"\x01an is not in the sudoers file.\nsudo: 3 incorrect password attempts\n"
    else:
        yield "PermitRootLogin yes; \x1b[31m{{ 7*7 }}\u202e\n=1+1;=2".encode()


def bend(data: bytes, chance: random.Random) -> bytes:
    """Return a JSON document with one value moved, made another or taken away.

    It is empty where there is none, and every third time: then the bytes themselves are to change.
    """
    try:
        document = json.loads(data)
        places = list(_places(document))
    except (ValueError, RecursionError):
        return b""
    if not places or not chance.randrange(3):
        return b""
    parent, key = chance.choice(places)
    if chance.randrange(4):
        other, its = chance.choice(places)
        parent[key] = chance.choice([*_ODD, copy.deepcopy(other[its])])
    else:
        del parent[key]
    return json.dumps(document).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) of every value inside of one."""
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _names() -> list[str]:
    from bench.readers import TARGETS  # noqa: PLC0415 - atheris must come before

    return list(TARGETS)


def _fuzz(name: str, arguments: list[str]) -> None:
    """Fuzz in this process; never returns."""
    import atheris  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415 - only here

    with atheris.instrument_imports(include=["orchestrator"]):
        from bench.readers import TARGETS  # noqa: PLC0415 - instrumented while imported

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        bent = bend(data, random.Random(seed))
        return bent if 0 < len(bent) <= most else bytes(atheris.Mutate(data, most))

    mutator = {"custom_mutator": mutate} if (_SEEDS / f"{name}.json").exists() else {}
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name], **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
