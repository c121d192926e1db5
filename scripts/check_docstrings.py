"""Check that docstrings name all parameters of a function and all errors that it raises.

Usage: python scripts/check_docstrings.py FOLDER [FOLDER ...]

Two rules hold for public functions and methods. One with three or more arguments has a section
``Parameters`` with the name of each. One whose own body raises an error has a section ``Raises``
with the name of that error. Commands of the command line are exempt: their docstring is the text
of ``--help``.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

MIN_ARGUMENTS = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(body: list[ast.stmt]) -> Iterator[Function]:
    """Yield the public functions of a module or class, and the methods of its public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            names = {ast.unparse(decorator).split("(")[0] for decorator in node.decorator_list}
            if not any(name.endswith(("command", "overload")) for name in names):
                yield node


def argument_names(function: Function) -> list[str]:
    """Return the names of all arguments but ``self`` and ``cls``."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    names = [arg.arg for arg in named if arg is not None]
    return [name for name in names if name not in ("self", "cls")]


def raised_names(function: Function) -> list[str]:
    """Return the names of the errors that the function's own body raises, re-raised ones not."""
    names: dict[str, None] = {}
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = ast.unparse(error).rsplit(".", 1)[-1]
            if name[:1].isupper():
                names[name] = None
        pending += ast.iter_child_nodes(node)
    return list(names)


def section(docstring: str, title: str) -> set[str]:
    """Return the names that a section of a NumPy docstring lists; none where it is missing."""
    pattern = rf"(?ms)^{title}\n-+\n(.*?)(?=^\w[^\n]*\n-+$|\Z)"
    found = re.search(pattern, docstring)
    lines = found.group(1).splitlines() if found else []
    heads = (line.split(" : ")[0] for line in lines if line and not line.startswith(" "))
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def faults(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and message of every fault of a file."""
    for function in public_functions(ast.parse(path.read_text(), str(path)).body):
        docstring = ast.get_docstring(function) or ""
        names = argument_names(function)
        missing = [name for name in names if name not in section(docstring, "Parameters")]
        if len(names) >= MIN_ARGUMENTS and missing:
            yield function.lineno, f"{function.name}: Parameters lacks {', '.join(missing)}"
        errors = [e for e in raised_names(function) if e not in section(docstring, "Raises")]
        if errors:
            yield function.lineno, f"{function.name}: Raises lacks {', '.join(errors)}"


def main(folders: list[str]) -> int:
    """Print all faults below the folders; return 1 where there are any, else 0."""
    paths = [path for folder in folders for path in sorted(Path(folder).rglob("*.py"))]
    if not paths:
        sys.exit(f"no Python file below {folders}: name the folders to check")
    found = [f"{path}:{line}: {text}" for path in paths for line, text in faults(path)]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
