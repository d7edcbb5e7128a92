"""postgres.py - a private PostgreSQL for a test, from Debian's package.

It listens on a unix socket in a directory of its own, and is stopped at the
end.  PostgreSQL refuses to run as root, so root starts it as another user.
"""
import glob
import os
import pwd
import signal
import subprocess

from harness import _die_with_parent, at_end, diag, temp_dir, wait_for


def find_programs():
    """Where the newest PostgreSQL is, or None."""
    found = [os.path.dirname(p) for p in glob.glob("/usr/lib/postgresql/*/bin/postgres")]
    return max(found, key=lambda p: int(p.split("/")[4]), default=None)


class Postgres:
    """A cluster; stop() and start() as often as a test likes."""

    def __init__(self):
        self.programs = find_programs()
        self.dir = temp_dir("postgres")
        self.user = None
        if os.geteuid() == 0:
            users = {u.pw_name for u in pwd.getpwall()}
            self.user = "postgres" if "postgres" in users else "nobody"
            os.chown(self.dir, pwd.getpwnam(self.user).pw_uid, -1)
        self.process = None
        self.run("initdb", "-D", f"{self.dir}/data", "-A", "trust", "-U", "owner", "-E", "UTF8", "--locale=C", "--no-sync")
        at_end(self.stop)
        self.start()

    def as_user(self):
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}

    def run(self, program, *args):
        subprocess.run([f"{self.programs}/{program}", *args], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=self.dir, **self.as_user())

    def start(self):
        log = open(f"{self.dir}/log", "ab")
        self.process = subprocess.Popen([f"{self.programs}/postgres", "-D", f"{self.dir}/data", "-k", self.dir, "-c", "listen_addresses=", "-c", "fsync=off",
                                         "-c", "log_statement=all", "-c", "log_line_prefix=%a %i "], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        cwd=self.dir, preexec_fn=_die_with_parent, **self.as_user())
        log.close()
        wait_for(lambda: self.psql("select 1", check=False) == "1", "PostgreSQL to answer")

    def stop(self, how="INT"):
        """INT ends all sessions, QUIT as a crash does."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.Signals["SIG" + how])
            self.process.wait(60)
        self.process = None

    def conninfo(self, user="owner", database="postgres"):
        return f"host={self.dir} user={user} dbname={database}"

    def psql(self, sql, user="owner", database="postgres", check=True):
        """What a statement prints; None if it failed and may."""
        p = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.conninfo(user, database)], input=sql.encode(), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env={**os.environ, "PGCLIENTENCODING": "UTF8"})
        if p.returncode and check:
            diag(p.stderr.decode(errors="replace"))
            raise RuntimeError(f"psql: {sql[:200]}")
        return None if p.returncode else p.stdout.decode().rstrip("\n")

    def sessions(self, columns="pid", database="postgres"):
        """The sessions of our program."""
        return self.psql(f"select {columns} from pg_stat_activity where application_name = 'restreamer' and datname = '{database}' order by pid").split()

    def log(self):
        with open(f"{self.dir}/log", errors="replace") as f:
            return f.read()
