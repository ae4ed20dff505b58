"""Source text: how it is decoded, parsed, and compared without comments and layout."""

import ast
import warnings

PLACE = {"down_revision", "depends_on", "branch_labels"}  # where a revision is in the history


def meaning(source: str) -> str:
    """Return what a migration does: without comments, docstrings, layout and its remarks."""
    return without_text(parse(source, "<deployed>"), source)


def upgrade_meaning(source: str) -> str:
    """Return what upgrade() does: the meaning without downgrade() and the place in the history."""
    tree = parse(source, "<deployed>")
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.FunctionDef) and node.name.startswith("downgrade"))
        and assigned(node) not in PLACE
    ]
    return without_text(tree, source)


def parents_in(source: bytes) -> tuple[str, ...]:
    """Return the revisions that the source names as its down_revision."""
    for node in parse(decode(source), "<applied>").body:
        if assigned(node) == "down_revision" and isinstance(node, (ast.Assign, ast.AnnAssign)):
            value = ast.literal_eval(node.value) if node.value else None
            return (value,) if isinstance(value, str) else tuple(value or ())
    return ()


def assigned(node: ast.stmt) -> str | None:
    """Return the name that a statement assigns to, if it is a plain one."""
    if isinstance(node, ast.Assign):
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def without_text(tree: ast.Module, source: str) -> str:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            node.body = [each for each in node.body if not is_remark(each)]
    try:
        return ast.dump(tree)
    except RecursionError:
        return source


def is_remark(node: ast.stmt) -> bool:
    """Return whether a statement does nothing: a docstring, pass, ``lossy = "reason"``."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id in ("lossy", "irreversible")
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def decode(data: bytes) -> str:
    """Return the text of a source file, decoded as Python does it."""
    if b"coding" in b"".join(data.split(b"\n", 2)[:2]):
        from importlib.util import decode_source  # imports tokenize, which most files don't need

        return decode_source(data)
    return data.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse(source: str, name: str) -> ast.Module:
    """Return the syntax tree, or raise SyntaxError."""
    if "\\" not in source:
        return ast.parse(source, name)
    with warnings.catch_warnings(action="ignore"):  # Python warns of invalid escapes when it runs
        return ast.parse(source, name)
