"""Brings the database to the present schema: `python -m headrace.store.migrate`.

May run any number of times, also beside itself. Services need not stop for it: a migration keeps
what the release before it uses.
"""

import sys
from dataclasses import dataclass

from headrace.errors import FailedPrecondition, SettingsInvalid, Unavailable
from headrace.runtime.settings import DatabaseSettings, load_settings
from headrace.store.migrations import migrate


@dataclass(frozen=True, kw_only=True)
class MigrateSettings(DatabaseSettings):
    """Read from `HEADRACE_*`."""


def main() -> int:
    """Returns: 0; 1 where Postgres is away or a migration fails; 2 on bad settings."""
    try:
        settings = load_settings(MigrateSettings)
        applied = migrate(settings.database_url)
    except SettingsInvalid as error:
        sys.stderr.write(f"migrate: settings are wrong\n{error}\n")
        return 2
    except (FailedPrecondition, Unavailable) as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 1
    sys.stdout.writelines(f"applied {name}\n" for name in applied)
    sys.stdout.write("the schema is present\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
