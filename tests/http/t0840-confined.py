#!/usr/bin/env python3
"""From inside a worker nothing can be opened but the archive and the cache."""
import platform

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
P = "/playlist/chan/source.m3u8?start=2024-03-01T10:00&end=2024-03-01T10:01"
PLACES = {"base": archive.path, "segment": paths[0], "outside": outside, "secret": secret, "link": os.path.join(link, "secret"), "root": "/", "etc": "/etc/passwd",
          "shadow": "/etc/shadow", "program": PROGRAM, "tmp": "/tmp", "dev": "/dev/null", "proc": "/proc/self/stat", "maker": os.path.join(archive.path, "chan")}


def found(options, **more):
    cache = temp_dir("cache")
    places = dict(PLACES, cache=cache)
    d = Direct(archive, ["--workers", "2", *options], cache=cache, env={"LD_PRELOAD": library, "TRY_OPEN": "\n".join(places.values())}, **more)
    same(d.ask(P).status, 200, f"{options}: it serves")
    wait_for(lambda: "tryopen: " + cache in d.log(), "the words of a worker")
    got = dict(re.findall(r"^tryopen: (\S+) (\S+)$", d.log(), re.M))
    for name in ("base", "outside", "root", "tmp", "maker", "cache"):
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
finish()
