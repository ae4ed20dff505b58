"""One run of the check: reads, judges, runs what is to be run, and reports."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from .exceptions import CannotCheck
from .finding import Finding
from .git import in_repository
from .history.deployed import Deployed
from .history.graph import check_graph, lineage
from .reading.migration import Migration, UnreadableMigration
from .reading.reader import read_migration
from .reporting.baseline import read_baseline, write_baseline
from .reporting.formats import REPORTS
from .reporting.suppression import suppress
from .rules import RULES
from .rules.judge import judge, selected
from .rules.own_rules import with_own_rules
from .rules.rule import Rule, finding
from .settings import Settings
from .source import decode

if TYPE_CHECKING:
    from alembic.config import Config


class Check:
    """One run: reads, judges, runs what is to be run, reports."""

    def __init__(self, settings: Settings, options: argparse.Namespace) -> None:
        self.settings, self.options = settings, options
        self.root = settings.root.resolve()
        self.all_rules = with_own_rules(RULES, settings.rules, self.root)
        setting = "pyproject.toml: [tool.migration-guard] ignore"
        ignored = {
            *selected(options.ignore, "--ignore", self.all_rules),
            *selected(",".join(settings.ignore), setting, self.all_rules),
        }
        chosen = selected(options.select, "--select", self.all_rules) or self.all_rules
        self.rules = [name for name in chosen if name not in ignored]
        self.findings: list[Finding] = []
        self.left_out: list[str] = []  # what is not checked, and how it would be
        self.unreadable = False
        self.compared = False  # the models, on the one database that the project is for
        self.ours: dict[str, bool] = {}  # top-level modules, and whether they are the application's

    def run(self) -> int:
        options = self.options
        files = list(self.files())
        if lost := next((file for file in options.files if not file.is_file()), None):
            raise CannotCheck(f"{lost}: no such file.")
        if not files and not options.files:
            folders = " or ".join(map(self.relative, self.settings.versions))
            where = "say where: --versions DIR, or versions in the settings"
            raise CannotCheck(
                f"no migrations in {folders}; {where}; make the first: alembic revision --autogenerate"
            )
        if options.plan:
            return self.plan(files)
        chosen = [file.resolve() for file in options.files] or files
        whole = set(chosen)
        read = {
            file: self.read(file, whole=file in whole) for file in dict.fromkeys([*files, *chosen])
        }
        past = [migration for file in files if (migration := read[file])]
        judged = [migration for file in chosen if (migration := read[file])]
        self.findings += check_graph(past)
        old = self.before_first(past)
        for migration in judged:
            if migration.revision not in old and not options.roundtrip:
                self.findings += self.judge(migration, self.settings.databases)
        deployed = Deployed(self.settings.versions, options.against)
        if deployed.ref and "edited-migration" in self.rules:
            self.findings += deployed.check(past, self.read_content, self.relative)
        elif "edited-migration" in self.rules and any(map(in_repository, deployed.folders)):
            self.left_out.append(
                "Deployed migrations are not known: no remote's main branch here. Say: --against REF"
            )
        broken = any(
            found.rule in BREAKS_ALEMBIC and found.rule in self.rules for found in self.findings
        )
        failed = None
        if not options.static and not broken:
            try:
                ran = self.run_migrations()
                if any(found.rule == "edited-migration" for found in self.findings):
                    ran = [
                        replace(each, fix=RESTORE) if each.rule == "models-out-of-sync" else each
                        for each in ran
                    ]
                self.findings += ran
            except CannotCheck as error:  # after the report of what was found without
                failed = error
        idle = [name for name in self.rules if not self.runs(self.all_rules[name])]
        if options.select and idle:
            self.left_out.append(
                f"This command does not look for {', '.join(idle)}."
                " See --help: --static, --roundtrip, --plan"
            )
        mine = {migration.path: migration for migration in judged if migration.revision not in old}
        findings = self.let_stand(self.findings, mine)
        if options.write_baseline:
            if failed:
                raise failed
            write_baseline(options.write_baseline, findings)
            print(f"Findings noted in {options.write_baseline}: {len(findings)}", file=sys.stderr)
            if self.settings.baseline is None:
                print(
                    f'Let them be: baseline = "{options.write_baseline}" in [tool.migration-guard]',
                    file=sys.stderr,
                )
            return 0
        if failed and not findings:
            raise failed  # and nothing that could be read as clean
        operations = sum(len(migration.operations) for migration in judged)
        checked = {"files": len(chosen), "operations": operations, "revisions": len(past)}
        self.report(findings, checked)
        if failed:
            raise failed
        if self.unreadable or any(found.rule == "unreadable-migration" for found in findings):
            return 2
        return int(any(found.severity == "error" for found in findings))

    # reading

    def files(self) -> Iterator[Path]:
        """The files that Alembic takes for migrations."""
        for folder in self.settings.versions:
            for file in sorted(folder.resolve().glob("*.py")):
                if not file.name.startswith((".#", "__init__")):
                    yield file

    def relative(self, path: Path) -> str:
        path = path if path.is_relative_to(self.root) else path.resolve()
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def read_content(self, path: str, content: bytes, whole: bool = True) -> Migration:
        """The migration; if it is not to be judged, only what comes before upgrade(): its place in the history."""
        source = decode(content)
        if not whole:
            with contextlib.suppress(UnreadableMigration):  # a docstring that holds the words
                migration = read_migration(
                    path, dialects=(), source=source.split("\ndef upgrade", 1)[0]
                )
                migration.source = source
                if migration.revision:
                    return migration
        return read_migration(path, dialects=self.settings.dialects, source=source)

    def read(self, file: Path, whole: bool) -> Migration | None:
        path = self.relative(file)
        try:
            return self.read_content(path, file.read_bytes(), whole)
        except UnreadableMigration as error:
            line, reason = error.line, error.reason
        except (OSError, SyntaxError, ValueError) as error:
            line, reason = (
                1,
                getattr(error, "strerror", None) or getattr(error, "msg", None) or str(error),
            )
        self.unreadable = True
        self.findings.append(
            finding(RULES["unreadable-migration"], Migration(path, ""), line, reason, UNREADABLE)
        )
        return None

    def before_first(self, migrations: list[Migration]) -> set[str]:
        """The revisions of the old history that is not judged."""
        first = self.settings.first_revision
        known = {migration.revision: migration for migration in migrations if migration.revision}
        if first is None:
            return set()
        if first not in known:
            raise CannotCheck(
                f"pyproject.toml: [tool.migration-guard] first-revision: {first!r} is in no migration."
            )
        return lineage(first, known) - {first}

    def is_application(self, module: str) -> bool:
        """Whether a module is the application's own: not beside the migrations, and in the project or around them."""
        top, *inner = module.split(".")
        if any(folder.parent.name in inner for folder in self.settings.versions):
            return False
        if top not in self.ours:
            above = {parent for folder in self.settings.versions for parent in folder.parents}
            around = [parent.parent for parent in above if (parent / "__init__.py").exists()]
            bases = [self.settings.root, self.settings.root / "src", *around]
            there = any(
                (base / f"{top}.py").exists() or any((base / top).glob("*.py")) for base in bases
            )
            self.ours[top] = there and top not in {
                "",
                "alembic",
                "sqlalchemy",
                *sys.stdlib_module_names,
            }
        return self.ours[top]

    def judge(self, migration: Migration, databases: tuple[str, ...]) -> list[Finding]:
        return judge(migration, databases, self.is_application, self.all_rules)

    def runs(self, rule: Rule) -> bool:
        """Whether this command looks for what the rule describes."""
        if rule.check is not None:
            return not self.options.roundtrip
        if rule.category == "drift":
            return not self.options.roundtrip and not self.options.static
        if rule.category == "roundtrip":
            return bool(self.options.roundtrip)
        return rule.category != "live"

    # running

    def config(self) -> Config:
        try:
            import alembic.runtime.plugins  # noqa: F401 since 1.18

            from .running.alembic_config import alembic_config
        except ImportError as error:
            raise CannotCheck(
                f"{error}: install the dependencies (Alembic 1.18 or newer), or use --static."
            ) from None
        return alembic_config(self.settings)

    def run_migrations(self) -> list[Finding]:
        settings, options, url = self.settings, self.options, self.options.database_url
        config = self.config()
        from .running.scratch import find_url

        server, elsewhere = find_url(settings.root, url).get_backend_name(), ""
        if server not in settings.dialects:
            names = ", ".join(settings.databases)
            elsewhere = (
                f"The migrations ran on {server}, not on {names}. Name a server: DATABASE_URL"
            )
            self.left_out.append(elsewhere)
        try:
            if options.roundtrip:
                from .running.roundtrip import check_roundtrip

                some = (options.since, options.only, options.keep)
                return check_roundtrip(config, settings, url, *some)
            from .running.drift import check_drift

            found = check_drift(config, settings, url)
            self.compared = len(settings.databases) == 1 and not elsewhere
            return found
        except CannotCheck as error:
            if not elsewhere:
                raise
            raise CannotCheck(f"{str(error).rstrip('.')}. {elsewhere}") from error

    def plan(self, files: list[Path]) -> int:
        """Report what is to run on the configured database, judged for that database alone."""
        past = [migration for file in files if (migration := self.read(file, whole=False))]
        for found in [*self.findings, *check_graph(past)]:
            if found.rule in BREAKS_ALEMBIC:
                raise CannotCheck(f"{found.path}:{found.line}: {found.message} {found.fix}")
        config, old = self.config(), self.before_first(past)
        from .planning.plan import make_plan
        from .planning.reports import PLANS

        def judged(
            file: Path, databases: tuple[str, ...]
        ) -> tuple[Migration, list[Finding], list[Finding]]:
            self.settings = replace(self.settings, databases=databases)
            migration = self.read(file, whole=True)
            if migration is None:
                raise CannotCheck(f"{self.relative(file)}: {self.findings[-1].message}")
            found = self.judge(migration, databases) if migration.revision not in old else []
            self.findings = [each for each in found if each.rule in self.rules]
            mine = {migration.path: migration} if migration.revision not in old else {}
            standing = self.let_stand(self.findings, mine)
            return migration, standing, [each for each in self.findings if each not in standing]

        self.write(PLANS[self.options.format](make_plan(config, self.settings, judged)))
        return 0

    # reporting

    def let_stand(self, found_in_all: list[Finding], judged: dict[str, Migration]) -> list[Finding]:
        """The findings that are selected, not suppressed and not in the baseline, in the order of the files."""
        # What only running them shows differs from one database to the next: where there are
        # several, no suppression of it is called unused. Nor are those of edited-migration:
        # what is deployed is not known everywhere.
        rules = [
            name
            for name in self.rules
            if name != "edited-migration"
            and (rule := self.all_rules[name]).category not in ("drift", "roundtrip", "live")
            and self.runs(rule)
            and not rule.databases.keys().isdisjoint(self.settings.databases)
        ]
        told: dict[str, Collection[str]] = dict.fromkeys(judged, rules)
        if self.compared:
            drift = {*self.rules} & {"models-out-of-sync", "unused-ignore"}
            told |= {path: drift for path in self.models() if path not in judged}
        by_path: dict[str, list[Finding]] = {path: [] for path in told}
        for found in found_in_all:
            if found.rule in self.rules:
                by_path.setdefault(found.path, []).append(found)
        kept = []
        for path, findings in sorted(by_path.items()):
            source = judged[path].source if path in judged else self.text(path)
            standing = suppress(findings, path, source, self.all_rules, told.get(path, ()))
            kept += sorted(standing, key=lambda found: (found.line, found.column))
        if self.settings.baseline and not self.options.write_baseline:
            known = read_baseline(self.settings.baseline)
            kept = [found for found in kept if found.key not in known]
        return kept

    def models(self) -> Iterator[str]:
        """The modules of the project that were loaded and say what drift is to be let be."""
        files = {
            file
            for module in list(sys.modules.values())
            if (file := getattr(module, "__file__", None))
        }
        for file in map(Path, sorted(files)):
            installed = "site-packages" in file.parts
            if (
                file.is_relative_to(self.root)
                and not installed
                and "models-out-of-sync" in self.text(path := self.relative(file))
            ):
                yield path

    def text(self, path: str) -> str:
        try:
            return (self.settings.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def report(self, findings: list[Finding], checked: dict[str, int]) -> None:
        output: Path | None = self.options.output
        colour = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        more = {
            "checked": checked,
            "left_out": self.left_out,
            "source": self.text,
            "colour": colour,
        }
        self.write(REPORTS[self.options.format](findings, rules=[*self.all_rules.values()], **more))

    def write(self, made: str) -> None:
        output: Path | None = self.options.output
        if output is None:
            if isinstance(sys.stdout, TextIOWrapper):
                sys.stdout.reconfigure(
                    errors="backslashreplace"
                )  # a terminal that lacks a character of the source
            sys.stdout.write(made)
            return
        try:
            output.write_text(made, encoding="utf-8")
        except OSError as error:
            raise CannotCheck(f"--output {output}: {error.strerror}") from None


RESTORE = "Restore what is deployed first, as edited-migration says; a difference that stays is then one of its own."


UNREADABLE = "Mend the file: Python can't load it either."


BREAKS_ALEMBIC = (
    "unreadable-migration",
    "missing-parent",
    "duplicate-revision",
    "revision-cycle",
    "multiple-heads",
)
