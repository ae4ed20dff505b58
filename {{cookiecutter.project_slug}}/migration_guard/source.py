"""Source text: how it is decoded, parsed, and compared without comments and layout."""

import ast
import warnings


def upgrade_meaning(source: str) -> str:
    """Return what upgrade() does and what it uses of its module, as text that can be compared.

    Comments, docstrings, layout, type annotations and the names of local variables don't count.
    """
    tree = parse(source, "<applied>")
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(body := getattr(node, name, None), list):
                setattr(node, name, [plain(each) for each in body if not is_remark(each)])
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
    used, names, needed = [], {"upgrade"}, set[str]()
    while not names <= needed:
        needed |= names
        used = [each for each in tree.body if is_needed(each, needed)]
        names = {each.id for each in ast.walk(ast.Module(used, [])) if isinstance(each, ast.Name)}
    tree.body = used
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            number_locals(function)
    try:
        return ast.dump(tree)
    except RecursionError:
        return source


def plain(node: ast.stmt) -> ast.stmt:
    """Return an assignment without its type annotation."""
    if isinstance(node, ast.AnnAssign) and node.value:
        return ast.copy_location(ast.Assign([node.target], node.value), node)
    return node


def is_needed(node: ast.stmt, needed: set[str]) -> bool:
    """Return whether a statement of a module does something, or defines a name that is needed."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name in needed or node.name.startswith("upgrade_")
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = {(each.asname or each.name).partition(".")[0] for each in node.names}
        return bool(names & {*needed, "*"})
    does = any(isinstance(each, ast.Call) for each in ast.walk(node))
    return does or assigned(node) is None or assigned(node) in needed


def number_locals(function: ast.FunctionDef) -> None:
    """Replace the names that a function assigns to by numbers."""
    names = [each for each in ast.walk(function) if isinstance(each, ast.Name)]
    own = {each.id for each in names if isinstance(each.ctx, ast.Store)}
    own -= {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
    numbers: dict[str, str] = {}
    for each in names:
        if each.id in own:
            each.id = numbers.setdefault(each.id, f"local {len(numbers)}")


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


def is_remark(node: ast.stmt) -> bool:
    """Return whether a statement does nothing: a docstring or pass."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, ast.Pass)


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
