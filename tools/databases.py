"""Databases and their filestores: make, copy, drop, and what is said about them.

./dev calls it. The comment on a database is its stamp: one without a comment was cut
off half way. PostgreSQL does not copy the comment with a template.
"""

import ast
import hashlib
import os
import re
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import psycopg2
from psycopg2 import sql

MODULE = "quality_resident"
# What of the repository does not change an installed database.
NOT_MODULE = {"tests", "bench", "tools", "docs", "dev"}


def connect(database="postgres"):
    # The rest (host, port, user, password) libpq takes from the environment.
    connection = psycopg2.connect(dbname=database, connect_timeout=10)
    connection.autocommit = True
    return connection.cursor()


def filestore(database):
    return Path(os.environ["ODOO_RC"]).parent / "data" / "filestore" / database


def ping(mode=""):
    try:
        connect().execute("SELECT 1")
    except psycopg2.Error as error:
        if mode != "quiet":
            print(
                f"error: PostgreSQL at PGHOST={os.environ['PGHOST']} does not answer:\n"
                f"       {str(error).strip()}\n"
                "       Check PGHOST, PGPORT, PGUSER, PGPASSWORD; or unset PGHOST.",
                file=sys.stderr,
            )
        sys.exit(1)


def names(prefix=""):
    cr = connect()
    cr.execute("SELECT datname FROM pg_database ORDER BY datname")
    return [row[0] for row in cr.fetchall() if row[0].startswith(prefix)]


def list_(prefix):
    print("\n".join(names(prefix)))


def in_use(prefix):
    """Print the databases of other checkouts that someone is connected to."""
    cr = connect()
    cr.execute(
        "SELECT DISTINCT datname FROM pg_stat_activity WHERE datname IS NOT NULL"
    )
    used = {row[0] for row in cr.fetchall()} - {"postgres"}
    print(" ".join(sorted(name for name in used if not name.startswith(prefix))))


def get_stamp(database):
    cr = connect()
    cr.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = %s",
        [database],
    )
    row = cr.fetchone()
    return (row and row[0]) or ""


def ready(database):
    sys.exit(not get_stamp(database))


def stamp(database, value=None):
    if value is None:
        print(get_stamp(database))
    else:
        query = sql.SQL("COMMENT ON DATABASE {} IS %s")
        connect().execute(query.format(sql.Identifier(database)), [value])


def drop(database):
    query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    connect().execute(query.format(sql.Identifier(database)))
    shutil.rmtree(filestore(database), ignore_errors=True)


def drop_like(prefix):
    for database in names(prefix):
        drop(database)


def drop_dead(prefix):
    """Drop copies whose name ends with the id of a process that is gone."""
    for database in names(prefix):
        pid = re.search(r"_pid(\d+)$", database)
        if pid and not Path("/proc", pid[1]).exists():
            drop(database)


def clone(source, target):
    drop(target)
    query = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(target), sql.Identifier(source)
    )
    for second in range(60):
        try:
            connect().execute(query)
            break
        except psycopg2.errors.ObjectInUse:
            # Someone reads the template, ./dev lint for its export for one.
            if second == 59:
                raise
            time.sleep(1)
    if filestore(source).exists():
        # Links: Odoo never rewrites a file of the store, it is named by its content.
        shutil.copytree(filestore(source), filestore(target), copy_function=os.link)


def verify(database, state=None):
    """Odoo ends with success where a module is missing, or when it is interrupted."""
    cr = connect(database)
    cr.execute("SELECT name, state FROM ir_module_module")
    states = dict(cr.fetchall())
    pending = sorted(name for name, value in states.items() if value.startswith("to "))
    if pending:
        sys.exit(f"unfinished in {database}: {', '.join(pending)}")
    if state and states.get(MODULE) != state:
        sys.exit(f"{MODULE} in {database} is {states.get(MODULE)}, not {state}")


def no_demo(database):
    """A module gets its demo data where those it depends on have theirs."""
    connect(database).execute("UPDATE ir_module_module SET demo = false")


def manifest(repository):
    return ast.literal_eval(Path(repository, "__manifest__.py").read_text("utf-8"))


def depends(repository):
    modules = manifest(repository)["depends"]
    missing = [name for name in modules if not find_spec(f"odoo.addons.{name}")]
    if missing:
        sys.exit(
            f"{', '.join(missing)}: in the manifest's depends, but not installed."
            " An OCA add-on needs its line in requirements-oca.txt"
            " (odoo-addon-NAME==19.0...), as do the add-ons that it depends on."
        )
    print(",".join(modules))


def key(kind, repository, odoo):
    """Print what a template is made from, as a short hash."""
    root = Path(repository)
    digest = hashlib.sha256(Path(odoo, "odoo/release.py").read_bytes())
    digest.update(Path(odoo).resolve().as_posix().encode())
    digest.update((root / "requirements-oca.txt").read_bytes())
    digest.update(repr(sorted(manifest(root)["depends"])).encode())
    if kind == "module":
        for path in sorted(root.rglob("*")):
            part = path.relative_to(root)
            if (
                part.parts[0] not in NOT_MODULE
                and not any(p.startswith(".") or p == "__pycache__" for p in part.parts)
                and not (len(part.parts) == 1 and path.suffix in {".md", ".txt"})
                and path.suffix != ".pot"
                and path.is_file()
            ):
                digest.update(part.as_posix().encode() + b"\0" + path.read_bytes())
    print(digest.hexdigest()[:10])


def seturl(database, port):
    """Let wkhtmltopdf and links in mails find the server on its port."""
    cr = connect(database)
    for name, host in (("report.url", "127.0.0.1"), ("web.base.url", "localhost")):
        cr.execute(
            "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)"
            " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
            [name, f"http://{host}:{port}"],
        )


def users(database, port):
    """When the server answers, print where it is and who can log in.

    A demo user's password is the login.
    """
    for _second in range(120):
        try:
            urlopen(f"http://127.0.0.1:{port}/web/login", timeout=60).close()
            break
        except OSError:
            time.sleep(0.5)
    cr = connect(database)
    cr.execute(
        """
        SELECT u.login, p.name, d.module, u.share
          FROM res_users u
          JOIN res_partner p ON p.id = u.partner_id
          JOIN ir_model_data d ON d.model = 'res.users' AND d.res_id = u.id
         WHERE u.active AND (d.module = %s OR u.login IN ('admin', 'demo'))
         ORDER BY d.module, u.id
        """,
        [MODULE],
    )
    print(f"\n    http://localhost:{port}    database {database}\n")
    print(f"    {'user':<22}{'password':<22}name")
    for login, name, _module, share in cr.fetchall():
        print(f"    {login:<22}{login:<22}{name}{' (portal)' if share else ''}")
    print("\n    Ctrl-C stops the server.\n", flush=True)


COMMANDS = {
    "ping": ping,
    "list": list_,
    "in-use": in_use,
    "ready": ready,
    "stamp": stamp,
    "drop": drop,
    "drop-like": drop_like,
    "drop-dead": drop_dead,
    "clone": clone,
    "verify": verify,
    "no-demo": no_demo,
    "depends": depends,
    "key": key,
    "seturl": seturl,
    "users": users,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
