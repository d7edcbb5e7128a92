#!/usr/bin/env python3
"""From inside a worker nothing can be opened but the archive and the cache."""
import contextlib
import itertools

from harness import *

ensure_built()
with open(PROGRAM, "rb") as f:
    if b"__asan_init" in f.read():
        skip_all("a sanitizer reads what it likes")
libc = ctypes.CDLL(None, use_errno=True)
LANDLOCK = 444      # of every architecture
if libc.syscall(LANDLOCK, None, 0, 1) < 1:
    skip_all("this kernel has no Landlock")
work = temp_dir("tryopen")
library = os.path.join(work, "tryopen.so")
p = subprocess.run(["cc", "-shared", "-fPIC", "-o", library, os.path.join(HELPER, "tryopen.c"), "-ldl"], stderr=subprocess.PIPE)
if p.returncode:
    skip_all("there is no compiler: " + p.stderr.decode("utf-8", "replace")[:100])

archive = Archive()
t0 = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", t0, 5)
outside = temp_dir("outside")
secret = os.path.join(outside, "secret")
with open(secret, "w") as f:
    f.write("secret")
link = os.path.join(archive.path, "chan", "way-out")
os.symlink(outside, link)
www = temp_dir("www")
with open(os.path.join(www, "index.html"), "w") as f:
    f.write("the page")
P = "/playlist/chan/source.m3u8?start=2024-03-01T10:00&end=2024-03-01T10:01"
PLACES = {"base": archive.path, "segment": paths[0], "outside": outside, "secret": secret, "link": os.path.join(link, "secret"), "root": "/", "etc": "/etc/passwd",
          "shadow": "/etc/shadow", "program": PROGRAM, "tmp": "/tmp", "dev": "/dev/null", "proc": "/proc/self/stat", "maker": os.path.join(archive.path, "chan"),
          "www": www, "index": os.path.join(www, "index.html")}


def found(options, **more):
    cache = temp_dir("cache")
    places = dict(PLACES, cache=cache)
    d = Direct(archive, ["--workers", "2", *options], cache=cache, env={"LD_PRELOAD": library, "TRY_OPEN": "\n".join(places.values())}, **more)
    same(d.ask(P).status, 200, f"{options}: it serves")
    wait_for(lambda: "tryopen: " + cache in d.log(), "the words of a worker")
    got = dict(re.findall(r"^tryopen: (\S+) (\S+)$", d.log(), re.M))
    for name in ("base", "outside", "root", "tmp", "maker", "cache", "www"):
        try:
            os.unlink(os.path.join(places[name], "made-by-tryopen"))
        except OSError:
            pass
    return d, {name: got.get(path) for name, path in places.items()}


d, got = found([])
same({k: v for k, v in got.items() if k in ("base", "maker")}, {"base": "r--", "maker": "r--"}, "the archive can be read, and nothing be made in it")
same(got["segment"], "r--", "a segment can be read, not written")
same(got["cache"], "r-c", "in the cache files can be made")
same({k: v for k, v in got.items() if k in ("outside", "secret", "link", "root", "etc", "shadow", "program", "tmp", "dev")},
     dict.fromkeys(("outside", "secret", "link", "root", "etc", "shadow", "program", "tmp", "dev"), "---"),
     "nothing outside can be opened, not over a link either")
same(got["proc"], "r--", "/proc can be read, for the metrics")

same((got["www"], got["index"]), ("---", "---"), "nor a page that is not --www")
d.stop()
d, got = found(["--www", www])
same((got["www"], got["index"], got["secret"]), ("r--", "r--", "---"), "--www can be read, and nothing be made in it")
same(d.ask("/").text, "the page", "and is served")

# What is replaced under it: by a process that may open what is there now.
workers = set(d.workers())
other = Archive()
other.run("other", "source", t0, 5)
os.rename(archive.path, archive.path + ".old")
at_end(lambda: shutil.rmtree(archive.path + ".old", ignore_errors=True))
os.rename(other.path, archive.path)
same(d.ask("/files").json, ["other"], "another directory in the archive's place is served at once")
ok(set(d.workers()) - workers, "by another worker")
os.rename(archive.path, other.path)
os.rename(archive.path + ".old", archive.path)
same(d.ask("/files").json, ["chan"], "and the first one again")
shutil.rmtree(d.cache)
same(d.ask(P).status, 200, "without the cache directory it answers")
time.sleep(2.1)     # the hour has settled before the index is written
wait_for(lambda: d.ask(P).status == 200 and os.path.isdir(os.path.join(d.cache, "v1")), "a new cache")
ok(True, "and it is made again")
os.kill(d.master, signal.SIGHUP)
same(d.stop(), 0, "stopped")

d, got = found(["--allow-write"])
same((got["base"], got["maker"], got["secret"], got["etc"]), ("r-c", "r-c", "---", "---"), "--allow-write: the archive can be written, nothing else")
d.stop()
d, got = found(["--unconfined"])
same((got["secret"], got["etc"]), ("rwc"[:2] + "-" if os.access(secret, os.W_OK) else "r--", "rw-" if os.access("/etc/passwd", os.W_OK) else "r--"),
     "--unconfined: whatever its user may")
