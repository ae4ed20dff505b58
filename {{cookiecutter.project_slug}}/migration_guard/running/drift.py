"""Drift: what differs between the models and the schema that the migrations create, as findings.

Both are created in scratch databases, and the server describes them.
"""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..finding import Finding
from ..places import place, relative
from ..rules.drift import models_out_of_sync
from ..rules.revision import offline_unsafe
from ..rules.rule import report
from ..settings import Settings
from .alembic_comparison import as_alembic_sees
from .comparison import compare
from .drift_fixes import fix, fix_of, message_of
from .models import Models
from .schema.objects import SchemaObject
from .schema.snapshots import describe
from .scratch import find_url, scratch_database
from .stepping import Stepper, as_configured, plan_of, read_scripts, run_env
from .unimported import unimported_tables


def check_drift(config: Config, settings: Settings, url: str | None) -> list[Finding]:
    """Migrate a scratch database to the heads, compare it with the models, and return the findings.

    Raises CannotCheck if a migration fails.
    """
    server = find_url(settings.root, url)
    scripts = read_scripts(config)
    env = relative(scripts.env_py_location, settings.root)
    findings: list[Finding] = []

    def work(context: MigrationContext) -> None:
        stepper = Stepper(context, scripts)
        metadata = context.opts["target_metadata"]
        if metadata is None:
            raise CannotCheck(
                f"{env} passes no target_metadata to context.configure(): pass the metadata of the"
                " models."
            )
        models = Models(metadata, settings.root, env)
        with scratch_database(server) as second, ThreadPoolExecutor() as pool:
            # This runs while the server migrates the first database. An error waits for its end,
            # because a database in use can't be dropped.
            created = pool.submit(models.create, second)
            stepper.upgrade(plan_of(scripts))
            assert context.connection is not None
            migrated = describe(context.connection, [context.version_table])
            context.connection.commit()
        if not created.result():
            models.create_in_parts(server, migrated)
        findings.extend(drift(context, models, migrated))

    with scratch_database(server) as engine:
        run_env(config, scripts, engine, work)
        if settings.offline:
            findings += check_offline(config, engine)
    return findings


def drift(
    context: MigrationContext, models: Models, migrated: dict[str, SchemaObject]
) -> list[Finding]:
    """Return a finding for each difference, and a note for what could not be compared."""
    found = []
    for name, line, where in unimported_tables(models):
        message = (
            f"Model table {name} ({where}:{line}) is in a module that {models.env} never imports."
        )
        how = fix("not imported", env=models.env)
        found.append(finding(f"table {name}", message, how, (where, line)))
    differences = compare(context, models, migrated)
    for difference in differences:
        at = models.place(difference.owner, difference.prop, difference.after is None)
        how = fix_of(difference, differences, context.dialect.name)
        found.append(finding(difference.name, message_of(difference), how, at))
    for target, table, message in as_alembic_sees(context, {*models.failed}):
        how = fix("not in the models" if message.startswith("The migrations") else "")
        found.append(finding(target, message, how, models.place(f"table {table}", target)))
    for table, why in models.failed.items():
        message = (
            f"Table {table} can't be created from the models, so only Alembic compares it: {why}."
        )
        at = models.place(f"table {table}")
        found.append(finding(f"table {table}", message, fix("not created"), at, "note"))
    if models.incomplete:
        message = "configure_mappers() fails, so tables that it adds are not compared: "
        message += f"{models.incomplete}."
        how, at = fix("not configured", env=models.env), (models.env, 1)
        found.append(finding("configure_mappers()", message, how, at, "note"))
    return found


def finding(
    operation: str, message: str, fix: str, at: tuple[str, int], severity: str = "error"
) -> Finding:
    about = {"line": at[1], "severity": severity, "operation": operation}
    return report(models_out_of_sync, message, fix, at[0], **about)


def check_offline(config: Config, engine: sa.Engine) -> list[Finding]:
    """Print the whole history in offline mode; return a finding if that fails."""
    config.output_buffer, config.stdout = StringIO(), StringIO()
    try:
        with as_configured(config, engine, None):
            command.upgrade(config, "heads", sql=True)
    except Exception as error:
        path, _, line = place(error).rpartition(":")
        what = one_line(error)
        message = f"alembic upgrade --sql fails at {path}:{line}: {what}."
        return [report(offline_unsafe, message, "", path, line=int(line or 1), severity="error")]
    return []
