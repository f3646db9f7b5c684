"""A package uses only public names of another one: those in its ``__init__``'s ``__all__``.

Read from the syntax trees (https://docs.python.org/3/library/ast.html), so nothing is imported. Found are
imports of a foreign package's submodules and private names, by absolute or relative path, and attributes
taken from a foreign package imported as a module.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".ci"))

from sessions.project import PACKAGES  # noqa: E402

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def public_names(init: Path) -> set[str]:
    """The names in ``__all__`` of an ``__init__.py``; raises ValueError when it has none or computes it."""
    names: set[str] = set()
    stated = False
    for node in ast.parse(init.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            names |= set(ast.literal_eval(node.value))  # type: ignore[attr-defined]
            stated = True
    if not stated:
        raise ValueError(f"{init}: no __all__")
    return names


@dataclass
class Reader:
    """Reads the modules of one package for what they take from others."""

    own: str
    public: dict[str, set[str]]
    findings: list[tuple[int, str]] = field(default_factory=list)

    def read(self, module: str, tree: ast.Module, is_package: bool) -> None:
        """Collect the findings of one module, given its dotted name."""
        scopes: list[tuple[ast.AST, dict[str, str]]] = [(tree, {})]
        while scopes:
            scope, outer = scopes.pop()
            nodes = list(own_nodes(scope))
            hidden = assigned(nodes)
            aliases = {name: dotted for name, dotted in outer.items() if name not in hidden}
            for node in nodes:
                for line, brought, bound in imported(node, module, is_package):
                    self.check(line, brought)
                    aliases[bound] = brought
            for node in nodes:
                if isinstance(node, ast.Attribute) and (used := chain(node, aliases)):
                    self.check(node.lineno, used)
            scopes += [(node, aliases) for node in nodes if isinstance(node, SCOPES)]

    def check(self, line: int, dotted: str) -> None:
        """Note a dotted name that reaches into another package past its public names."""
        owner = next((name for name in self.public if dotted == name or dotted.startswith(name + ".")), None)
        if owner is None or owner == self.own or dotted == owner:
            return
        name = dotted.removeprefix(owner + ".").split(".")[0]
        finding = (line, f"{name} is not a public name of {owner}")
        if name not in self.public[owner] and finding not in self.findings:
            self.findings.append(finding)


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of the scopes inside it, which are given themselves."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, SCOPES):
            pending += ast.iter_child_nodes(node)


def assigned(nodes: list[ast.AST]) -> set[str]:
    """The names that a scope binds otherwise than by import: they hide those of the scopes around it."""
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {node.arg for node in nodes if isinstance(node, ast.arg)}


def imported(node: ast.AST, module: str, is_package: bool) -> Iterator[tuple[int, str, str]]:
    """What an import statement brings: line, full dotted name, and the name it is bound to."""
    if isinstance(node, ast.Import):
        for name in node.names:
            # `import a.b.c` binds `a`: its attributes are then followed from there.
            yield node.lineno, name.name, name.asname or name.name.split(".")[0]
            if not name.asname:
                yield node.lineno, name.name.split(".")[0], name.name.split(".")[0]
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            parts = parts[: len(parts) - node.level + is_package]
            base = ".".join([*parts, base] if base else parts)
        for name in node.names:
            yield node.lineno, f"{base}.{name.name}", name.asname or name.name


def chain(node: ast.Attribute, aliases: dict[str, str]) -> str | None:
    """The dotted name behind ``alias.attribute.attribute``, or None when it does not start at an import."""
    parts = [node.attr]
    value = node.value
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if not isinstance(value, ast.Name) or value.id not in aliases:
        return None
    return ".".join([aliases[value.id], *reversed(parts)])


def findings() -> Iterator[str]:
    """Every use of a name that is not public, as ``path:line: what``."""
    public = {package.module: public_names(package.source / "__init__.py") for package in PACKAGES.values()}
    for package in PACKAGES.values():
        for path in sorted(package.source.rglob("*.py")):
            parts = path.relative_to(package.folder / "src").with_suffix("").parts
            is_package = parts[-1] == "__init__"
            module = ".".join(parts[:-1] if is_package else parts)
            reader = Reader(package.module, public)
            reader.read(module, ast.parse(path.read_text(encoding="utf-8")), is_package)
            yield from (f"{path.relative_to(ROOT)}:{line}: {what}" for line, what in reader.findings)


if __name__ == "__main__":
    found = list(findings())
    print(*found, f"public_names: {len(PACKAGES)} packages, {len(found)} findings", sep="\n")
    sys.exit(bool(found))
