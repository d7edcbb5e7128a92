#!/usr/bin/env python3
"""Workers die, are replaced, drained, reloaded; nobody is left without an answer."""
from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", t0, 30)
B = archive.run("big", "source", t0, 30, size=1 << 20)
P = "/playlist/chan/source.m3u8?start=2024-03-01T10:00:00&end=2024-03-01T10:01:00"
BIG = f"/cut/big/source.ts?type=rough&start={iso(t0)}&end={iso(t0 + seconds(60))}"
want_big = content(B)


def zombies(pid):
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as f:
                state, parent = f.read().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == pid:
            found.append(entry)
    return found


def attempt(function):
    """What it returns; None where the connection was broken."""
    try:
        return function()
    except (OSError, http.client.HTTPException):
        return None


def helpers(s):
    return [d for w in s.workers() for d in descendants(w)]


server = Server(archive, ["--workers", "4"])
good = server.get(P).body
def ask():
    try:
        a = server.get(P, timeout=20)
        return a.status == 200 and a.body == good or (a.status, len(a.body))
    except (OSError, http.client.HTTPException) as e:
        return repr(e)

# ------------------------------------------------------------------ HUP, recycling
old = set(server.workers())
load = [Background(ask) for _ in range(3)]
slow = SlowClient(server, BIG)
same(slow.read_head().status, 200, "HUP: a slow cut runs")
for _ in range(3):
    before = set(server.workers())
    os.kill(server.master, signal.SIGHUP)
    diag(time.monotonic());wait_for(lambda: not before & set(server.workers()) and len(server.workers()) >= 4, "new workers")
results = [r for b in load for r in b.end()]
same([r for r in results if r is not True], [], "HUP under load: no request fails")
ok(not old & set(server.workers()), "HUP: all workers are new")
ok(is_alive(server.master), "HUP: the master stays")
a = slow.read_all()
ok(a.status == 200 and a.body == want_big, "HUP: the slow cut gets all of it", (a.status, len(a.body)))


print(server.log(), server.log("nginx-error.log"))
finish()
