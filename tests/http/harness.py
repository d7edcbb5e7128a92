"""harness.py - what the tests over HTTP share.

Each test file is a program that prints TAP.  It makes a private archive,
starts the real program behind the real web server through deploy/run on a
free port, asks it questions, and stops it.  Nothing sleeps blindly: waits are
for a condition, with a bound that is only there against hanging.

Environment:  BUILD_DIR       where restreamer is built; else build/
              TEST_KEEP=1     leave the temporary directories, and say where
"""
import atexit
import base64
import ctypes
import hashlib
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HELPER = os.path.join(ROOT, "tests", "helper")
DATA = os.path.join(ROOT, "tests", "data")
BUILD = os.path.abspath(os.environ.get("BUILD_DIR") or
                        os.path.join(ROOT, "build"))
PROGRAM = os.path.join(BUILD, "restreamer")

# A guard against hanging, not a measure of anything.
PATIENCE = 60

# ------------------------------------------------------------------- TAP

_count = 0
_failed = 0


def diag(text):
    for line in str(text).splitlines() or [""]:
        print("# " + line, flush=True)


def ok(condition, text, why=None):
    """One result.  why is printed when it failed."""
    global _count, _failed
    _count += 1
    text = text.replace("#", "\\#").replace("\n", " ")
    print(f"{'ok' if condition else 'not ok'} {_count} - {text}", flush=True)
    if not condition:
        _failed += 1
        if why is not None:
            diag(str(why)[:2000])
    return bool(condition)


def same(got, want, text):
    """got == want, and both are shown when not."""
    return ok(got == want, text,
              f"got  {short(got)}\nwant {short(want)}")


def short(value, limit=600):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)})"


def like(text, pattern, what):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return ok(re.search(pattern, text or ""), what,
              f"got {short(text)}\nwant something like {pattern!r}")


def skip(text, why):
    global _count
    _count += 1
    print(f"ok {_count} - {text} # SKIP {why}", flush=True)


def skip_all(why):
    print(f"1..0 # SKIP {why}", flush=True)
    sys.exit(0)


def bail_out(why):
    print(f"Bail out! {why}", flush=True)
    sys.exit(99)


def finish():
    """Last line of every test file."""
    stop_everything()
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed or not _count else 0)


# ------------------------------------------- processes that must not stay

_cleanups = []


def at_end(function):
    _cleanups.append(function)


def stop_everything():
    while _cleanups:
        function = _cleanups.pop()
        try:
            function()
        except Exception as e:      # the others must still be stopped
            diag(f"while stopping: {type(e).__name__}: {e}")


atexit.register(stop_everything)


def _on_signal(number, frame):
    print(f"Bail out! {signal.Signals(number).name} at "
          f"line {frame.f_lineno} of {frame.f_code.co_filename}", flush=True)
    stop_everything()
    os._exit(99)


for _signal in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
    signal.signal(_signal, _on_signal)
# No test file takes minutes; one that hangs says so and stops its servers.
signal.alarm(int(os.environ.get("TEST_TIMEOUT", "600")))

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(1, signal.SIGTERM)      # PR_SET_PDEATHSIG


def wait_for(condition, what, patience=PATIENCE, interval=0.01):
    """Calls condition until it answers something true, and returns that."""
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"waited {patience} s for {what}")
        time.sleep(interval)


