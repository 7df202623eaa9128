"""Bring a database to the tables of this version. Alembic is imported only where it must work."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from orchestrator.model.errors import ConfigurationError
from orchestrator.model.i18n import _
from orchestrator.store.schema import HEAD, SYNCED, WRITING

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine, where: str) -> None:
    """Migrate to ``HEAD`` in one transaction; nothing is done where the revision agrees.

    ``where`` names the store in errors. Raises ConfigurationError for a database that a newer
    version wrote, or that is not a store at all; nothing is written to either.
    """
    with engine.connect() as connection:
        revision = _revision(connection, where)
    if revision == HEAD:
        return
    config = _configuration(revision, where)
    with engine.execution_options(**{WRITING: SYNCED}).begin() as connection:
        if _revision(connection, where) != HEAD:
            _upgrade(connection, config)


def _revision(connection: Connection, where: str) -> str | None:
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise ConfigurationError(
            _("{where} is a database, but not a store of luytre").format(where=where)
        )
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _configuration(revision: str | None, where: str) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - slow to import, and rarely needed
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigurationError(
            _("the store {where} was written by a newer version (revision {revision})").format(
                where=where, revision=revision
            ),
            hint=_("upgrade luytre on this controller"),
        )
    return config


def _upgrade(connection: Connection, config: "Config") -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and rarely needed

    config.attributes["connection"] = connection
    command.upgrade(config, "head")
