"""Show the labs' own code in a lesson: a function with its decorators, or a rule from a Makefile."""

import ast
import inspect
from pathlib import Path
from types import ModuleType


def show_function(module: ModuleType, name: str) -> None:
    """Print a function or class that `module` defines at its top level. Raises ValueError if there is none."""
    source = inspect.getsource(module)
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            print("\n".join(source.splitlines()[first - 1 : node.end_lineno]))
            return
    raise ValueError(f"{module.__name__} defines no function {name!r}.")


def show_rule(makefile: Path, target: str) -> None:
    """Print the rule for `target`, up to the next empty line. Raises ValueError if there is none."""
    rules = makefile.read_text(encoding="utf-8").split("\n\n")
    found = [rule for rule in rules if rule.startswith(f"{target}:")]
    if not found:
        raise ValueError(f"{makefile} has no rule for {target!r}.")
    print(found[0])