def temp_dir(what="test"):
    """A directory that others may enter, as an archive in real life."""
    path = tempfile.mkdtemp(prefix=f"restreamer-{what}.")
    os.chmod(path, 0o755)
    if os.environ.get("TEST_KEEP"):
        diag(f"keeping {path}")
    else:
        at_end(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


def run_program(*args, env=None, stdin=subprocess.DEVNULL, timeout=PATIENCE,
                cwd=None, **more):
    """The program itself, as a command: (status, stdout, stderr)."""
    e = dict(os.environ)
    e.update(env or {})
    p = subprocess.run([PROGRAM, *map(str, args)], stdin=stdin, env=e,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=timeout, cwd=cwd, **more)
    return p.returncode, p.stdout, p.stderr


def ensure_built():
    """For tests that do not go through deploy/run, which builds."""
    if os.access(PROGRAM, os.X_OK):
        return
    bail_out(f"{PROGRAM} is not built")


# --------------------------------------------------------------- archives

def T(text):
    """"2026-11-07T00:00:00.5" as a naive datetime in UTC."""
    return datetime.fromisoformat(text)


def have_video():
    """Whether real video can be made here: make-archive has its own python."""
    return shutil.which("ffmpeg") and not subprocess.run(
        ["/usr/bin/python3", "-c", "import numpy"],
        stderr=subprocess.DEVNULL).returncode


def cut_archives(*names):
    """Where the archives of make-cut-archives are, in CUT_ARCHIVES if that is
    given: all but those that are only made when they are named, or these."""
    base = os.environ.get("CUT_ARCHIVES") or temp_dir("cuts")
    subprocess.run([os.path.join(HELPER, "make-cut-archives"), base, *names],
                   check=True)
    return base


def make_video(base, channel, *options):
    subprocess.run([os.path.join(HELPER, "make-archive"), base, channel,
                    *options], check=True, stdout=subprocess.DEVNULL)


def utc_now():
    return datetime.now(timezone.utc).replace(tzinfo=None)


def iso(when):
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")


def seconds(count):
    return timedelta(seconds=count)


class Archive:
    """Segments are random bytes of a seeded generator."""

    def __init__(self, path=None):
        self.path = path or temp_dir("archive")
        self.random = random.Random(1)

    def name(self, start, duration=2.0, kind="full", data=b"", salt=""):
        digest = hashlib.sha256(data + salt.encode() +
                                f"{start}{duration}{kind}".encode()).digest()
        text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return f"{start:%M:%S.%f}-{duration:g}-{kind}-{text}.ts"

    def folder(self, channel, quality, start):
        return os.path.join(self.path, channel, quality, f"{start:%Y-%m-%dT%H}")

    def put(self, channel, quality, start, duration=2.0, kind="full",
            size=1000, name=None, data=None, salt=""):
        """Writes a segment as the downloaders do, and returns its path."""
        if data is None:
            data = self.random.randbytes(size)
        folder = self.folder(channel, quality, start)
        os.makedirs(folder, exist_ok=True)
        name = name or self.name(start, duration, kind, data, salt)
        path = os.path.join(folder, name)
        temp = os.path.join(folder, f"{start:%M:%S.%f}-{duration:g}-temp-"
                                    f"{self.random.randrange(10**9)}.ts")
        with open(temp, "wb") as f:
            f.write(data)
        os.rename(temp, path)
        return path

    def run(self, channel, quality, start, count, duration=2.0, **more):
        return [self.put(channel, quality, start + seconds(duration * i),
                         duration, **more) for i in range(count)]

    def bury(self, path):
        """Puts a tombstone beside a segment."""
        with open(re.sub(r"\.ts$", ".tombstone", path), "wb"):
            pass

    def write(self, relative, data=b""):
        path = os.path.join(self.path, relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def age(self, by=10):
        """Makes hours look settled: nothing changed in the last seconds.

        Not with utime(), which moves the change time to now: only waiting
        does it, so tests call this when they need the stored index.
        """
        newest = max((max(os.stat(d).st_mtime, os.stat(d).st_ctime)
                      for d, _, _ in os.walk(self.path)), default=0)
        wait_for(lambda: time.time() > newest + by, "hours to settle")


def content(paths):
    data = b""
    for path in paths:
        with open(path, "rb") as f:
            data += f.read()
    return data


def tricky_archive():
    path = temp_dir("tricky")
    subprocess.run([sys.executable, os.path.join(HELPER, "make-listing-archive"),
                    "tricky", path], check=True)
    return path


# ----------------------------------------------------------------- answers

class Answer:
    """Status, headers (lower case; a repeated one joined by ", "), body."""

    def __init__(self, status, headers, body, whole=True, stderr=b""):
        self.status, self.body, self.whole = status, body, whole
        self.stderr = stderr
        self.header_list = [(k.lower(), v) for k, v in headers]
        self.headers = {}
        for key, value in self.header_list:
            if key in self.headers:
                value = self.headers[key] + ", " + value
            self.headers[key] = value

    def __getitem__(self, name):
        return self.headers.get(name.lower())

    @property
    def text(self):
        return self.body.decode("utf-8", "backslashreplace")

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def lines(self):
        return self.text.splitlines()

    def __repr__(self):
        return (f"<{self.status} {self.headers} "
                f"{short(self.body, 300)}>")


def split_http(raw, method="GET"):
    """An answer from the bytes that a web server sent until it closed."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1])
    headers = [tuple(part.strip() for part in line.split(":", 1))
               for line in lines[1:]]
    return Answer(status, headers, body)


# ------------------------------------------------------ through deploy/run

WEB_SERVERS = ("nginx", "lighttpd", "apache-proxy", "apache-fcgid")


class Server:
    """deploy/run on a free port, over an archive.

    options are those of "restreamer serve"; extra is nginx configuration for
    the server block; web is one of WEB_SERVERS.
    """

    def __init__(self, base, options=(), cache=None, env=None, extra=None,
                 web="nginx"):
        self.base = getattr(base, "path", base)
        self.dir = temp_dir("run")
        self.cache = cache or temp_dir("cache")
        self.expected_log = []
        e = dict(os.environ)
        e["BUILD_DIR"] = BUILD
        e["RESTREAMER_RUN_DIR"] = self.dir
        if extra is not None:
            with open(os.path.join(self.dir, "extra.conf"), "w") as f:
                f.write(extra)
            e["RESTREAMER_NGINX_EXTRA"] = os.path.join(self.dir, "extra.conf")
        e.update(env or {})
        command = [os.path.join(ROOT, "deploy", "run"), "--base", self.base,
                   "--port", "0", "--server", web, "--cache", self.cache]
        if options:
            command += ["--", *map(str, options)]
        self.errors = open(os.path.join(self.dir, "run-errors"), "w+b")
        self.process = subprocess.Popen(
            command, env=e, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.errors, preexec_fn=_die_with_parent)
        at_end(self.stop)
        self.url = self._wait_ready()
        self.port = urllib.parse.urlsplit(self.url).port
        # The ready line has the prefix; paths are given with it.
        self.url = f"http://127.0.0.1:{self.port}/"
        self.master = None      # Apache's own processes have none
        if web != "apache-fcgid":
            with open(os.path.join(self.dir, "restreamer.pid")) as f:
                self.master = int(f.read())
            wait_for_workers(self)
        self.socket_path = os.path.join(self.dir, "restreamer.sock")

    def _wait_ready(self):
        # Building may be part of it, so the bound is generous.
        until, seen = time.monotonic() + 300, b""
        fd = self.process.stdout.fileno()
        while time.monotonic() < until:
            if select.select([fd], [], [], 1)[0]:
                chunk = os.read(fd, 65536)
                seen += chunk
                m = re.search(rb"^ready (\S+)$", seen, re.M)
                if m:
                    return m[1].decode()
                if not chunk:
                    break
        with open(os.path.join(self.dir, "run-errors"), "rb") as f:
            diag(f.read().decode("utf-8", "replace"))
        diag(seen.decode("utf-8", "replace"))
        bail_out("deploy/run did not get ready")

    def ask(self, path, headers=None, **more):
        """The answer, once there is a place for the request."""
        return wait_for(lambda: (a := self.get(path, headers, **more))
                        .status != 503 and a, "a slot")

    # One connection an answer; what a client sees and nothing tidied up.
    def get(self, path, headers=None, method="GET", body=None, timeout=PATIENCE):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        c._validate_path = lambda url: None
        c._encode_request = lambda request: request.encode("latin-1")
        try:
            c.putrequest(method, path, skip_accept_encoding=True)
            for key, value in (headers or {}).items():
                c.putheader(key, value)
            if body is not None:
                c.putheader("Content-Length", str(len(body)))
            c.endheaders(body)
            r = c.getresponse()
            whole = True
            try:
                data = r.read()
            except http.client.IncompleteRead as e:
                data, whole = e.partial, False
            return Answer(r.status, r.getheaders(), data, whole)
        finally:
            c.close()

    def head(self, path, headers=None):
        return self.get(path, headers, "HEAD")

    def raw(self, data, timeout=PATIENCE):
        """Sends bytes as they are; all that comes back until the close."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as s:
            s.sendall(data)
            out = b""
            while chunk := s.recv(65536):
                out += chunk
        return out

    def raw_get(self, target, method="GET", headers=""):
        """A request line that http.client would refuse to send."""
        if isinstance(target, str):
            target = target.encode()
        data = self.raw(method.encode() + b" " + target +
                        b" HTTP/1.0\r\nHost: x\r\n" + headers.encode() +
                        b"\r\n")
        return split_http(data)

    def metrics(self):
        return Metrics(self.get("/metrics").text)

    def log(self, name="restreamer.log"):
        try:
            with open(os.path.join(self.dir, name), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def workers(self):
        if self.master is None:
            return [p for p in descendants(self.process.pid)
                    if name_of(p) == "restreamer"]
        return workers_of(self.master)

    def helpers(self):
        return [] if self.master is None else helpers_of(self.master)

    def stop(self, number=signal.SIGTERM):
        """Stops it; the exit status of deploy/run."""
        if self.process.returncode is not None:
            return self.process.returncode      # stopped already
        if self.process.poll() is None:
            self.process.send_signal(number)
        else:
            ok(False, "deploy/run was there until the end",
               self.log("run-errors"))
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
            diag("deploy/run did not stop")
        self.process.stdout.close()
        self.errors.close()
        check_log(self.log())
        return status

    def wait_end(self):
        """Waits for deploy/run to end by itself: its exit status and words."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            status = None
        return status, self.log("run-errors")


_log_reports = re.compile(
    r"(?:ERROR: \w*Sanitizer|runtime error:|SUMMARY: \w*Sanitizer|"
    r"bug at |\bBUG\b|stack smashing|double free|Assertion).*")


def check_log(text):
    """Whatever a sanitizer or an assertion of ours said is a failure."""
    found = [m[0] for m in _log_reports.finditer(text)]
    if found:
        ok(False, "nothing in the log from sanitizers or assertions",
           "\n".join(found[:20]))
        start = text.index(found[0])
        diag(text[start:start + 6000])


def children(pid):
    """The living children of a process, zombies not counted."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry))
    return sorted(found)


def descendants(pid):
    found = children(pid)
    return found + [d for c in found for d in descendants(c)]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


# Heavy requests have processes of their own below a worker, or below the
# master once the worker that began them is gone; all are told by their name,
# never by another's lack: what is just begun or has just ended has none.
def workers_of(master):
    return [p for p in children(master) if name_of(p) == "restreamer-work"]


def wait_for_workers(server):
    """The first to be there answers; tests count on all of them."""
    m = re.search(r"with (\d+) workers", server.log())
    if m:
        wait_for(lambda: len(server.workers()) == int(m[1]), "all workers")


def helpers_of(master):
    return [p for p in descendants(master)
            if name_of(p) == "restreamer-heav"]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# --------------------------------------------- the program without a server

class Direct:
    """restreamer serve alone, spoken to in FastCGI."""

    def __init__(self, base, options=(), env=None, listen=None, cache=None,
                 ready=True, prefix="", **popen):
        ensure_built()
        self.dir = temp_dir("direct")
        self.base = getattr(base, "path", base)
        self.prefix = prefix
        self.address = os.path.join(self.dir, "sock")
        self.cache = cache or os.path.join(self.dir, "cache")
        if listen is None:
            listen = ["--listen", "unix:" + self.address]
        e = dict(os.environ)
        e.update(env or {})
        command = [PROGRAM, "serve", "--base", self.base, "--cache",
                   self.cache, *listen, *map(str, options)]
        self.log_path = os.path.join(self.dir, "log")
        popen.setdefault("stdin", subprocess.DEVNULL)
        before = popen.pop("preexec_fn", None)

        def prepare():
            _die_with_parent()
            if before:
                before()

        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, env=e, stdout=log,
                                            stderr=log, preexec_fn=prepare,
                                            **popen)
        self.master = self.process.pid
        at_end(self.stop)
        if ready:
            self.wait_ready()

    def wait_ready(self):
        def answers():
            if self.process.poll() is not None:
                diag(self.log())
                bail_out(f"serve ended with {self.process.returncode}")
            try:
                return self.ask(self.prefix + "/healthz", timeout=5).status == 200
            except OSError:
                return False
        wait_for(answers, "the server to answer")
        wait_for_workers(self)

    def ask(self, target, method="GET", headers=None, body=b"",
            timeout=PATIENCE, params=None, keep=False):
        return fastcgi(self.address, target, method, headers, body, timeout,
                       params, keep)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def workers(self):
        return workers_of(self.master)

    def helpers(self):
        return helpers_of(self.master)

    def stop(self, number=signal.SIGTERM):
        if self.process.returncode is not None:
            return self.process.returncode
        if self.process.poll() is None:
            self.process.send_signal(number)
        else:
            ok(False, "serve was there until the end", self.log()[-2000:])
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
            diag("serve did not stop")
        check_log(self.log())
        return status


# -------------------------------------------------- a small FastCGI client

FCGI_BEGIN, FCGI_ABORT, FCGI_END, FCGI_PARAMS, FCGI_STDIN, FCGI_STDOUT, \
    FCGI_STDERR = 1, 2, 3, 4, 5, 6, 7


def fcgi_record(kind, data=b"", request=1):
    return struct.pack(">BBHHBB", 1, kind, request, len(data), 0, 0) + data


def fcgi_pair(name, value):
    out = b""
    for part in (name, value):
        out += (bytes([len(part)]) if len(part) < 128
                else struct.pack(">I", len(part) | 1 << 31))
    return out + name + value


def fcgi_connect(address, timeout=PATIENCE):
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(address)
    return s


def fcgi_request(target, method="GET", headers=None, body=b"", params=None,
                 keep=False):
    """The bytes of a request, as a web server would write it."""
    target = target.encode() if isinstance(target, str) else target
    values = {"REQUEST_METHOD": method, "REQUEST_URI": target,
              "QUERY_STRING": target.partition(b"?")[2],
              "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1"}
    if body:
        values["CONTENT_LENGTH"] = str(len(body))
    for key, value in (headers or {}).items():
        values["HTTP_" + key.upper().replace("-", "_")] = value
    values.update(params or {})
    pairs = b"".join(
        fcgi_pair(k.encode(), v.encode() if isinstance(v, str) else v)
        for k, v in values.items() if v is not None)
    out = fcgi_record(FCGI_BEGIN, struct.pack(">HB5x", 1, 1 if keep else 0))
    for i in range(0, len(pairs), 65535):
        out += fcgi_record(FCGI_PARAMS, pairs[i:i + 65535])
    out += fcgi_record(FCGI_PARAMS)
    for i in range(0, len(body), 65535):
        out += fcgi_record(FCGI_STDIN, body[i:i + 65535])
    return out + fcgi_record(FCGI_STDIN)


def fcgi_read(s):
    """stdout, stderr, and whether the request was ended in order."""
    def exactly(count):
        data = b""
        while len(data) < count:
            chunk = s.recv(count - len(data))
            if not chunk:
                return None
            data += chunk
        return data

    out, errors = [], []
    try:
        while True:
            head = exactly(8)
            if head is None:
                return b"".join(out), b"".join(errors), False
            _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", head)
            data = exactly(length + padding)
            if data is None:
                return b"".join(out), b"".join(errors), False
            if kind == FCGI_STDOUT:
                out.append(data[:length])
            elif kind == FCGI_STDERR:
                errors.append(data[:length])
            elif kind == FCGI_END:
                return b"".join(out), b"".join(errors), True
    except ConnectionResetError:
        return b"".join(out), b"".join(errors), False


def fastcgi(address, target, method="GET", headers=None, body=b"",
            timeout=PATIENCE, params=None, keep=False):
    with fcgi_connect(address, timeout) as s:
        s.sendall(fcgi_request(target, method, headers, body, params, keep))
        out, errors, ended = fcgi_read(s)
    head, _, rest = out.partition(b"\r\n\r\n")
    pairs, status = [], 200
    for line in head.decode("latin-1").split("\r\n"):
        key, colon, value = line.partition(":")
        if not colon:
            continue
        if key.lower() == "status":
            status = int(value.split()[0])
        pairs.append((key, value.strip()))
    if not out:
        status = 0
    return Answer(status, pairs, rest, ended, errors)


# ------------------------------------------------------------------ metrics

# The text format, read strictly; see promtext.py.
sys.dont_write_bytecode = True
sys.path.insert(0, HELPER)
from promtext import Text as Metrics, fell      # noqa: E402


def promtool(*args, stdin=None):
    """(exit status, what it says), or None where it is not installed."""
    if not shutil.which("promtool"):
        return None
    p = subprocess.run(["promtool", *args], input=stdin, timeout=PATIENCE,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.returncode, p.stdout.decode("utf-8", "replace")


# --------------------------------------------------------------------- HLS

class Media:
    """A media playlist, read by RFC 8216; faults is what that forbids."""

    def __init__(self, text):
        self.faults, self.tags, self.items = [], {}, []
        self.ended, self.lines = False, text.splitlines()
        pending = {}
        if "\r" in text or not text.endswith("\n"):
            self.faults.append("line ends")
        if not self.lines or self.lines[0] != "#EXTM3U":
            self.faults.append("does not begin with #EXTM3U")
        for line in self.lines[1:]:
            if line.startswith("#EXTINF:"):
                m = re.fullmatch(r"#EXTINF:(\d+\.\d{3}),live", line)
                if not m:
                    self.faults.append(line)
                pending["duration"] = float(m[1]) if m else 0
            elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
                m = re.fullmatch(r"#EXT-X-PROGRAM-DATE-TIME:(\d{4}-\d\d-\d\dT"
                                 r"\d\d:\d\d:\d\d\.\d{6})Z", line)
                if not m:
                    self.faults.append(line)
                pending["time"] = m[1] if m else None
            elif line == "#EXT-X-DISCONTINUITY":
                pending["gap"] = True
            elif line == "#EXT-X-ENDLIST":
                self.ended = True
            elif line.startswith("#EXT"):
                key, _, value = line.partition(":")
                if key in self.tags:
                    self.faults.append(f"{key} twice")
                if self.items or pending:
                    self.faults.append(f"{key} after the first segment")
                self.tags[key] = value
            elif line and not line.startswith("#"):
                if "duration" not in pending:
                    self.faults.append(f"no EXTINF before {line}")
                if self.ended:
                    self.faults.append("a segment after ENDLIST")
                self.items.append({"uri": line, "gap": False, "time": None,
                                   "duration": 0, **pending})
                pending = {}
        if pending:
            self.faults.append(f"tags without a segment: {pending}")
        target = self.tags.get("#EXT-X-TARGETDURATION", "")
        if not target.isdigit():
            self.faults.append("TARGETDURATION is not an integer")
        elif any(int(i["duration"] + 0.5) > int(target) for i in self.items):
            self.faults.append("an EXTINF rounds to more than TARGETDURATION")
        if self.tags.get("#EXT-X-VERSION") != "3":
            self.faults.append("VERSION")
        if self.tags.get("#EXT-X-MEDIA-SEQUENCE") != "0":
            self.faults.append("MEDIA-SEQUENCE")
        vod = self.tags.get("#EXT-X-PLAYLIST-TYPE")
        if vod not in (None, "VOD", "EVENT"):
            self.faults.append(f"PLAYLIST-TYPE {vod}")
        if vod == "VOD" and not self.ended:
            self.faults.append("VOD without ENDLIST")

    @property
    def times(self):
        return [i["time"] for i in self.items]

    @property
    def gaps(self):
        return [n for n, i in enumerate(self.items) if i["gap"]]

    @property
    def uris(self):
        return [i["uri"] for i in self.items]


def attributes(line):
    """The attribute list of a tag, as {name: text}; strings unquoted."""
    return {k: v.strip('"') for k, v in re.findall(
        r'([A-Z0-9-]+)=("[^"]*"|[^,]*)', line.partition(":")[2])}


def read_master(text):
    """[(attributes of STREAM-INF, URI)], {group: attributes of MEDIA}."""
    variants, groups, pending = [], {}, None
    for line in text.splitlines():
        if line.startswith("#EXT-X-STREAM-INF:"):
            pending = attributes(line)
        elif line.startswith("#EXT-X-MEDIA:"):
            a = attributes(line)
            groups[a.get("GROUP-ID")] = a
        elif line and not line.startswith("#"):
            variants.append((pending, line))
            pending = None
    return variants, groups


# -------------------------------------------------------------------- load

class Background(threading.Thread):
    """Calls a function until told to stop; results are what it returned."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.results = function, []
        self.stopping = threading.Event()
        self.start()

    def run(self):
        while not self.stopping.is_set():
            try:
                self.results.append(self.function())
            except Exception as e:
                self.results.append(e)

    def end(self):
        self.stopping.set()
        self.join(PATIENCE)
        return self.results


class SlowClient:
    """Asks for something and reads it only as it is told to."""

    def __init__(self, server, path, headers=""):
        self.socket = socket.socket()
        # Small, so that what we do not read is soon held by the server.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}"
                            "Connection: close\r\n\r\n".encode())
        self.data = b""
        at_end(self.close)

    def read_head(self):
        while b"\r\n\r\n" not in self.data:
            chunk = self.socket.recv(4096)
            if not chunk:
                break
            self.data += chunk
        return split_http(self.data)

    def read(self, count):
        chunk = self.socket.recv(count)
        self.data += chunk
        return chunk

    def read_all(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        try:
            while chunk := self.socket.recv(1 << 20):
                self.data += chunk
        except ConnectionResetError:
            pass
        return split_http(self.data)

    def close(self):
        self.socket.close()


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def curl(*args, timeout=PATIENCE):
    """(exit status, stdout, stderr) of curl."""
    p = subprocess.run(["curl", "-sS", "--max-time", str(timeout), *args],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, p.stdout, p.stderr
