#!/usr/bin/env python3
"""Options, environment, and the ways to get a listening socket."""
import stat
import subprocess

from harness import *

ensure_built()
archive = Archive()
t0 = T("2024-03-01T10:00:00")
archive.run("chan", "source", t0, 5)
BASE = ["--base", archive.path, "--cache", "none"]


def refusal(*args, env=None):
    """What it says and ends with; a status of None if it does not end."""
    try:
        return run_program(*args, env=env, timeout=5)
    except subprocess.TimeoutExpired as e:
        return None, e.stdout or b"", e.stderr or b"it runs"


# ------------------------------------------------------------------ words
for args in (["--help"], ["serve", "--help"], ["cut", "--help"], ["help"]):
    status, out, err = run_program(*args)
    ok(status == 0 and len(out) > 200 and not err, f"{' '.join(args)}: help on standard output", (status, out[:200], err))
status, out, _ = run_program("--help")
for option in ("--base", "--cache", "--listen", "--socket-mode", "--workers", "--heavy-max", "--max-requests", "--prefix", "--sendfile", "--log", "--log-level", "--access-log",
               "--cache-max-mb", "--cache-validate", "--db", "--templates", "--max-range-hours", "--user"):
    ok(option.encode() in out, f"--help tells of {option}")
ok(max(map(len, out.decode().splitlines()), default=99) <= 80, "help fits a terminal")
status, out, err = run_program("--version")
ok(status == 0 and re.match(rb"restreamer \d", out), "--version", (status, out, err))
status, out, err = run_program()
ok(status != 0 and b"usage" in out + err, "no argument: says how to use it, and fails", (status, out[:100], err))
for args in (["nonsense"], ["--nonsense"], ["serve", "--nonsense"], ["serve", "--port", "80"], ["serve", "word"], ["serve", "--workers", "x"], ["serve", "--workers", "-1"],
             ["serve", "--workers"], ["serve", "--workers", "1e3"], ["serve", "--workers", "99999999999"], ["serve", "--heavy-max", "0"], ["serve", "--socket-mode", "0999"],
             ["serve", "--socket-mode", "rw"], ["serve", "--sendfile", "maybe"], ["serve", "--sendfile", "accel:"], ["serve", "--sendfile", "accel:x"],
             ["serve", "--log-level", "loud"], ["serve", "--cache-validate", "no"], ["serve", "--prefix", "x"], ["serve", "--prefix", "/x/"],
             ["serve", "--listen", "nonsense"], ["serve", "--listen", "unix:"], ["serve", "--listen", "127.0.0.1:x"], ["serve", "--listen", "127.0.0.1:99999"],
             ["serve", "--listen", "unix:/" + "x" * 200], ["serve", "--listen", "unix:/no/such/dir/sock"]) + ((["serve", "--user", "no-such-user"],) if os.geteuid() == 0 else ()):
    extra = BASE if args[:1] == ["serve"] else []
    status, out, err = refusal(*args, *extra)
    ok(status not in (0, None) and err and not out, f"{' '.join(args)[:50]}: refused with words", (status, out[:100], err))
    if len(args) > 1:
        ok(args[1].lstrip("-").encode() in err or args[-1].removeprefix("unix:").encode()[:20] in err, f"{' '.join(args)[:50]}: and which", err)
status, out, err = refusal("serve", "--base", "/no/such/dir", "--cache", "none", "--listen", "unix:" + temp_dir() + "/s")
ok(status not in (0, None) and b"/no/such/dir" in err, "a base that is not there: said, and it ends", (status, err))

