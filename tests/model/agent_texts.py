"""The texts that the agent's sources put together, with a mark where a value goes.

What a function is given and what others return are values. A name stands for all that its function,
or its module, ever assigns to it: a text may come out that no host can say, but none is missed that
is put together in one function.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from pathlib import Path

VALUE = "\0"
_FIELD = re.compile(r"\{[^{}]*\}")
# Of what can be put together in one place, so many variants are looked at.
_VARIANTS = 64

Names = Mapping[str, frozenset[str]]


def texts(path: Path) -> set[str]:
    """Return every text that a module's functions and constants hold, documentation left out."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    known = _assigned(module.body, {})
    found = {text for node in module.body for text in _roots(node, known)}
    return {text for text in found if text.strip(VALUE + " ")}


def _roots(node: ast.AST, names: Names) -> Iterator[str]:
    """Yield the texts of the largest expressions below a node."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # documentation
    if isinstance(node, ast.FunctionDef):
        names = {**names, **_assigned(node.body, names)}
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield from _of(node.target, names)
        return
    if isinstance(node, ast.expr):
        yield from _of(node, names)
    for child in _inside(node):
        yield from _roots(child, names)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children that are no part of a node's own text, annotations left out."""
    own = {id(part) for part in _parts(node)}
    left_out = [getattr(node, name, None) for name in ("annotation", "returns")]
    for child in ast.iter_child_nodes(node):
        if child in left_out or isinstance(child, ast.arguments):
            continue
        if id(child) in own:
            yield from _inside(child)
        else:
            yield child


def _parts(node: ast.AST) -> list[ast.expr]:
    """Return the children that ``_of`` takes up into the text of a node."""
    match node:
        case ast.BinOp(op=ast.Add()):
            return [node.left, node.right]
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.BoolOp():
            return node.values
        case ast.Call(func=ast.Attribute(value=text, attr="format" | "join")):
            return [node.func, text]
        case ast.Attribute():
            return [node.value]
    return []


def _of(node: ast.expr, names: Names) -> frozenset[str]:
    """Return the texts that an expression may give."""
    match node:
        case ast.Constant(value=str() as text):
            return frozenset([_FIELD.sub(VALUE, text)])
        case ast.Name(id=name):
            return names.get(name, frozenset([VALUE]))
        case ast.BinOp(op=ast.Add()):
            return _sums(_of(node.left, names), _of(node.right, names))
        case ast.IfExp():
            return _of(node.body, names) | _of(node.orelse, names)
        case ast.BoolOp():
            return frozenset[str]().union(*(_of(value, names) for value in node.values))
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return _of(text, names)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as between), attr="join")):
            return frozenset([VALUE + between + VALUE if between.strip(" ,;|") else VALUE])
        case ast.Subscript(value=ast.Name(id=name)):
            return names.get(f"{name}[]", frozenset([VALUE]))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get")):
            return names.get(f"{name}[]", frozenset([VALUE]))
    return frozenset([VALUE])


def _assigned(body: Iterable[ast.stmt], outer: Names) -> dict[str, frozenset[str]]:
    """Return the names that statements assign, with all that they may stand for.

    The values of a map or a list are known under its name with ``[]`` behind it.
    """
    found: dict[str, frozenset[str]] = {}
    nodes = [node for statement in body for node in ast.walk(statement)]
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)):
                items = (_of(value, {**outer, **found}) for value in values)
                found[f"{name}[]"] = frozenset[str]().union(*items)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                texts = _of(value, {**outer, **found})
                found[name] = found.get(name, frozenset()) | texts
    for node in nodes:
        match node:
            case ast.AugAssign(target=ast.Name(id=name), value=value) if name in found:
                found[name] |= _sums(found[name], _of(value, {**outer, **found}))
    return found


def _sums(first: Iterable[str], second: Iterable[str]) -> frozenset[str]:
    pairs = islice(product(sorted(first), sorted(second)), _VARIANTS)
    return frozenset(one + other for one, other in pairs)
