"""How a sentence is worded in the source: literals, choices between them, and what is filled in.

Enters: parts of a syntax tree. Leaves: whole sentences with numbered places, one for every case. It does not
know which sentences people see.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import TypeGuard

MOST_VARIANTS = 16
Words = Mapping[str, ast.expr]
"""Names and the wordings that they stand for."""


def is_worded(node: ast.AST, words: Words) -> TypeGuard[ast.expr]:
    """A text, some put together, or a name for one."""
    if isinstance(node, ast.Name):
        return isinstance(node.ctx, ast.Load) and node.id in words
    return isinstance(node, ast.JoinedStr | ast.Constant) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)
    )


def is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def variants(node: ast.expr, words: Words) -> Iterator[str]:
    """The sentence with numbered places; once for every choice between words that is made in it."""
    for parts in islice(_choices(node, words), MOST_VARIANTS):
        text, number = "", 0
        for one in parts:
            if one is not None:
                text += one
            elif not text.endswith("}"):  # of two values side by side nobody could tell where one ends
                text, number = f"{text}{{{number}}}", number + 1
        yield text.strip()


def _choices(node: ast.expr, words: Words) -> Iterator[tuple[str | None, ...]]:
    """Every way in which it may be worded, in pieces; None is a value.

    Besides literals: a choice of two, some put together, a name that stands for one, a word from a table.
    """
    match node:
        case ast.Constant(value=str(text)):
            yield (text,)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _of_any((body, orelse), words)
        case ast.BoolOp(op=ast.Or(), values=values):
            yield from _of_any(values, words)
        case ast.JoinedStr(values=values):
            yield from _together(values, words)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _together((left, right), words)
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            yield from _choices(value, words)
        case ast.Name(id=name) if name in words and not isinstance(words[name], ast.Dict):
            yield from _choices(words[name], {one: other for one, other in words.items() if one != name})
        case ast.Subscript(value=ast.Name(id=name)) if isinstance(table := words.get(name), ast.Dict):
            yield from _of_any(table.values, words)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, *other]) if (
            isinstance(table := words.get(name), ast.Dict)
        ):
            yield from _of_any((*table.values, *other), words)
        case _:
            yield (None,)


def _of_any(nodes: Iterable[ast.expr], words: Words) -> Iterator[tuple[str | None, ...]]:
    for one in nodes:
        yield from _choices(one, words)


def _together(values: Sequence[ast.expr], words: Words) -> Iterator[tuple[str | None, ...]]:
    for chosen in product(*(list(_choices(one, words)) for one in values)):
        yield tuple(part for parts in chosen for part in parts)


def filled_in(node: ast.expr) -> Iterator[ast.expr]:
    """What a text is put together from, but the literals."""
    match node:
        case ast.Constant():
            return
        case ast.JoinedStr(values=parts) | ast.BoolOp(op=ast.Or(), values=parts):
            pass
        case ast.FormattedValue(value=value):
            parts = [value]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [left, right]
        case ast.IfExp(body=body, orelse=orelse):
            parts = [body, orelse]
        case _:
            yield node
            return
    for part in parts:
        yield from filled_in(part)


def assigned(body: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value


def shared_words(tree: ast.Module) -> dict[str, ast.expr]:
    """Sentences with a name, and dicts of words from which a sentence takes one."""
    return {
        name: value
        for name, value in assigned(tree.body)
        if (is_text(value) and is_sentence(value.value))
        or (isinstance(value, ast.Dict) and value.values and all(map(is_text, value.values)))
    }


def local_words(function: ast.FunctionDef) -> dict[str, ast.expr]:
    """Names that stand for one wording, or a choice of some, in all of a function."""
    inside = list(ast.walk(function))
    stored = Counter(one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    stored.update(one.arg for one in inside if isinstance(one, ast.arg))
    return {
        name: value
        for name, value in assigned(inside)
        if stored[name] == 1
        and isinstance(value, ast.Constant | ast.JoinedStr | ast.IfExp | ast.BinOp)
        and any(part for parts in _choices(value, {}) for part in parts)
    }


def pieces(inside: ast.AST, words: Words) -> set[int]:
    """Wordings that are only ever a piece of a longer text: by themselves they are no sentence."""
    nodes = list(ast.walk(inside))
    put_in = [
        one.value if isinstance(one, ast.Subscript) else one
        for node in nodes
        if isinstance(node, ast.JoinedStr) or is_worded(node, {})
        for one in filled_in(node)
    ]
    glued = {id(one) for one in put_in}
    read = [one for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
    alone = {one.id for one in read if id(one) not in glued}
    found: set[int] = set()
    for name in {one.id for one in read} & set(words) - alone:
        waiting = [words[name]]
        while waiting:
            match one := waiting.pop():
                case ast.IfExp():
                    waiting += [one.body, one.orelse]
                case ast.Dict():
                    waiting += one.values
                case ast.BinOp():
                    waiting += [one.left, one.right]
            found.add(id(one))
    return found


def is_sentence(text: str) -> bool:
    bare = re.sub(r"\{\d\}", "", text)
    if re.search(r"[<>]|--[a-z].*=|^\s*[.#%]|\bSELECT\b|\\", bare) or "{" in bare or "  " in text:
        return False  # two spaces: a row of a table
    words = re.findall(r"[A-Za-z]{2,}", bare)
    if " " not in text or not any(one.islower() for one in words):
        return False
    places = len(re.findall(r"\{\d\}", text))
    if places >= 2:  # "{0} are {1}" would be found in half of all sentences
        return len(words) >= places or bool(
            re.search(r"\{0\} of \{1\} \(|\(\w+ \{\d\}\)$|“\{\d\}”$|^\{0\} say |^\{0\} to \{1\} %$", text)
        )
    return len(words) + places >= 2
