"""One run of the check: read the migrations, judge them, run them, and report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from .exceptions import CannotCheck, NoServer
from .finding import Finding
from .git import in_repository, new_since
from .history.deployed import Deployed
from .history.files import MigrationFiles
from .history.graph import before_first, check_graph, in_order, lineage
from .output import write_file
from .reading.migration import Migration, words
from .reporting.baseline import read_baseline, write_baseline
from .reporting.formats import REPORTS
from .reporting.suppression import suppress
from .rules import RULES
from .rules.judge import judge, selected
from .rules.own_rules import with_own_rules
from .rules.past import AllRevisions, Past
from .rules.rule import Rule
from .settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config


class Check:
    """One run of the check, with these settings and options."""

    def __init__(self, settings: Settings, options: argparse.Namespace) -> None:
        self.settings, self.options = settings, options
        self.root = settings.root.resolve()
        self.files = MigrationFiles(settings)
        self.deployed = Deployed(self.files, options.against)
        self.history: list[Migration] = []  # in the order in which they run
        self.revisions = AllRevisions(lambda: map(self.files.read_whole, self.history))
        self.undeployed: set[str | None] = set()
        self.all_rules = with_own_rules(RULES, settings.rules, self.root)
        self.severities: dict[str, str] = {}  # those that the settings change
        for name, severity in settings.severity.items():
            setting = "pyproject.toml: [tool.migration-guard] severity"
            for each in selected(name, setting, self.all_rules):
                self.severities[each] = severity
                self.all_rules[each] = replace(self.all_rules[each], severity=severity)
        setting = "pyproject.toml: [tool.migration-guard] ignore"
        ignored = {
            *selected(options.ignore, "--ignore", self.all_rules),
            *selected(",".join(settings.ignore), setting, self.all_rules),
        }
        chosen = selected(options.select, "--select", self.all_rules) or self.all_rules
        self.rules = [name for name in chosen if name not in ignored]
        self.findings: list[Finding] = []
        self.undeclared = ""  # why the migrations ran on a database that is not declared
        self.new: set[Path] | None = None  # the files since a ref
        self.left_out: list[str] = []  # what is not checked, and how it would be
        self.compared = False  # the models, on the one database that the project declares

    def run(self) -> int:
        """Check what the options ask for, print the report and return the exit status."""
        options = self.options
        files = list(self.files)
        if lost := next((file for file in options.files if not file.is_file()), None):
            raise CannotCheck(f"{lost}: this file does not exist.")
        if not files and not options.files:
            folders = " or ".join(map(self.files.relative, self.settings.versions))
            raise CannotCheck(
                f"There are no migrations in {folders}. If they are elsewhere, pass --versions DIR"
                " or set versions in [tool.migration-guard]. To create the first one, run:"
                " alembic revision --autogenerate"
            )
        if options.plan:
            return self.plan(files)
        chosen = [file.resolve() for file in options.files] or files
        if options.since:
            self.new = new_since(self.root, options.since, self.settings.versions)
        if options.static and self.new is not None:
            chosen = [file for file in chosen if file in self.new]
        whole = set(chosen)
        read = {
            file: self.files.read(file, whole=file in whole)
            for file in dict.fromkeys([*files, *chosen])
        }
        past = [migration for file in files if (migration := read[file])]
        judged = [migration for file in chosen if (migration := read[file])]
        self.know_history(past)
        self.findings += [*self.files.unreadable, *check_graph(past, self.undeployed)]
        old = before_first(self.settings.first_revision, past)
        if not options.roundtrip:
            for migration in judged:
                if migration.revision not in old:
                    self.findings += self.judge(migration, self.settings.declared)
        self.compare_with_deployed(past)
        failed = None
        if not options.static and not self.history_is_broken():
            config = self.config()
            self.find_server()
            try:
                edited = any(found.rule == "edited-migration" for found in self.findings)
                fix = RULES["models-out-of-sync"].fixes["edited"]
                for each in self.run_migrations(config):
                    restore = edited and each.rule == "models-out-of-sync"
                    self.findings.append(replace(each, fix=fix) if restore else each)
                if self.undeclared:
                    failed = CannotCheck(self.undeclared)
            except NoServer:  # its cause is printed alone
                raise
            except CannotCheck as error:  # raised later, after the report of the other findings
                failed = error
        self.report_idle_rules()
        mine = {migration.path: migration for migration in judged if migration.revision not in old}
        findings = self.standing(mine)
        if options.write_baseline:
            if failed:
                raise failed
            return self.write_baseline(findings)
        if failed and not findings:
            raise failed  # without a report, which would look clean
        operations = sum(len(migration.operations) for migration in judged)
        checked = {"files": len(chosen), "operations": operations, "revisions": len(past)}
        if options.roundtrip:
            some = self.chosen_revisions()
            checked = {"roundtrips": len(self.history if some is None else some)}
        self.report(findings, checked)
        if failed:
            raise failed
        if self.files.unreadable or any(each.rule == "unreadable-migration" for each in findings):
            return 2
        return self.status(findings)

    def status(self, findings: Iterable[Finding]) -> int:
        failing = {"error", "warning"} if self.options.strict else {"error"}
        return int(any(found.severity in failing for found in findings))

    def compare_with_deployed(self, past: list[Migration]) -> None:
        """Add a finding for each deployed migration that was changed, if a ref is known."""
        if "edited-migration" not in self.rules:
            return
        if self.deployed.ref:
            self.findings += self.deployed.check(past)
            for squash, _ in self.deployed.squashes:
                if self.options.static or self.options.roundtrip:
                    what = f"The squash {squash.path} was not compared with what it replaces."
                    self.left_out.append(f"{what} Run the check without options")
        elif any(map(in_repository, self.deployed.folders)):
            self.left_out.append(
                "Can't tell which migrations are deployed (no remote main branch)."
                " Compare with a ref: --against origin/main"
            )

    def know_history(self, past: list[Migration]) -> None:
        """Remember the revisions, for the rules that need what came before."""
        self.history = in_order(past)
        self.undeployed = self.deployed.undeployed(past)

    def history_is_broken(self) -> bool:
        return any(
            found.rule in BREAKS_ALEMBIC and found.rule in self.rules for found in self.findings
        )

    def report_idle_rules(self) -> None:
        """List the selected rules that this command does not check."""
        idle = [name for name in self.rules if not self.runs(self.all_rules[name])]
        if self.options.select and idle:
            self.left_out.append(
                f"This command does not check {', '.join(idle)}."
                " See --help: --static, --roundtrip, --plan"
            )

    def write_baseline(self, findings: list[Finding]) -> int:
        file: Path = self.options.write_baseline
        write_baseline(file, findings)
        print(f"Wrote {len(findings)} findings to {file}.", file=sys.stderr)
        if self.settings.baseline is None:
            print(f'To use it, set baseline = "{file}" in [tool.migration-guard].', file=sys.stderr)
        return 0

    def judge(self, migration: Migration, databases: Mapping[str, str]) -> list[Finding]:
        known = {each.revision: each for each in [*self.history, migration] if each.revision}
        above = lineage(migration.revision or "", known) - {migration.revision}
        before = [each for each in self.history if each.revision in above]
        new = [each for each in before if each.revision in self.undeployed]
        past = Past(self.revisions, above, map(self.files.read_whole, new))
        return judge(migration, databases, self.files.is_application, self.all_rules, past)

    def runs(self, rule: Rule) -> bool:
        """Return whether this command checks the rule."""
        roundtrip = bool(self.options.roundtrip)
        if rule.check is not None:
            return not roundtrip
        drift = not roundtrip and not self.options.static
        return {"drift": drift, "roundtrip": roundtrip, "live": False}.get(rule.category, True)

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

    def find_server(self) -> None:
        """Note whether the project declares the server of the URL. Raises CannotCheck."""
        from .running.scratch import find_url

        server = find_url(self.root, self.options.database_url).get_backend_name()
        if server not in self.settings.dialects:
            names = ", ".join(self.settings.databases)
            self.undeclared = (
                f"The migrations ran on {server}, and this project declares {names}. Set"
                f' DATABASE_URL to such a server, or add "{server}" to databases in'
                " [tool.migration-guard]."
            )

    def run_migrations(self, config: Config) -> list[Finding]:
        settings, options, url = self.settings, self.options, self.options.database_url
        try:
            if options.roundtrip:
                from .running.roundtrip import check_roundtrip

                new = self.undeployed if self.deployed.ref else None
                chosen = self.chosen_revisions()
                return check_roundtrip(config, settings, url, chosen, options.keep, new)
            from .running.drift import check_drift
            from .running.expected import check_squashes

            found = check_drift(config, settings, url)
            found += check_squashes(settings, url, self.deployed.squashes)
            self.compared = len(settings.databases) == 1 and not self.undeclared
            return found
        except CannotCheck as error:
            if not self.undeclared:
                raise
            raise type(error)(f"{str(error).rstrip('.')}. {self.undeclared}") from error

    def chosen_revisions(self) -> set[str | None] | None:
        """Return the revisions to run up and down; None for all of them. Raises CannotCheck."""
        if only := self.options.only:
            found = {each.revision for each in self.history if str(each.revision).startswith(only)}
            if len(found) != 1:
                raise CannotCheck(f"-k {only}: {len(found)} revisions match: see alembic history")
            return found
        if self.new is None:
            return None
        return {each.revision for each in self.history if self.root / each.path in self.new}

    def plan(self, files: list[Path]) -> int:
        """Report the pending migrations of the configured database, and return the exit status.

        The rules check them for that database only.
        """
        past = [migration for file in files if (migration := self.files.read(file, whole=False))]
        self.know_history(past)
        for found in [*self.files.unreadable, *check_graph(past, self.undeployed)]:
            if found.rule in BREAKS_ALEMBIC:
                raise CannotCheck(f"{found.path}:{found.line}: {found.message} {found.fix}")
        config, old = self.config(), before_first(self.settings.first_revision, past)
        from .planning.plan import Also, Judged, make_plan
        from .planning.reports import PLANS

        def judged(file: Path, databases: tuple[str, ...], also: Also) -> Judged:
            self.settings = replace(self.settings, databases=databases)
            migration = self.files.read(file, whole=True)
            if migration is None:
                raise CannotCheck(
                    f"{self.files.relative(file)}: {self.files.unreadable[-1].message}"
                )
            declared = {name: self.settings.lowest.get(name, "") for name in databases}
            found = also(migration)
            if migration.revision not in old:
                found += self.judge(migration, declared)
            self.findings = [each for each in found if each.rule in self.rules]
            mine = {migration.path: migration} if migration.revision not in old else {}
            standing = self.standing(mine)
            return migration, standing, [each for each in self.findings if each not in standing]

        options = self.options
        rules = {name: self.all_rules[name] for name in self.rules}
        plan = make_plan(config, self.settings, judged, rules, options.database_url, options.probe)
        self.write(PLANS[options.format](plan))
        if plan.not_checked:
            raise CannotCheck(NOT_CHECKED.format("; ".join(plan.not_checked)))
        return self.status(
            [*plan.findings, *(each for step in plan.revisions for each in step.findings)]
        )

    # reporting

    def standing(self, judged: dict[str, Migration]) -> list[Finding]:
        """Return the findings that are selected, not suppressed and not in the baseline.

        They come in the order of the history, those outside of migrations last.
        """
        # Findings of drift and of the roundtrip differ between databases, so a project with
        # several never has an unused suppression of them. The same holds for edited-migration,
        # because not every clone knows what is deployed.
        rules = [
            name
            for name in self.rules
            if name != "edited-migration"
            and (rule := self.all_rules[name]).category not in ("drift", "roundtrip", "live")
            and self.runs(rule)
            and not rule.databases.keys().isdisjoint(self.settings.databases)
        ]
        reported: dict[str, Collection[str]] = dict.fromkeys(judged, rules)
        if self.compared:
            drift = {*self.rules} & {"models-out-of-sync", "unused-ignore"}
            reported |= {path: drift for path in self.models() if path not in judged}
        by_path: dict[str, list[Finding]] = {path: [] for path in reported}
        for found in self.findings:
            if found.rule in self.rules:
                by_path.setdefault(found.path, []).append(found)
        kept = []
        place = {each.path: number for number, each in enumerate(self.history)}
        for path in sorted(by_path, key=lambda path: (place.get(path, len(place)), path)):
            findings = by_path[path]
            source = judged[path].source if path in judged else self.text(path)
            standing = suppress(findings, path, source, self.all_rules, reported.get(path, ()))
            for found in sorted(standing, key=lambda found: (found.line, found.column)):
                kept.append(
                    replace(found, severity=self.severities.get(found.rule, found.severity))
                )
        if self.settings.baseline and not self.options.write_baseline:
            known = read_baseline(self.settings.baseline)
            kept = [found for found in kept if found.key not in known]
        return kept

    def models(self) -> Iterator[str]:
        """Yield the loaded modules of the project that suppress drift."""
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        for file in map(Path, sorted(filter(None, files))):
            path = self.files.relative(file)
            own = file.is_relative_to(self.root) and "site-packages" not in file.parts
            if own and "models-out-of-sync" in self.text(path):
                yield path

    def text(self, path: str) -> str:
        try:
            return (self.settings.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def report(self, findings: list[Finding], checked: dict[str, int]) -> None:
        output: Path | None = self.options.output
        colour = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        rules, more = [*self.all_rules.values()], {"source": self.text, "left_out": self.left_out}
        report = REPORTS[self.options.format]
        self.write(report(findings, rules=rules, checked=checked, colour=colour, **more))

    def write(self, text: str) -> None:
        output: Path | None = self.options.output
        if output is None:
            if isinstance(sys.stdout, TextIOWrapper):
                # The terminal's encoding may lack a character of the source.
                sys.stdout.reconfigure(errors="backslashreplace")
            sys.stdout.write(text)
            return
        try:
            write_file(output, text)
        except OSError as error:
            why = error.strerror
            if output.is_symlink():
                why = "this is a symbolic link; pass the path of the file itself"
            raise CannotCheck(f"--output {output}: {why}") from None


NOT_CHECKED = "Not checked: {}. To leave this out: --ignore database-drift,rows-do-not-fit"


BREAKS_ALEMBIC = words(
    "unreadable-migration missing-parent duplicate-revision revision-cycle multiple-heads"
)
