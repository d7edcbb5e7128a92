#!/usr/bin/env python3
"""The metrics are what was done, to the request, whoever is killed meanwhile.

A request whose process is killed may be counted or not: its answer is broken.
One that was answered wholly is counted once, always.  So of every endpoint,
method and status: whole <= counted <= whole + broken.
"""
from collections import Counter

from harness import *

KILLS, REQUESTS, THREADS = 100, 10000, 6
L, C = "http_request_latency", "http_request_concurrency"

archive = Archive()
t0 = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", t0, 10, size=20000)
archive.run("wide", "source", t0, 30, size=60000)
R = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:20"
WIDE = "start=2024-03-01T10:00:00&end=2024-03-01T10:01:00"
SEGMENT = f"/segments/chan/source/2024-03-01T10/{urllib.parse.quote(os.path.basename(paths[3]))}"
CUT = f"/cut/chan/source.ts?type=rough&{R}"

# (endpoint, method, path, headers, status); what is slow or large more rarely.
KINDS = 6 * [
    ("list_channels", "GET", "/files", {}, 200),
    ("list_channels", "HEAD", "/files", {}, 200),
    ("list_channels", "GET", "/files?unknown=1", {"If-None-Match": "*"}, 304),
    ("list_channels", "GET", "/files", {"If-Match": '"x"'}, 412),
    ("list_qualities", "GET", "/files/chan", {}, 200),
    ("list_qualities", "GET", "/files/nope", {}, 200),
    ("list_hours", "GET", "/files/chan/source", {}, 200),
    ("list_hours", "GET", "/files/chan/.x", {}, 403),
    ("list_segments", "GET", "/files/chan/source/2024-03-01T10", {}, 200),
    ("list_segments", "GET", "/files/chan/source/2024-03-01T10", {"Accept-Encoding": "gzip"}, 200),
    ("list_extras", "GET", "/extras/nope", {}, 200),
    ("generate_master_playlist", "GET", f"/playlist/chan.m3u8?{R}", {}, 200),
    ("generate_media_playlist", "GET", f"/playlist/chan/source.m3u8?{R}", {}, 200),
    ("generate_media_playlist", "GET", f"/playlist/chan/source.m3u8?{R}", {"Range": "bytes=5-50"}, 206),
    ("generate_media_playlist", "GET", f"/playlist/chan/source.m3u8?{R}", {"Range": "bytes=999999-"}, 416),
    ("generate_media_playlist", "GET", "/playlist/chan/source.m3u8?start=x", {}, 400),
    ("generate_media_playlist", "HEAD", f"/playlist/chan/source.m3u8?{R}", {}, 200),
    ("none", "GET", "/no/such/url", {}, 404),
    ("list_channels", "OPTIONS", "/files", {}, 204),
    ("list_channels", "POST", "/files", {}, 405),
    ("list_channels", "OTHER", "/files", {}, 405),
    ("healthz", "GET", "/healthz", {}, 200),
] + [
    ("cut", "GET", CUT, {}, 200),
    ("cut", "HEAD", CUT, {}, 200),
    ("cut", "GET", CUT, {"Range": "bytes=100-30000"}, 206),
    ("cut", "GET", f"/cut/wide/source.ts?type=rough&{WIDE}", {}, 200),
    ("cut", "GET", "/cut/chan/source.ts?type=rough&start=2030-01-01&end=2030-01-02", {}, 406),
    ("cut", "GET", "/cut/chan/source.ts?type=nonsense", {}, 400),
]
# A path that is refused before it is looked at has no endpoint.
KINDS = [("none" if status == 403 else endpoint, *rest, status) for endpoint, *rest, status in KINDS]


class Tally:
    """What a client saw of its requests."""

    def __init__(self):
        self.whole, self.broken, self.odd = Counter(), Counter(), []
        self.lock = threading.Lock()

    def ask(self, ask, kind):
        endpoint, method, path, headers, status = kind
        key = (endpoint, method, str(status))
        try:
            a = ask(path, method="DELETE" if method == "OTHER" else method, headers=headers)
        except (OSError, http.client.HTTPException):
            a = None
        with self.lock:
            if a is None or not a.whole or a.status in (0, 502, 504):
                self.broken[key] += 1
            elif a.status != status:
                self.odd.append((kind, a.status, a.text[:80]))
            else:
                self.whole[key] += 1
        return a


