"""The migrations that are not deployed yet: nobody waits for a table that they create."""

from ..history.deployed import Deployed
from ..history.files import MigrationFiles
from ..history.graph import in_order
from ..reading.migration import Migration
from ..rules.past import table_of, upgrade_of
from ..settings import Settings


def undeployed(settings: Settings) -> list[Migration]:
    """Return these migrations in the order in which they run; none if no remote is known."""
    files = MigrationFiles(settings)
    deployed = Deployed(files, None)
    if deployed.ref is None:
        return []
    known = [each for file in files if (each := files.read(file, whole=False))]
    new = deployed.undeployed(known)
    return [files.read_whole(each) for each in in_order(known) if each.revision in new]


def new_tables(migrations: list[Migration]) -> set[str]:
    """Return the tables that they create, as the rules name them."""
    every = [each for migration in migrations for each in upgrade_of(migration)]
    return {table_of(each) for each in every if each.operation == "create_table"}
