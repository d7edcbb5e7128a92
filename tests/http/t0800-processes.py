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


# ------------------------------------------------------------------ kill -9 under load
server = Server(archive, ["--workers", "4"])
good = server.get(P).body
same(len(server.workers()), 4, "--workers 4: four")


def ask():
    try:
        a = server.get(P, timeout=20)
        return a.status == 200 and a.body == good or (a.status, len(a.body))
    except (OSError, http.client.HTTPException) as e:
        return repr(e)


load = [Background(ask) for _ in range(4)]
kills, last, falls = 0, server.metrics(), []
until = time.monotonic() + 6
while time.monotonic() < until:
    found = server.workers()
    if found:
        os.kill(archive.random.choice(found), signal.SIGKILL)
        kills += 1
    pause = time.monotonic() + 0.1
    while time.monotonic() < pause:
        try:
            now = server.metrics()
        except (OSError, http.client.HTTPException):
            continue
        if now.series:
            falls += fell(last, now)
            last = now
results = [r for b in load for r in b.end()]
failed = [r for r in results if r is not True]
diag(f"{kills} kills, {len(results)} requests, {len(failed)} failed")
ok(kills > 5 and len(results) > 50, "workers were killed under load", (kills, len(results)))
ok(len(failed) <= kills, "at most one request fails for each", failed[:10])
ok(not falls, "no counter fell over the kills", falls[:5])
same([r for r in (ask() for _ in range(50)) if r is not True], [], "none fails afterwards")
wait_for(lambda: len(server.workers()) == 4, "four workers again")
ok(True, "and there are four workers again")
restarts = [n for n in server.metrics().types if "restart" in n]
ok(restarts and (server.metrics().get(restarts[0]) or 0) >= kills * 0.9, "the restarts are counted", [(n, server.metrics().get(n)) for n in restarts])
wait_for(lambda: not zombies(server.master), "the dead to be reaped")
ok(True, "no zombies")
same(server.get("/healthz").status, 200, "/healthz is 200")
ok(re.search(r"signal 9|SIGKILL|killed", server.log(), re.I), "the log says what happened", server.log()[-500:])

# ------------------------------------------------------------------ HUP, recycling
old = set(server.workers())
load = [Background(ask) for _ in range(3)]
slow = SlowClient(server, BIG)
same(slow.read_head().status, 200, "HUP: a slow cut runs")
for _ in range(3):
    before = set(server.workers())
    os.kill(server.master, signal.SIGHUP)
    wait_for(lambda: not before & set(server.workers()) and len(server.workers()) == 4, "new workers")
    some = len(load[0].results)
    wait_for(lambda: len(load[0].results) > some + 5, "answers from them")
results = [r for b in load for r in b.end()]
ok(len(results) > 3, "HUP: there was load", len(results))
same([r for r in results if r is not True], [], "HUP under load: no request fails")
same(len(server.helpers()), 1, "HUP: the slow cut runs on")
ok(not old & set(server.workers()), "HUP: all workers are new")
ok(is_alive(server.master), "HUP: the master stays")
a = slow.read_all()
ok(a.status == 200 and a.body == want_big, "HUP: the slow cut gets all of it", (a.status, len(a.body)))
ok(not fell(last, server.metrics()), "HUP: counters go on", fell(last, server.metrics())[:5])

# Early deaths are throttled, not a storm of forks, and do not last.
status = server.stop()
same(status, 0, "stopped")

recycled = Server(archive, ["--workers", "2", "--max-requests", "20"])
server = recycled
first = set(recycled.workers())
load = [Background(ask) for _ in range(3)]
wait_for(lambda: not first & set(recycled.workers()), "all workers to be replaced")
results = [r for b in load for r in b.end()]
same([r for r in results if r is not True], [], "--max-requests: replaced without a failing request")
ok(True, "--max-requests: every first worker is gone")
recycled.stop()