def counted(m, family="all"):
    """{(endpoint, method, status): count}"""
    out = Counter()
    for (name, labels), value in m.series.items():
        if name.startswith(L) and name.endswith("_count") and (name == f"{L}_all_count") == (family == "all"):
            labels = dict(labels)
            out[labels["endpoint"], labels["method"], labels["status"]] += int(value)
    return out


def load(ask, tally, count, seed, goes_on=None):
    """count requests of random kinds, and more while that is set, from several
    threads; returns them."""
    def one(number):
        mine, done = random.Random(f"{seed} {number}"), 0
        while done < count // THREADS or goes_on and goes_on.is_set():
            tally.ask(ask, mine.choice(KINDS))
            done += 1
    threads = [threading.Thread(target=one, args=(n,), daemon=True) for n in range(THREADS)]
    for t in threads:
        t.start()
    return threads


def join(threads):
    for t in threads:
        t.join(PATIENCE * 3)
    ok(not any(t.is_alive() for t in threads), "all requests came to an end")


class Watch(Background):
    """Scrapes all the while, and keeps what is wrong."""

    def __init__(self, ask, tally):
        self.ask, self.tally, self.last, self.bad = ask, tally, None, []
        super().__init__(self.look)

    def look(self):
        a = self.tally.ask(self.ask, ("metrics", "GET", "/metrics", {}, 200))
        if a is not None and a.whole and a.status == 200:
            now = Metrics(a.text)
            self.bad += now.faults
            if self.last:
                self.bad += fell(self.last, now)
            self.last = now
        time.sleep(0.1)


