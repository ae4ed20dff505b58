"""Arguments in, findings out, exit status: 0 clean, 1 errors found, 2 could not check."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
import traceback
from collections.abc import Collection, Iterator
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from . import history
from .cache import Cache, Reading
from .findings import REPORTS, CannotCheck, Finding, nearest, read_baseline, suppress, write_baseline
from .operation import Migration, UnreadableMigration
from .reader import decode, read_migration
from .rules import RULES, Rule, finding, judge
from .settings import DATABASES, Settings, read_settings

if TYPE_CHECKING:
    from alembic.config import Config


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="check_migrations.py",
        description="Check the migrations: their history, the rules, and whether they make what the models say.",
        epilog="Exit status: 0 clean, 1 errors found, 2 could not check. Settings: [tool.migration-guard].",
    )
    add = made.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="with --static: judge these migrations alone")
    add("--static", action="store_true", help="history and rules alone: no database, nothing imported or run")
    add("--roundtrip", action="store_true", help="history, then every revision up, down and up again, with rows")
    add("--since", metavar="REF", help="with --roundtrip: only the revisions that are new since this git ref")
    add("-k", dest="only", metavar="REVISION", help="with --roundtrip: only this revision")
    add("--keep", action="store_true", help="with --roundtrip: keep the scratch database of a failure")
    add("--plan", action="store_true", help="what `alembic upgrade head` would run and lock; the database is only read")
    add("--against", metavar="REF", help="deployed is what stands at this git ref (default: the remote's main branch)")
    add("--versions", metavar="DIR", type=Path, help="another folder of migrations")
    add("--database-url", metavar="URL", help="the server for scratch databases (default: DATABASE_URL, else SQLite)")
    add("--no-cache", action="store_true", help="run all again, and keep nothing (so it is in CI)")
    add("--select", metavar="RULE,...", help="only these rules")
    add("--ignore", metavar="RULE,...", help="all but these rules")
    add("--format", choices=[*REPORTS, "markdown"], default="text", help="text is for people; markdown is of a plan")
    add("--output", metavar="FILE", type=Path, help="write the report to a file")
    add("--write-baseline", metavar="FILE", type=Path, help="note the findings, for `baseline` in the settings")
    add("--list-rules", action="store_true", help="list the rules")
    add("--explain", metavar="RULE,...", help="what a rule finds, why, and what to do")
    return made


def main(root: Path, arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    gc.set_threshold(100_000)  # to look for cycles was an eighth of the time, in a process that soon ends
    try:
        return run(root, options)
    except CannotCheck as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: {error}: install the project's dependencies", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception:  # a fault of ours; 1, the status that Python gives it, would say that the migrations have errors
        traceback.print_exc()
        return 2
    finally:
        gc.freeze()  # at its end Python looks for them once more, in all that is there, for up to half a second


def run(root: Path, options: argparse.Namespace) -> int:
    if options.list_rules:
        print("\n".join(f"{rule.name:27} {rule.severity:8} {rule['what']}" for rule in RULES.values()))
        return 0
    if options.explain:
        print("\n\n".join(explain(RULES[name]) for name in known_rules(options.explain, "--explain")))
        return 0
    if options.files and not options.static:
        raise CannotCheck("FILE needs --static: a database is migrated with all migrations or none.")
    if not options.roundtrip and (options.since or options.only or options.keep):
        raise CannotCheck("--since, -k and --keep need --roundtrip.")
    if options.static and (options.roundtrip or options.database_url):
        raise CannotCheck("--static uses no database: leave out --roundtrip and --database-url.")
    if options.plan and (options.static or options.roundtrip or options.database_url or options.write_baseline):
        raise CannotCheck(
            "--plan is of the configured database: leave out --static, --roundtrip and --write-baseline, and set DATABASE_URL"
            " instead of --database-url."
        )
    if options.plan and options.format in ("github", "sarif"):
        raise CannotCheck(f"--format {options.format}: a plan is text, json or markdown.")
    if options.format == "markdown" and not options.plan:
        raise CannotCheck("--format markdown is a plan's: add --plan.")
    settings = read_settings(root)
    if options.versions:
        settings = replace(settings, versions=(options.versions.resolve(),))
    return Check(settings, options).run()


class Check:
    """One run: reads, judges, runs what is to be run, reports."""

    def __init__(self, settings: Settings, options: argparse.Namespace) -> None:
        self.settings, self.options = settings, options
        self.root = settings.root.resolve()
        ignored = {
            *known_rules(options.ignore, "--ignore"),
            *known_rules(",".join(settings.ignore), "pyproject.toml: [tool.migration-guard] ignore"),
        }
        self.rules = [name for name in known_rules(options.select, "--select") or RULES if name not in ignored]
        self.findings: list[Finding] = []
        self.left_out: list[str] = []  # what is not checked, and how it would be
        off = options.no_cache or options.plan or os.environ.get("CI", "") not in ("", "0", "false")
        self.cache = Cache(settings, self.is_green) if settings.cache and not off else None
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
            raise CannotCheck(f"no migrations in {folders}; {where}; make the first: alembic revision --autogenerate")
        if options.plan:
            return self.plan(files)
        chosen = [file.resolve() for file in options.files] or files
        whole = set(chosen)
        read = {file: self.read(file, whole=file in whole) for file in dict.fromkeys([*files, *chosen])}
        past = [reading.migration for file in files if (reading := read[file])]
        chosen_readings = [reading for file in chosen if (reading := read[file])]
        judged = [reading.migration for reading in chosen_readings]
        self.findings += history.check_graph(past)
        old = self.before_first(past)
        for reading in chosen_readings:
            if reading.migration.revision not in old and not options.roundtrip:
                self.findings += self.judge(reading)
        if self.cache:
            self.cache.save(self.is_application)
        deployed = history.Deployed(self.settings.versions, options.against)
        if deployed.ref and "edited-migration" in self.rules:
            self.findings += deployed.check(past, self.read_content, self.relative)
        elif "edited-migration" in self.rules and any(map(history.in_repository, deployed.folders)):
            self.left_out.append("Deployed migrations are not known: no remote's main branch here. Say: --against REF")
        broken = any(found.rule in BREAKS_ALEMBIC and found.rule in self.rules for found in self.findings)
        failed = None
        if not options.static and not broken:
            try:
                ran = self.run_migrations()
                if any(found.rule == "edited-migration" for found in self.findings):
                    ran = [replace(each, fix=RESTORE) if each.rule == "models-out-of-sync" else each for each in ran]
                self.findings += ran
            except CannotCheck as error:  # after the report of what was found without
                failed = error
        plain = not options.roundtrip
        runs = {"rules": plain, "drift": plain and not options.static, "roundtrip": not plain}
        if options.select and (idle := [name for name in self.rules if not runs.get(RULES[name].by, True)]):
            self.left_out.append(
                f"Not looked for by this command: {', '.join(idle)}. See --help: --static, --roundtrip"
            )
        mine = {migration.path: migration for migration in judged if migration.revision not in old}
        findings = self.let_stand(self.findings, mine)
        if options.write_baseline:
            if failed:
                raise failed
            write_baseline(options.write_baseline, findings)
            print(f"Findings noted in {options.write_baseline}: {len(findings)}", file=sys.stderr)
            if self.settings.baseline is None:
                print(f'Let them be: baseline = "{options.write_baseline}" in [tool.migration-guard]', file=sys.stderr)
            return 0
        if failed and not findings:
            raise failed  # and nothing that could be read as clean
        operations = sum(reading.operations for reading in chosen_readings)
        checked = {"files": len(chosen), "operations": operations, "revisions": len(past)}
        if self.cache and self.cache.taken:
            checked["cached"] = self.cache.taken
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
                migration = read_migration(path, dialects=(), source=source.split("\ndef upgrade", 1)[0])
                migration.source = source
                if migration.revision:
                    return migration
        return read_migration(path, dialects=self.settings.dialects, source=source)

    def read(self, file: Path, whole: bool) -> Reading | None:
        path = self.relative(file)

        def make(content: bytes) -> Reading:
            migration = self.read_content(path, content, whole)
            return Reading(migration, len(migration.operations), whole=whole)

        try:
            if self.cache:
                return self.cache.read(file, path, make, self.is_application)
            return make(file.read_bytes())
        except UnreadableMigration as error:
            line, reason = error.line, error.reason
        except (OSError, SyntaxError, ValueError) as error:
            line, reason = 1, getattr(error, "strerror", None) or getattr(error, "msg", None) or str(error)
        self.unreadable = True
        self.findings.append(finding("unreadable-migration", Migration(path, ""), line, reason, UNREADABLE))
        return None

    def judge(self, reading: Reading) -> list[Finding]:
        path = reading.migration.path
        if reading.findings is None:
            if reading.kept:
                reading.migration = self.read_content(path, (self.settings.root / path).read_bytes())
            reading.findings = judge(reading.migration, self.settings.databases, self.is_application)
            reading.kept = False
        return reading.findings

    def before_first(self, migrations: list[Migration]) -> set[str]:
        """The revisions of the old history that is not judged."""
        first = self.settings.first_revision
        known = {migration.revision: migration for migration in migrations if migration.revision}
        if first is None:
            return set()
        if first not in known:
            raise CannotCheck(f"pyproject.toml: [tool.migration-guard] first-revision: {first!r} is in no migration.")
        return history.lineage(first, known) - {first}

    def is_application(self, module: str) -> bool:
        """Whether a module is the application's own: not beside the migrations, and in the project or around them."""
        top, *inner = module.split(".")
        if any(folder.parent.name in inner for folder in self.settings.versions):
            return False
        if top not in self.ours:
            above = {parent for folder in self.settings.versions for parent in folder.parents}
            around = [parent.parent for parent in above if (parent / "__init__.py").exists()]
            bases = [self.settings.root, self.settings.root / "src", *around]
            there = any((base / f"{top}.py").exists() or any((base / top).glob("*.py")) for base in bases)
            self.ours[top] = there and top not in {"", "alembic", "sqlalchemy", *sys.stdlib_module_names}
        return self.ours[top]

    # running

    def config(self) -> Config:
        try:
            import alembic.runtime.plugins  # noqa: F401 since 1.18
            from alembic.config import Config
        except ImportError as error:
            raise CannotCheck(f"{error}: install the dependencies (Alembic 1.18 or newer), or use --static.") from None
        settings, there = self.settings, self.settings.config.is_file()
        config = Config(settings.config if there else None, toml_file=settings.root / "pyproject.toml")
        if not there and not config.toml_alembic_config:
            place = self.relative(settings.config)
            raise CannotCheck(f"no {place}; say where: config in the settings. --static needs none.")
        if config.get_alembic_option("script_location") is None:  # Flask-Migrate says it to Alembic itself
            config.set_main_option("script_location", str(settings.config.parent).replace("%", "%%"))
        lists = {"version_locations": settings.versions, "prepend_sys_path": config.get_prepend_sys_paths_list() or ()}
        for name, paths in lists.items():
            config.set_main_option(name, "\n".join(map(str, paths)).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        return config

    def run_migrations(self) -> list[Finding]:
        config, settings, options, url = self.config(), self.settings, self.options, self.options.database_url
        from .scratch import find_url

        server, elsewhere = find_url(settings.root, url).get_backend_name(), ""
        if server not in settings.dialects:
            names = ", ".join(settings.databases)
            elsewhere = f"The migrations ran on {server}, not on {names}. Name a server: DATABASE_URL"
            self.left_out.append(elsewhere)
        try:
            if options.roundtrip:
                from .roundtrip import check_roundtrip

                some = (options.since, options.only, options.keep)
                return check_roundtrip(config, settings, url, *some, cache=self.cache)
            from .drift import check_drift

            found = check_drift(config, settings, url, self.cache)
            self.compared = len(settings.databases) == 1 and not elsewhere
            return found
        except CannotCheck as error:
            if not elsewhere:
                raise
            raise CannotCheck(f"{str(error).rstrip('.')}. {elsewhere}") from error

    def plan(self, files: list[Path]) -> int:
        """Report what is to run on the configured database, judged for that database alone."""
        past = [reading.migration for file in files if (reading := self.read(file, whole=False))]
        for found in [*self.findings, *history.check_graph(past)]:
            if found.rule in BREAKS_ALEMBIC:
                raise CannotCheck(f"{found.path}:{found.line}: {found.message} {found.fix}")
        config, old = self.config(), self.before_first(past)
        from .plan import PLANS, make_plan

        def judged(file: Path, databases: tuple[str, ...]) -> tuple[Migration, list[Finding], list[Finding]]:
            self.settings = replace(self.settings, databases=databases)
            reading = self.read(file, whole=True)
            if reading is None:
                raise CannotCheck(f"{self.relative(file)}: {self.findings[-1].message}")
            migration = reading.migration
            found = judge(migration, databases, self.is_application) if migration.revision not in old else []
            self.findings = [each for each in found if each.rule in self.rules]
            mine = {migration.path: migration} if migration.revision not in old else {}
            standing = self.let_stand(self.findings, mine)
            return migration, standing, [each for each in self.findings if each not in standing]

        self.write(PLANS[self.options.format](make_plan(config, self.settings, judged)))
        return 0

    # reporting

    def is_green(self, findings: list[Finding]) -> bool:
        return not any(found.severity == "error" for found in self.let_stand(findings, {}))

    def let_stand(self, found_in_all: list[Finding], judged: dict[str, Migration]) -> list[Finding]:
        """The findings that are selected, not suppressed and not in the baseline, in the order of the files."""
        # What only running them shows differs from one database to the next: where there are several, no suppression of it
        # is called unused.
        ran = {"history", "report"} | ({"rules"} if not self.options.roundtrip else set())
        databases = set(self.settings.databases)
        rules = [name for name in self.rules if RULES[name].by in ran and RULES[name].databases & databases]
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
            standing = suppress(findings, path, source, RULES, told.get(path, ()))
            kept += sorted(standing, key=lambda found: (found.line, found.column))
        if self.settings.baseline and not self.options.write_baseline:
            known = read_baseline(self.settings.baseline)
            kept = [found for found in kept if found.key not in known]
        return kept

    def models(self) -> Iterator[str]:
        """The modules of the project that were loaded and say what drift is to be let be."""
        from .cache import loaded

        for file in map(Path, loaded()):
            if file.is_relative_to(self.root) and "models-out-of-sync" in self.text(path := self.relative(file)):
                yield path

    def text(self, path: str) -> str:
        try:
            return (self.settings.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def report(self, findings: list[Finding], checked: dict[str, int]) -> None:
        output: Path | None = self.options.output
        colour = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        more = {"checked": checked, "left_out": self.left_out, "source": self.text, "colour": colour}
        self.write(REPORTS[self.options.format](findings, rules=[*RULES.values()], **more))

    def write(self, made: str) -> None:
        output: Path | None = self.options.output
        if output is None:
            if isinstance(sys.stdout, TextIOWrapper):
                sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a character of the source
            sys.stdout.write(made)
            return
        try:
            output.write_text(made, encoding="utf-8")
        except OSError as error:
            raise CannotCheck(f"--output {output}: {error.strerror}") from None


RESTORE = "Restore what is deployed first, as edited-migration says; a difference that stays is then one of its own."
UNREADABLE = "Mend the file: Python can't load it either."
BREAKS_ALEMBIC = ("unreadable-migration", "missing-parent", "duplicate-revision", "revision-cycle", "multiple-heads")


def known_rules(text: str | None, option: str) -> list[str]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if name not in RULES:
            raise CannotCheck(f"{option}: there is no rule {name!r}{nearest(name, RULES)}; see --list-rules.")
    return names


def concerns(rule: Rule) -> str:
    return "all" if rule.databases >= set(DATABASES) else ", ".join(sorted(rule.databases))


def explain(rule: Rule) -> str:
    example = "".join(f"{name}:\n{indent(rule[name.lower()], '    ')}\n\n" for name in ("Bad", "Good"))
    return (
        f"{rule.name} ({rule.severity}; databases: {concerns(rule)})\n\n{rule['what']}\n\nWhy: {rule['why']}\n\n"
        f"Fix: {rule['fix']}\n\n{example}Suppress: # migration-guard: ignore[{rule.name}] the reason"
    )
