"""Branches and loops: if a test can't be decided, each branch is followed on its own path."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .calls import MAX_STEPS, Calls
from .migration import HOLE, UNKNOWN
from .paths import ALWAYS, Path, narrowed, new_choice, on_branches
from .values import ABSTRACT, RESULT, UNSURE, Either, Row, Statement, Table, Test, joined, within

MAX_UNROLL = 2_000  # turns of a loop over known values


MAX_WHILE = 100  # turns of any other loop


class End(NamedTuple):
    """How one branch of a choice ends."""

    number: int
    left: str | None
    names: dict[str, Any]
    taken: Path  # the condition of the branch
    branch: frozenset[str]
    path: Path
    online: bool


class Branches(Calls):
    """Follows statements that branch or repeat."""

    def do_If(self, node: ast.If) -> str | None:
        test = self.test(self.value(node.test))
        return self.follow((test, node.body), (~test, node.orelse))

    def do_Match(self, node: ast.Match) -> str | None:
        subject = self.value(node.subject)
        rest, ways = Test(self.every, frozenset()), []
        for case in node.cases:
            test = self.pattern(case.pattern, subject)
            if case.guard:
                test = test & self.test(self.value(case.guard))
            ways.append((rest & test, case.body))
            rest = rest & ~test
        return self.follow(*ways, (rest, []))

    def do_Try(self, node: ast.Try) -> str | None:
        body, names = [*node.body, *node.orelse], self.scopes[0]
        if node.handlers:
            choice = new_choice()
            ends = [self.way(choice, 0, UNSURE, body, names)]
            after = dict(names)  # a handler may run after most of the body
            for number, handler in enumerate(node.handlers, 1):
                ends.append(self.way(choice, number, UNSURE, handler.body, after))
            left = self.meet(choice, ends)
            if left is None and all(end.left for end in ends[1:]):  # only the body continues
                self.narrow(self.branch, ends[0].taken)
        else:
            left = self.block(body)
        return self.block(node.finalbody) or left

    def follow(self, *ways: tuple[Test, list[ast.stmt]]) -> str | None:
        """Follow each way that can be taken, beginning with the same names."""
        ways = tuple(way for way in ways if way[0].yes & self.branch)
        if len(ways) == 1 and ways[0][0].sure:
            return self.block(ways[0][1])
        before, choice = dict(self.scopes[0]), new_choice()
        ends = [self.way(choice, n, test, body, before) for n, (test, body) in enumerate(ways)]
        return self.meet(choice, ends)

    def way(
        self, choice: int, number: int, test: Test, body: list[ast.stmt], names: dict[str, Any]
    ) -> End:
        """Follow one branch of a choice."""
        state = self.branch, self.path, self.online
        if names is not self.scopes[0]:
            self.scopes[0].clear()
            self.scopes[0].update(names)
        taken = ALWAYS
        if not test.sure:  # where one turn stands for many, each branch may be taken
            taken = on_branches(new_choice() if self.repeated else choice, number)
        self.online = self.online or test.offline is False
        self.narrow(test.yes, taken)
        left = self.block(body)
        end = End(number, left, self.scopes[0].copy(), taken, self.branch, self.path, self.online)
        self.branch, self.path, self.online = state
        return end

    def meet(self, choice: int, ends: list[End]) -> str | None:
        """Continue where branches meet. A name on which they disagree has either value."""
        going = [end for end in ends if end.left is None]
        if not going:
            return ends[0].left if ends else None
        path = self.path
        for end in going:  # the conditions inside a branch hold after it, too
            path = narrowed(path, end.path - end.taken)
        left = {end.left for end in ends if end.taken}
        if "return" in left:
            self.after_return = self.without(self.after_return, choice, ends, "return")
        if "break" in left:
            self.after_break = self.without(self.after_break, choice, ends, "return", "break")
        if not left.isdisjoint(("return", "break", "continue")):
            path = self.without(path, choice, ends, "return", "break", "continue")
        self.path = path
        self.branch = frozenset().union(*[end.branch for end in going])
        names = self.scopes[0]
        names.clear()
        if len(going) == 1:
            names.update(going[0].names)
            self.online = going[0].online
            return None
        for name in dict.fromkeys(name for end in going for name in end.names):
            names[name] = joined(
                [(end.branch, end.taken, end.names.get(name, UNKNOWN)) for end in going]
            )
        return None

    def without(self, path: Path, choice: int, ends: list[End], *left: str) -> Path:
        """Return the path without the branches that were left in one of these ways."""
        staying = [end.number for end in ends if end.left not in (*left, "raise")]
        if self.repeated:  # an earlier turn may have taken another branch
            choice, staying = new_choice(), [0]
        return narrowed(path, on_branches(choice, *staying))

    def do_For(self, node: ast.For | ast.AsyncFor) -> str | None:
        values = self.value(node.iter)
        turns, known = self.turns(values)
        return self.loop(
            node, ((node.target, turn) for turn in turns), known, id(values) in self.partial
        )

    def do_While(self, node: ast.While) -> str | None:
        def turns() -> Iterator[tuple[None, None]]:
            for _ in range(MAX_WHILE):
                test = self.test(self.value(node.test))
                if test.yes and test.no:
                    break
                if not test.yes:
                    return
                yield None, None
            raise OverflowError

        noted, names = len(self.migration.operations), dict(self.scopes[0])
        if not isinstance(node.test, ast.Constant):
            try:
                return self.loop(node, turns())
            except OverflowError:  # the end of the loop is unknown
                del self.migration.operations[noted:]
                self.scopes[0].update(names)
        return self.loop(node, [(None, None)], known=False)

    def loop(
        self, node: Any, turns: Iterable[tuple[Any, Any]], known: bool = True, partial: bool = False
    ) -> str | None:
        branch, path, online = self.branch, self.path, self.online
        repeated, after_break, self.after_break = self.repeated, self.after_break, ALWAYS
        self.repeated = repeated or not known
        if not known:  # one turn stands for all, so the values of counters are unknown
            self.scopes[0].update(dict.fromkeys(counters(node.body), UNKNOWN))
        left = None
        for target, turn in turns:
            self.steps += 1
            self.branch, self.online = branch, online
            self.path = narrowed(narrowed(path, self.after_return), self.after_break)
            runs, turn = self.enter_turn(turn, partial or not known)  # the body may never run
            if not runs:
                continue
            if target is not None:
                self.assign(target, turn, node)
            left = self.block(node.body)
            if left == "break" or (left in ("return", "raise") and known):
                break
            left = None
        self.branch, self.online = branch, online
        self.path = narrowed(path, self.after_return)
        self.repeated, self.after_break = repeated, after_break
        if left in ("return", "raise"):
            return left
        return self.block(node.orelse) if left is None else None

    def turns(self, value: Any) -> tuple[Sequence[Any], bool]:
        """Return the values over which a loop goes, and whether they are known."""
        value = self.found(value)
        if type(value) is Either:
            items, known = [], True
            for databases, path, each in value.ways:
                values, sure = self.turns(each)
                items += [Either(within(databases, path, item)) for item in values]
                known = known and sure
            return items, known
        if isinstance(value, (list, tuple, dict, set, frozenset, str, range)):
            hole = isinstance(value, str) and HOLE in value
            if len(value) <= MAX_UNROLL and self.steps < MAX_STEPS and not hole:
                unordered = isinstance(value, (set, frozenset))
                return sorted(value, key=repr) if unordered else list(value), True
        elif isinstance(value, Table) and not value.name:  # an enumeration
            members = [v for k, v in value.names.items() if k[0] != "_"]
            return [member for member in members if type(member) not in ABSTRACT], True
        elif isinstance(value, Statement):
            return [Row(value.table)], False
        elif value is RESULT:
            self.bind_read()
        return [UNKNOWN], False

    do_AsyncFor = do_For


def counters(body: Iterable[Any]) -> Iterator[str]:
    """Yield the names to which statements add."""
    for node in body:
        if type(node) is ast.AugAssign and type(node.target) is ast.Name:
            yield node.target.id
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from counters(getattr(node, part, ()))
