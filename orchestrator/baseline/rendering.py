"""Jinja2 over our own data only: profile parameters, host variables, the host's endpoint.

One pass, sandboxed, strict: what a variable holds is never taken for a template, and what is not
defined is an error.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateRuntimeError,
    Undefined,
    UndefinedError,
    meta,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from orchestrator.baseline.variables import PREFIX, ours, plain_data
from orchestrator.model.host import ManagedHost

# What an expression of ours can raise; anything else is a fault of the program.
ERRORS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError)

_EXPRESSION = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)


class Scope:
    """A named set of values for templates: ``param.x``, ``host.endpoint.port``."""

    def __init__(self, label: str, values: Mapping[str, Any]) -> None:
        self._label = label
        self.__dict__.update(values)

    def __str__(self) -> str:
        return self._label


class Missing(StrictUndefined):
    """An undefined value whose error carries the whole name."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        full = f"{obj}.{name}" if isinstance(obj, Scope) else str(name)
        super().__init__(hint or full, obj, name, exc)


class Templates:
    """Parsed templates of one search path; values and files are parsed once."""

    def __init__(self, directories: tuple[Path, ...]) -> None:
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(directories),
            undefined=Missing,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        environment.globals.clear()
        environment.filters.update(ipv4=_ipv4, ipv6=_ipv6)
        self.environment = environment
        self._values: dict[str, Callable[[Mapping[str, Any]], Any]] = {}

    def value(self, text: str, context: Mapping[str, Any]) -> Any:
        """Return a rendered value; exactly one ``{{ … }}`` keeps the type of what it yields.

        Raises one of ERRORS; an UndefinedError's message is the name that is not defined.
        """
        evaluate = self._values.get(text)
        if evaluate is None:
            evaluate = self._values[text] = self._parsed(text)
        return plain_data(_defined(evaluate(context)))

    def file(self, name: str, context: Mapping[str, Any]) -> str:
        """Return the rendered template file ``name``; raises as ``value`` does."""
        return self.environment.get_template(name).render(context)

    def _parsed(self, text: str) -> Callable[[Mapping[str, Any]], Any]:
        single = _EXPRESSION.fullmatch(text.strip())
        if single:
            return self.environment.compile_expression(single[1], undefined_to_none=False)
        return self.environment.from_string(text).render


@lru_cache(maxsize=8)
def templates(directories: tuple[Path, ...]) -> Templates:
    """Return the templates of a search path, kept for the life of the process."""
    return Templates(directories)


def context_for(host: ManagedHost, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that templates see of one host.

    Raises ConfigurationError where a variable of the host is not plain data.
    """
    endpoint = Scope("host.endpoint", {"port": host.endpoint.port, "user": host.endpoint.user})
    return {
        "param": Scope("param", parameters),
        "host": Scope("host", {"name": host.name, "endpoint": endpoint}),
        **ours(host.name, host.variables),
    }


def unknown_names(text: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return the names in a value that no host could ever give; raises TemplateSyntaxError."""
    tree = templates(()).environment.parse(text)
    roots = meta.find_undeclared_variables(tree) - {"param", "host"}
    unknown = [name for name in roots if not name.startswith(PREFIX)]
    wanted = _parameters(tree)
    return sorted([*unknown, *(f"param.{name}" for name in wanted if name not in parameters)])


def parameter_names(text: str) -> set[str]:
    """Return the profile parameters that a value or a template asks for.

    Raises TemplateSyntaxError.
    """
    return _parameters(templates(()).environment.parse(text))


def names_asked(text: str) -> set[str] | None:
    """Return the variables that a value or a template asks for, without ``param``.

    ``host`` is among them where it asks for more than the host's endpoint. None: it draws on other
    files, and may ask for anything. Raises TemplateSyntaxError.
    """
    tree = templates(()).environment.parse(text)
    if any(tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))):
        return None
    names = meta.find_undeclared_variables(tree) - {"param", "host"}
    hosts = sum(node.name == "host" for node in tree.find_all(nodes.Name))
    endpoints = sum(
        isinstance(node.node, nodes.Name) and (node.node.name, node.attr) == ("host", "endpoint")
        for node in tree.find_all(nodes.Getattr)
    )
    return names | ({"host"} if hosts > endpoints else set())


def _parameters(tree: nodes.Template) -> set[str]:
    return {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "param"
    }


def line_of(error: BaseException, path: str) -> int:
    """Return the line of a template file in which ``error`` arose, or 0."""
    found, trace = 0, error.__traceback__
    while isinstance(trace, TracebackType):
        if trace.tb_frame.f_code.co_filename.endswith(path):
            found = trace.tb_lineno
        trace = trace.tb_next
    return found or int(getattr(error, "lineno", 0) or 0)


def _defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined raises
    return value


def _ipv4(networks: list[str]) -> list[str]:
    return [network for network in networks if ":" not in network]


def _ipv6(networks: list[str]) -> list[str]:
    return [network for network in networks if ":" in network]