# ------------------------------------------------------------------ QUIT drains, TERM does not wait for ever
for number, name in ((signal.SIGQUIT, "QUIT"),):
    d = Direct(archive, ["--workers", "2"])
    s = fcgi_connect(d.address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(fcgi_request(BIG))
    start = s.recv(1000)
    ok(start, f"{name}: a cut has begun")
    d.process.send_signal(number)

    class Rest:
        """What was read already, then the socket."""
        def __init__(self):
            self.first = start

        def recv(self, n):
            if self.first:
                out, self.first = self.first[:n], self.first[n:]
                return out
            return s.recv(n)

    out, _, ended = fcgi_read(Rest())
    ok(ended and out.partition(b"\r\n\r\n")[2] == want_big, f"{name}: the running cut gets all of it, in order", (ended, len(out)))
    s.close()
    same(d.process.wait(PATIENCE), 0, f"{name}: then it exits with 0")
    ok(not os.path.exists(d.address), f"{name}: the socket is gone")

d = Direct(archive, ["--workers", "2", "--stop-timeout", "1"])
s = fcgi_connect(d.address)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.sendall(fcgi_request(BIG))
start = s.recv(1000)
pids = descendants(d.master)
d.process.send_signal(signal.SIGTERM)
same(d.process.wait(PATIENCE), 0, "TERM with a stalled cut: exits with 0 all the same")
wait_for(lambda: not any(map(is_alive, pids)), "its processes to end")
out, _, ended = fcgi_read(s)
ok(not ended, "TERM: the stalled cut is broken off, not ended in order")
s.close()
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
    d = Direct(archive, ["--workers", "2"])
    pids = descendants(d.master)
    same(d.stop(number), 0, f"idle, signal {number}: exits with 0")
    ok(not any(map(is_alive, pids)) and not os.path.exists(d.address), f"idle, signal {number}: nothing stays")

# The master dies: its workers do not serve on as orphans.
d = Direct(archive, ["--workers", "2"])
pids = descendants(d.master)
os.kill(d.master, signal.SIGKILL)
d.process.wait()
try:
    wait_for(lambda: not any(map(is_alive, pids)), "workers to notice", 15)
    ok(True, "kill -9 of the master: its workers end")
except TimeoutError:
    ok(False, "kill -9 of the master: its workers end", pids)
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
# And what it left behind does not keep a new one from starting.
again = Direct(archive, ["--workers", "1"], listen=["--listen", "unix:" + d.address], ready=False)
again.address = d.address
again.wait_ready()
ok(True, "a socket left behind is taken over")
second = Direct(archive, [], listen=["--listen", "unix:" + d.address], ready=False)
try:
    code = second.process.wait(15)
except subprocess.TimeoutExpired:
    code = None
ok(code not in (0, None), "a socket in use is not", (code, second.log()))
same(again.ask("/files").status, 200, "and whoever has it goes on")

# ------------------------------------------------------------------ admission
one = Server(archive, ["--workers", "4", "--heavy-max", "1"])
server = one
slow = SlowClient(one, BIG)
same(slow.read_head().status, 200, "--heavy-max 1: the first cut runs")
began = time.monotonic()
a = one.get(BIG)
same(a.status, 503, "--heavy-max 1: the second is 503")
ok((a["retry-after"] or "").isdigit() and a.body.count(b"\n") == 1, "with Retry-After and a line", a)
ok(time.monotonic() - began < 10, "at once")
same(ask(), True, "light requests are answered beside it")
same(one.get("/healthz").status, 200, "/healthz is 200 beside it")
m = one.metrics()
refused = [n for n in m.types if re.search("refused", n)]
ok(refused and m.get(refused[0]) >= 1, "the refusal is counted", refused)
a = slow.read_all()
same(a.body == want_big, True, "the first gets all of it")
wait_for(lambda: not one.helpers(), "its process to end")
same(wait_for(lambda: one.get(BIG).body == want_big, "the slot to be free", 20), True, "then another may run")
statuses = [one.get(BIG).status for _ in range(50)]
same(set(statuses), {200}, "one after the other, no cut meets the slot of the one before")
wait_for(lambda: not one.helpers(), "its process to end")
# Killed, its slot is free again.
slow = SlowClient(one, BIG)
same(slow.read_head().status, 200, "a cut runs")
for pid in one.helpers():
    os.kill(pid, signal.SIGKILL)
same(wait_for(lambda: one.get(BIG).body == want_big, "the slot to be free", 20), True, "kill -9 of its process gives the slot back")
slow = SlowClient(one, BIG)
same(slow.read_head().status, 200, "a cut runs")
for pid in one.workers():
    os.kill(pid, signal.SIGKILL)
slow.close()
same(wait_for(lambda: attempt(lambda: one.get(BIG).body == want_big), "the slot to be free", 20), True, "kill -9 of all workers leaves no slot taken")
one.stop()

# ------------------------------------------------------------------ hostile peers
d = Direct(archive, ["--workers", "2", "--read-timeout", "1"])
silent = [fcgi_connect(d.address) for _ in range(6)]
for s in silent[:3]:
    s.sendall(fcgi_request("/files")[:20])
try:
    a = wait_for(lambda: attempt(lambda: d.ask("/files", timeout=5).status == 200), "an answer beside silent peers", 30)
    ok(a, "peers that say half a word do not hold the workers for ever")
except TimeoutError as e:
    ok(False, "peers that say half a word do not hold the workers for ever", e)
for s in silent:
    s.close()
for junk in (b"", b"GET / HTTP/1.0\r\n\r\n", b"\x01" * 100, b"\xff" * 70000, fcgi_record(FCGI_PARAMS, b"x" * 100), fcgi_record(9, b"FCGI_MAX_CONNS"),
             fcgi_record(FCGI_BEGIN, struct.pack(">HB5x", 2, 0)), fcgi_record(FCGI_BEGIN, struct.pack(">HB5x", 1, 0)) + fcgi_record(FCGI_ABORT),
             fcgi_request("/files")[:-8] + b"junk" * 10, fcgi_request(BIG)):
    try:
        with fcgi_connect(d.address) as s:
            s.sendall(junk)
    except OSError:
        pass
wait_for(lambda: attempt(lambda: d.ask("/files", timeout=5).status == 200), "answers after junk")
same(d.ask("/files").json, ["big", "chan"], "junk on the socket does no harm")
d.stop()
finish()
