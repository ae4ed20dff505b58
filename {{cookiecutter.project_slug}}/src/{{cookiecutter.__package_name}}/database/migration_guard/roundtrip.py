"""Every revision up, down and up again, on a scratch database: what it leaves behind, and what it loses."""

from __future__ import annotations

import inspect
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script

from .findings import CannotCheck, Finding
from .scratch import find_url, one_line, scratch_database
from .settings import Settings
from .snapshot import Changes, Difference, differences, snapshot_of
from .stepping import Stepper, place, read_scripts, relative, run_env


def check_roundtrip(
    config: Config,
    settings: Settings,
    url: str | None,
    since: str | None = None,
    only: str | None = None,
    keep: bool = False,
    progress: bool = True,
) -> list[Finding]:
    """Run the history forth and back; ``since`` a git ref, or ``only`` one revision."""
    server = find_url(settings.root, url)
    scripts = read_scripts(config)
    findings: list[Finding] = []

    def work(context: MigrationContext) -> None:
        findings.extend(Roundtrip(context, Stepper(context, scripts)).run())

    with scratch_database(server, keep) as engine:
        run_env(config, scripts, engine, work)
    return findings


class Roundtrip:
    def __init__(self, context: MigrationContext, stepper: Stepper) -> None:
        assert context.connection is not None
        self.stepper = stepper
        self.snapshot = snapshot_of(context.connection, [context.version_table])
        self.statements: list[str] = []
        sa.event.listen(context.connection.engine, "before_cursor_execute", self.note)
        self.findings: list[Finding] = []

    def note(self, _c: Any, _u: Any, statement: str, _p: Any, _x: Any, _m: bool) -> None:
        self.statements.append(statement)

    def run(self) -> list[Finding]:
        self.snapshot.look()
        for script in self.stepper.plan():
            if not self.revision(script):
                break
        return self.findings

    def revision(self, script: Script) -> bool:
        up = self.step(script, "upgrade", "upgrade-fails")
        if up is None:
            return False
        if getattr(script.module, "irreversible", None):
            return True
        down = self.step(script, "downgrade", "downgrade-fails")
        if down is None:
            return True
        before = {**{key: old for key, (old, _) in down.items()}, **{key: old for key, (old, _) in up.items()}}
        found = list(differences(before.values(), [self.snapshot.things.get(key) for key in before]))
        for difference in found:
            self.differs(script, difference)
        return self.step(script, "upgrade", "upgrade-not-repeatable") is not None

    def step(self, script: Script, function: str, rule: str) -> Changes | None:
        changes: Changes = {}

        def look() -> None:
            changes.update(self.snapshot.look(self.statements if self.stepper.atomic else None))

        self.statements.clear()
        try:
            self.stepper.step(script, function, look)
        except Exception as error:
            self.snapshot.apply(changes, back=True)
            message = f"{function}() fails at {place(error, script.path)}: {one_line(error)}"
            self.find(script, rule, function, message, "Make it run.")
            return None
        return changes

    def differs(self, script: Script, difference: Difference) -> None:
        message = f"{difference.object}: before upgrade {difference.before}, after downgrade {difference.after}"
        self.find(script, "downgrade-differs", "downgrade", message, "Undo in downgrade() all that upgrade() does.")

    def find(self, script: Script, rule: str, function: str, message: str, fix: str) -> None:
        code = inspect.unwrap(getattr(script.module, function)).__code__
        self.findings.append(
            Finding(
                rule=rule,
                message=message,
                fix=fix,
                path=relative(script.path),
                line=code.co_firstlineno,
                revision=script.revision,
                function=function,
            )
        )