# ------------------------------------------------------------------ environment
d = Direct(archive, env={"RESTREAMER_WORKERS": "3", "RESTREAMER_PREFIX": "/env"}, prefix="/env")
same(len(d.workers()), 3, "RESTREAMER_WORKERS")
a = d.ask("/env/playlist/chan/source.m3u8")
ok(a.status == 200 and "/env/segments/" in a.text, "RESTREAMER_PREFIX", a)
d.stop()
d = Direct(archive, ["--workers", "1"], env={"RESTREAMER_WORKERS": "3"})
same(len(d.workers()), 1, "an option goes before its environment variable")
d.stop()
status, out, err = refusal("serve", *BASE, env={"RESTREAMER_WORKERS": "many"})
ok(status not in (0, None) and b"workers" in err.lower(), "a bad environment variable is refused", (status, err))

# ------------------------------------------------------------------ sockets
d = Direct(archive)
same(stat.S_IMODE(os.stat(d.address).st_mode), 0o660, "the socket's mode by default")
d.stop()
d = Direct(archive, ["--socket-mode", "0600"])
same(stat.S_IMODE(os.stat(d.address).st_mode), 0o600, "--socket-mode")
d.stop()


def free_port(family=socket.AF_INET, host="127.0.0.1"):
    with socket.socket(family) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


port = free_port()
d = Direct(archive, listen=["--listen", f"127.0.0.1:{port}"], ready=False)
d.address = ("127.0.0.1", port)
d.wait_ready()
same(d.ask("/files").json, ["chan"], "--listen HOST:PORT")
other = Direct(archive, listen=["--listen", f"127.0.0.1:{port}"], ready=False)
try:
    code = other.process.wait(15)
except subprocess.TimeoutExpired:
    code = None
ok(code not in (0, None) and str(port) in other.log(), "a port in use is refused", (code, other.log()))
d.stop()
try:
    port = free_port(socket.AF_INET6, "::1")
except OSError:
    skip("--listen [::1]:PORT", "no IPv6 here")
else:
    d = Direct(archive, listen=["--listen", f"[::1]:{port}"], ready=False)
    d.address = ("::1", port)
    d.wait_ready()
    same(d.ask("/files").json, ["chan"], "--listen [::1]:PORT")
    d.stop()


def listener():
    path = os.path.join(temp_dir("listen"), "sock")
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(100)
    return s, path


s, path = listener()
d = Direct(archive, listen=[], ready=False, stdin=s)
d.address = path
d.wait_ready()
same(d.ask("/files").json, ["chan"], "a listening socket as file descriptor 0")
d.stop()
ok(os.path.exists(path), "which is left to whoever made it")
d = Direct(archive, ["--workers", "0"], listen=[], ready=False, stdin=s)
d.address = path
d.wait_ready()
same([d.ask("/files").json for _ in range(3)], [["chan"]] * 3, "--workers 0: in this one process")
same(len([p for p in d.workers()]), 0, "without workers")
a = d.ask(f"/cut/chan/source.ts?type=rough&start={iso(t0)}&end={iso(t0 + seconds(10))}")
same((a.status, len(a.body), a.whole), (200, 5000, True), "a cut from one process")
same(d.ask("/metrics").status, 200, "metrics of one process")
d.stop()

# The same program by another name, as a web server starts it.
link = os.path.join(temp_dir("fcgi"), "restreamer.fcgi")
os.symlink(PROGRAM, link)
p = subprocess.Popen([link], stdin=s, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={"RESTREAMER_BASE": archive.path, "RESTREAMER_CACHE": "none"})
at_end(p.kill)
try:
    a = wait_for(lambda: p.poll() is None and fastcgi(path, "/files"), "the .fcgi to answer", 15)
    same(a.json, ["chan"], "called *.fcgi it serves")
except TimeoutError:
    ok(False, "called *.fcgi it serves", p.stderr.read() if p.poll() is not None else None)
p.terminate()
p.wait(PATIENCE)
p.stderr.close()
s.close()

s, path = listener()


script = 'exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
d2 = temp_dir("listen-fds")
with open(os.path.join(d2, "log"), "wb") as log:
    p = subprocess.Popen(["bash", "-c", script, "bash", PROGRAM, "serve", *BASE], stdin=s, stdout=log, stderr=log)