def is_running(pid):
    """Whether it uses a processor at this moment, so is amid a request."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "R"
    except OSError:
        return False


def choose(server, mine):
    """Who is killed: anybody, rather somebody who is busy, or rather one who
    has a process to himself."""
    until, how = time.monotonic() + 0.05, mine.choice(("any", "busy", "heavy"))
    while True:
        found = server.helpers() if how == "heavy" else server.workers() + server.helpers()
        if how == "busy":
            found = [p for p in found if is_running(p)]
        if found:
            return mine.choice(found)
        if time.monotonic() > until:
            how = "any"


def kill_some(server, count, seed, goes_on):
    """kill -9 of any process that answers; which."""
    mine, killed = random.Random(seed), []
    while len(killed) < count:
        victim = choose(server, mine)
        try:
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)
        except ProcessLookupError:
            continue
        # Or the next might kill the same one, which is dying.
        wait_for(lambda: not is_alive(victim), "it to die", interval=0.001)
        time.sleep(mine.random() * 0.03)
    goes_on.clear()
    return killed


def check(before, after, tally, what, exact):
    same(tally.odd[:3], [], f"{what}: every whole answer has the status that it should")
    for family in ("all", "own"):
        was, now = counted(before, family), counted(after, family)
        wrong = []
        for key in set(now) | set(tally.whole) | set(tally.broken):
            if key[0] == "none" and family == "own":
                continue
            got = now[key] - was[key]
            if not tally.whole[key] <= got <= tally.whole[key] + (0 if exact else tally.broken[key]):
                wrong.append((key, got, tally.whole[key], tally.broken[key]))
        same(wrong, [], f"{what}: {'exactly the' if exact else 'no whole answer is missing, none is counted twice among'} {sum(tally.whole.values())} "
                        f"whole answers (and {sum(tally.broken.values())} broken), in family '{family}'")


def check_idle(m, what):
    busy = {k: v for k, v in m.series.items() if k[0].startswith(C) and v and dict(k[1]).get("endpoint") != "metrics"}
    same(busy, {}, f"{what}: nothing is under way at the end")
    same(m.get(f"{C}_all", endpoint="metrics", method="GET"), 1.0, f"{what}: but the question itself")
    same((m.get("restreamer_heavy_slots_used"), m.get("restreamer_full_places_used")), (0.0, 0.0), f"{what}: all places are free")


def scrape(ask):
    return Metrics(ask("/metrics").text)


def in_peace(ask, what, count, helpers):
    """Without kills the sums are exact; the scrape before counts itself."""
    tally = Tally()
    before = scrape(ask)
    join(load(ask, tally, count, what))
    wait_for(lambda: not helpers(), "heavy processes to end")
    tally.whole["metrics", "GET", "200"] += 1
    same(sum(tally.broken.values()), 0, f"{what}: no answer is broken")
    check(before, scrape(ask), tally, what, True)


def in_war(server, ask, what, count, kills):
    tally, before = Tally(), scrape(ask)
    tally.whole["metrics", "GET", "200"] += 1
    restarts = before.get("restreamer_worker_restarts_total")
    watch, goes_on = Watch(ask, tally), threading.Event()
    goes_on.set()
    threads = load(ask, tally, count, what, goes_on)
    killed = kill_some(server, kills, what, goes_on)
    join(threads)
    watch.end()
    same(watch.bad[:3], [], f"{what}: nothing falls, and no text is faulty, while they are killed")
    wait_for(lambda: len(server.workers()) == 3, "all workers")
    wait_for(lambda: not server.helpers(), "heavy processes to end")
    after = scrape(ask)
    check(before, after, tally, what, False)
    ok(sum(tally.broken.values()) > 0, f"{what}: and some answers were broken indeed", tally.broken)
    # The master says which of them were workers, but not all of so many; others
    # were for one request.
    workers = {int(n) for n in re.findall(r"worker (\d+) died of signal 9", server.log())}
    diag(f"{what}: killed {len(killed)}, of which {len(workers)} or more were workers")
    same(workers - set(killed), set(), f"{what}: nobody else died")
    ok(len(workers) <= after.get("restreamer_worker_restarts_total") - restarts <= len(killed), f"{what}: each killed worker was replaced",
       (len(workers), after.get("restreamer_worker_restarts_total") - restarts, len(killed)))
    check_idle(scrape(ask), what)
    return len(killed)


# -------------------------------------------- below a master, and through nginx

d = Direct(archive, ["--workers", "3"])
in_peace(d.ask, "in FastCGI, in peace", 1500, d.helpers)
nr_killed = in_war(d, d.ask, "in FastCGI, with kills", REQUESTS * 6 // 10, KILLS * 7 // 10)
in_peace(d.ask, "in FastCGI, in peace again", 600, d.helpers)
d.stop()
server = Server(archive, ["--workers", "3", "--sendfile", "off"])
in_peace(server.get, "through nginx, in peace", 600, server.helpers)
nr_killed += in_war(server, server.get, "through nginx, with kills", REQUESTS * 2 // 10, KILLS * 3 // 10)
in_peace(server.get, "through nginx, in peace again", 300, server.helpers)
server.stop()
ok(nr_killed >= KILLS * 9 // 10, "so many were killed", nr_killed)

# ------------------------------------------- processes that know of no other

cache = temp_dir("cache")


class Lone(Direct):
    """A process without master on a socket that it inherits."""

    def __init__(self, *options, program=None):
        folder = temp_dir("lone")
        path = os.path.join(folder, "sock")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen(64)
            super().__init__(archive, ["--workers", "0", *options], listen=[], ready=False, stdin=s, cache=cache)
        self.address = path
        self.wait_ready()

    def kill(self):
        self.process.kill()
        self.process.wait()


def any_of(lones, first=0):
    mine = random.Random(5)
    return lambda *a, **k: mine.choice(lones[first:]).ask(*a, **k)


def on_all(lones):
    """What each says; all must say the same but for their own questions."""
    return [scrape(l.ask) for l in lones]


lones = [Lone() for _ in range(4)]



def areas():
    return [n for n in os.listdir(os.path.join(cache, "shared")) if n.endswith(".area")]


area = areas()
same(len(area), 1, "they share one file")
same(os.stat(os.path.join(cache, "shared", area[0])).st_mode & 0o777, 0o600, "which is theirs alone")
in_peace(any_of(lones), "four processes", 1200, lambda: False)
ms = on_all(lones)
for family in ("all", "own"):
    sums = [{k: v for k, v in counted(m, family).items() if k[0] != "metrics"} for m in ms]
    ok(all(s == sums[0] for s in sums) and sums[0], f"each tells the same sums ({family})")
asked = [counted(m)["metrics", "GET", "200"] for m in ms]
same([n - asked[0] for n in asked], [0, 1, 2, 3], "and how often it was asked before")
same({m.get("process_start_time_seconds") for m in ms}.__len__(), 1, "they began together, as what they share did")
same([m.get("restreamer_workers") for m in ms], [4.0] * 4, "all four are workers")
check_idle(ms[0], "four processes")

tally, before = Tally(), scrape(lones[0].ask)
watch = Watch(lones[0].ask, Tally())
goes_on = threading.Event()
goes_on.set()
threads = load(any_of(lones, 1), tally, REQUESTS * 2 // 10, "lones", goes_on)
mine = random.Random(9)
for _ in range(10):
    time.sleep(mine.random() * 0.1)
    i = mine.randrange(1, len(lones))
    old, lones[i] = lones[i], Lone()
    old.kill()
goes_on.clear()
join(threads)
watch.end()
same(watch.bad[:3], [], "four processes, some killed: nothing falls")
after = scrape(lones[-1].ask)
for m in (before, after):       # of metrics and healthz the harness asks, too
    m.series = {k: v for k, v in m.series.items() if dict(k[1]).get("endpoint") not in ("metrics", "healthz")}
for t in (tally.whole, tally.broken):
    t.pop(("healthz", "GET", "200"), None)
check(before, after, tally, "four processes, some killed", False)
m = scrape(lones[1].ask)
same(m.get("restreamer_workers"), 4.0, "who was killed is no worker any more")
check_idle(m, "four processes, some killed")
ok(m.get("process_cpu_seconds_total") >= before.get("process_cpu_seconds_total"), "CPU time does not fall")
same([line for l in lones for line in l.log().splitlines() if "module=access" not in line], [], "nobody has anything to say but what was answered")

# As mod_fcgid starts it: by another name, all from the environment.
folder = temp_dir("fcgi")
link, path = os.path.join(folder, "restreamer.fcgi"), os.path.join(folder, "sock")
os.symlink(PROGRAM, link)
with socket.socket(socket.AF_UNIX) as s:
    s.bind(path)
    s.listen(64)
    p = subprocess.Popen([link], stdin=s, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         env={"RESTREAMER_BASE": archive.path + "/.", "RESTREAMER_CACHE": cache, "RESTREAMER_WORKERS": "0"})
    at_end(p.kill)
    m = wait_for(lambda: Metrics(fastcgi(path, "/metrics").text), "the .fcgi to answer")
same(m.get("restreamer_workers"), 5.0, "restreamer.fcgi is one of them")
sums = [{k: v for k, v in counted(x).items() if k[0] not in ("metrics", "healthz")} for x in (m, scrape(lones[1].ask))]
same(sums[0], sums[1], "and tells the same sums")
p.terminate()
same(p.wait(PATIENCE), 0, "TERM ends it")

# Other settings or another archive: another area.  A cache that is none: own.
other = Lone("--heavy-max", "7")
same(len(areas()), 2, "other sizes: another file")
same(scrape(other.ask).get("restreamer_workers"), 1.0, "which others are not in")
other.stop()
for l in lones[1:]:
    same(l.stop(), 0, "TERM ends one")
same(scrape(lones[0].ask).get("restreamer_workers"), 1.0, "who ended frees his place")
again = Lone()
ok(counted(scrape(again.ask))["list_channels", "GET", "200"] >= tally.whole["list_channels", "GET", "200"], "who comes later goes on counting")
finish()