d.stop()
templates = temp_dir("templates")
log = os.path.join(templates, "log")
d, got = found(["--log", log, "--workers", "1"])
os.rename(log, log + ".1")
os.kill(d.master, signal.SIGUSR1)
wait_for(lambda: d.ask("/nowhere").status == 404 and os.path.exists(log), "the log to be opened again")
ok(not os.path.samefile(log, log + ".1"), "--log: opened again by a worker that is confined")
same(got["secret"], "---", "--log: nothing else is")
d.stop()


# ------------------------------------------------------------------ a log that moves
def lines_of(path):
    with contextlib.suppress(OSError), open(path) as f:
        return f.read()
    return ""


def lines_in(path):
    """Which process has said what it was asked, there and nowhere else."""
    id = f"line-{next(numbers)}"
    same(d.ask("/nowhere", params={"REQUEST_ID": id}).status, 404, f"{id} is answered")
    m = re.search(rf" pid=(\d+) module=access req={id} ", lines_of(path))
    ok(m, f"{id} is in the log that was made again", lines_of(path)[-500:])
    return m and int(m[1])


def rotate(what):
    """USR1, and by when it is followed: every worker has that file, or is another."""
    os.kill(d.master, signal.SIGUSR1)
    wait_for(lambda: os.path.exists(log), f"{what}: the log to be made again")
    here = os.stat(log)
    wait_for(lambda: all((here.st_dev, here.st_ino) in files_of(p) for p in d.workers()) and len(d.workers()) == 2, f"{what}: all workers to have it", 20)
    pids = {lines_in(log) for _ in range(6)}
    ok(pids <= set(d.workers()), f"{what}: lines of its workers", pids)
    return pids


def files_of(pid):
    found = set()
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                st = os.stat(f"/proc/{pid}/fd/{fd}")
                found.add((st.st_dev, st.st_ino))
    return found


numbers = itertools.count()
home, shelf = temp_dir("home"), temp_dir("shelf")
log, real = os.path.join(home, "log"), os.path.join(shelf, "real")
os.symlink(os.path.relpath(real, home), os.path.join(home, "hop"))
os.symlink("hop", log)
d, got = found(["--log", log], )
same(got["outside"], "---", "--log, a link: nothing else is opened")
before = set(d.workers())
os.rename(real, real + ".1")
rotate("a link, its file moved")
ok(os.path.exists(real) and set(d.workers()) <= before, "by the workers that were there")
os.rename(log, log + ".1")
rotate("a link, itself moved")
ok(not os.path.islink(log) and os.path.exists(log), "into the directory of the link")
os.unlink(log)
os.symlink("hop", log)
os.unlink(real)
rotate("a link again")
for what, gone in (("renamed", lambda: os.rename(shelf, shelf + ".old")), ("removed", lambda: shutil.rmtree(shelf))):
    before = set(d.workers())
    gone()
    os.mkdir(shelf)
    rotate(f"its directory {what} and made anew")
    ok(not before & set(d.workers()), f"{what}: by other workers")
    ok("cannot open the log again" not in lines_of(os.path.join(shelf + ".old", "real")), f"{what}: nobody has failed")
at_end(lambda: shutil.rmtree(shelf + ".old", ignore_errors=True))

# Away for a moment: nobody is replaced, however often one looks.
before = set(d.workers())
os.rename(shelf, shelf + ".moment")
pids = {d.ask("/nowhere").status for _ in range(20)}
same((pids, set(d.workers())), ({404}, before), "its directory is away: the workers stay")
os.rename(shelf + ".moment", shelf)
pids = {lines_in(log) for _ in range(10)}
same(set(d.workers()), before, "and stay when it is back")

# Anew without a word of it: each worker is replaced once, and no more.
os.rename(shelf, shelf + ".older")
at_end(lambda: shutil.rmtree(shelf + ".older", ignore_errors=True))
os.mkdir(shelf)
wait_for(lambda: d.ask("/nowhere").status == 404 and len(d.workers()) == 2 and not before & set(d.workers()), "other workers", 20)
before = set(d.workers())
same(({d.ask("/nowhere").status for _ in range(40)}, set(d.workers())), ({404}, before), "a worker is replaced once")

# A heavy process under way has the rules of its worker: what it cannot write here it writes where it did.
big = archive.run("big", "source", t0, 30, size=1 << 20)
rotate("again")
s = fcgi_connect(d.address)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
s.sendall(fcgi_request(f"/cut/big/source.ts?type=rough&start={iso(t0)}&end={iso(t0 + seconds(60))}", params={"REQUEST_ID": "heavy-one"}))
wait_for(lambda: helpers_of(d.master), "a heavy process")
os.rename(shelf, shelf + ".heavy")
at_end(lambda: shutil.rmtree(shelf + ".heavy", ignore_errors=True))
os.mkdir(shelf)
rotate("while a cut is sent")
fcgi_read(s)
wait_for(lambda: not helpers_of(d.master), "its end")
both = lines_of(os.path.join(shelf + ".heavy", "real")) + lines_of(log)
same(len(re.findall(" module=access req=heavy-one ", both)), 1, "the line of a cut under way is in the one or the other")
like(lines_of(os.path.join(shelf + ".heavy", "real")), "cannot open the log again", "and that the old one is gone on with is said")
d.stop()
finish()