at_end(p.kill)
try:
    a = wait_for(lambda: p.poll() is None and fastcgi(path, "/files"), "LISTEN_FDS to answer", 15)
    same(a.json, ["chan"], "LISTEN_FDS")
except TimeoutError:
    with open(os.path.join(d2, "log")) as f:
        ok(False, "LISTEN_FDS", f.read())
p.terminate()
same(p.wait(PATIENCE), 0, "LISTEN_FDS: TERM ends it")
s.close()

# ------------------------------------------------------------------ log
log = os.path.join(temp_dir("log"), "restreamer.log")
d = Direct(archive, ["--log", log])
d.ask("/files")
ok(os.path.getsize(log) > 0, "--log writes there", d.log())
os.rename(log, log + ".1")
d.process.send_signal(signal.SIGUSR1)
wait_for(lambda: os.path.exists(log), "the log to be opened again")
ok(True, "USR1 opens the log again")
d.stop()
ok(os.path.getsize(log) > 0, "and goes on there")

# ------------------------------------------------------------------ cache
if os.geteuid() == 0:
    # root may write anywhere but where nobody can.
    unwritable = "/proc/no-such-cache"
else:
    unwritable = temp_dir("unwritable")
    os.chmod(unwritable, 0o555)
d = Direct(archive, cache=unwritable)
same([d.ask("/playlist/chan/source.m3u8").status for _ in range(5)], [200] * 5, "an unwritable cache: it runs uncached")
said = [l for l in d.log().splitlines() if "cache" in l.lower()]
ok(1 <= len(said) <= 1 + len(d.workers()), "and says so, once", said)
same(d.ask("/healthz").status, 200, "/healthz all the same")
d.stop()
full = temp_dir("full")
if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", full], stderr=subprocess.DEVNULL).returncode == 0:
    at_end(lambda: subprocess.run(["umount", "-l", full]))
    many = Archive()
    for h in range(4):
        many.run("chan", "source", T(f"2024-03-01T1{h}:00:00"), 900, 4, size=0)
    many.age(3)
    d = Direct(many, cache=full)
    sizes = [len(Media(d.ask("/playlist/chan/source.m3u8").text).items) for _ in range(3)]
    same(sizes, [3600] * 3, "a full cache: right answers")
    leftover = [n for _, _, names in os.walk(full) for n in names if not n.endswith(".idx")]
    ok(not [n for n in leftover if "tmp" in n], "a full cache: nothing half written", leftover)
    d.stop()
else:
    skip("a full cache", "cannot mount a small file system")

# The index is used: stored for quiet hours, and true when damaged.
quiet = Archive()
paths = quiet.run("chan", "source", t0, 100)
quiet.age(4)
cache = temp_dir("cache")
d = Direct(quiet, cache=cache)
good = d.ask("/playlist/chan/source.m3u8").body


def attempt(function):
    try:
        return function()
    except OSError:
        return None


def stored():
    return [os.path.join(f, n) for f, _, names in os.walk(cache) for n in names if n.endswith(".idx")]


# Stored after the answer, not before it.
files = wait_for(stored, "the index to be stored", 15)
same(len(files), 1, "a quiet hour is stored")
d.stop()
whole = content(files)
for what, data in (("empty", b""), ("short", whole[:100]), ("truncated", whole[:-1]), ("longer", whole + b"x"), ("a flipped bit", whole[:500] + bytes([whole[500] ^ 4]) + whole[501:]),
                   ("junk", b"\xff" * 5000), ("of zeroes", bytes(len(whole)))):
    with open(files[0] + ".new", "wb") as f:
        f.write(data)
    os.rename(files[0] + ".new", files[0])
    d = Direct(quiet, cache=cache)
    same(d.ask("/playlist/chan/source.m3u8").body, good, f"an index that is {what}: the right answer")
    ok(wait_for(lambda: attempt(lambda: len(content(files)) == len(whole) and content(files)[:8] == whole[:8]), "a new one", 15),
       f"an index that is {what}: made again")
    d.stop()
finish()
