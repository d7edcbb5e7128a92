#!/usr/bin/env python3
"""/metrics: the names that dashboards use, and numbers that are true."""
from urllib.parse import quote

from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", t0, 10, size=20000)
archive.write("chan/source/2024-03-01T10/what is this.ts")
server = Server(archive, ["--workers", "3"])

BUCKETS = [.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600, float("inf")]
first = server.get("/metrics")
like(first["content-type"], r"^text/plain; version=0\.0\.4", "the type of the text format")
m = Metrics(first.text)
same(m.faults, [], "a strict reading finds no fault")
same(server.get("/metrics/anything").status, 200, "/metrics/ANY too")

H = "/2024-03-01T10"
R = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:10"
asked = {   # endpoint: (path, method, status, how often, labels)
    "list_channels": ("/files", "GET", 200, 3, {}),
    "list_qualities": ("/files/chan", "GET", 200, 2, {"channel": "chan"}),
    "list_hours": ("/files/chan/source", "GET", 200, 2, {"channel": "chan", "quality": "source"}),
    "list_segments": (f"/files/chan/source{H}", "GET", 200, 4, {"channel": "chan", "quality": "source", "hour": H[1:]}),
    "list_extras": ("/extras/chan", "GET", 200, 2, {}),
    "generate_master_playlist": (f"/playlist/chan.m3u8?{R}", "GET", 200, 3, {"channel": "chan"}),
    "generate_media_playlist": (f"/playlist/chan/source.m3u8?{R}", "GET", 200, 5, {"channel": "chan", "quality": "source"}),
    "cut": (f"/cut/chan/source.ts?type=rough&{R}", "GET", 200, 4, {"channel": "chan", "quality": "source"}),
}
L, C = "http_request_latency", "http_request_concurrency"
before = server.metrics()
started = time.monotonic()
for path, method, status, count, _ in asked.values():
    for _ in range(count):
        same(server.get(path, method=method).status, status, f"{path[:50]}: {status}")
took = time.monotonic() - started


def counted(name, labels):
    return lambda: (server.metrics().get(name, **labels) or 0)


for endpoint, (path, method, status, count, labels) in asked.items():
    key = {"endpoint": endpoint, "method": method, "status": str(status)}
    was = before.get(f"{L}_all_count", **key) or 0
    try:        # a cut is counted by its own process, at its end
        wait_for(lambda: counted(f"{L}_all_count", key)() - was >= count, "the count", 10)
    except TimeoutError:
        pass
    after = server.metrics()
    same((after.get(f"{L}_all_count", **key) or 0) - was, count, f"{endpoint}: each request is counted once")
    same((after.get(f"{L}_{endpoint}_count", **key, **labels) or 0) - (before.get(f"{L}_{endpoint}_count", **key, **labels) or 0), count,
         f"{endpoint}: in its own histogram too, with its labels {labels}")
    les = sorted({float(dict(p)["le"]) for n, p in after.series if n == f"{L}_{endpoint}_bucket"})
    same(les, BUCKETS, f"{endpoint}: its buckets")
    total = (after.get(f"{L}_all_sum", **key) or 0) - (before.get(f"{L}_all_sum", **key) or 0)
    ok(0 < total <= took + 1, f"{endpoint}: the sum is seconds", (total, took))
after = server.metrics()
same(sorted({float(dict(p)["le"]) for n, p in after.series if n == f"{L}_all_bucket"}), BUCKETS, "the buckets of all")
same(after.types.get(f"{L}_all"), "histogram", "a histogram")
ok(f"{C}_all" in after.types and after.types[f"{C}_all"] == "gauge", "concurrency is a gauge", sorted(after.types))
ok((after.get(f"{C}_all", endpoint="metrics") or 0) >= 1, "the request that asks is counted as being answered")

# Statuses and methods.
for path, method, status in (("/playlist/chan/source.m3u8?start=x", "GET", 400), ("/playlist/chan/nope.m3u8", "GET", 404), ("/files/.x", "GET", 403),
                             ("/cut/chan/source.ts?type=rough&start=2030-01-01&end=2030-01-02", "GET", 406), ("/files", "HEAD", 200), ("/files", "OPTIONS", 204),
                             ("/files", "DELETE", 405)):
    key = {"status": str(status)} if status != 200 else {"method": method}
    was = server.metrics().get(f"{L}_all_count", **key) or 0
    same(server.get(path, method=method).status, status, f"{method} {path[:40]}: {status}")
    # Counted when the answer is out, so maybe a moment after it is here.
    try:
        wait_for(lambda: counted(f"{L}_all_count", key)() > was, "the count", 5)
    except TimeoutError:
        pass
    same(counted(f"{L}_all_count", key)() - was, 1, f"{method} {path[:40]}: is counted once, by its {list(key)[0]}")

# Who leaves in the middle has not had a 200.
huge = archive.run("huge", "source", t0, 5, size=8 << 20)
HUGE = "/cut/huge/source.ts?type=rough&start=2024-03-01T10:00:00&end=2024-03-01T10:00:10"
was = server.metrics()
client = SlowClient(server, HUGE)
same(client.read_head().status, 200, "a cut begins")
client.close()
gone = counted(f"{L}_cut_count", {"status": "499", "channel": "huge"})
try:
    wait_for(lambda: gone() == 1, "the count", 20)
except TimeoutError:
    pass
same(gone(), 1.0, "and is counted as a 499 when its client has left")
same(counted(f"{L}_cut_count", {"status": "200", "channel": "huge"})(), 0, "not as a 200")
same(counted("restreamer_clients_gone_total", {})(), (was.get("restreamer_clients_gone_total") or 0) + 1, "and as a client that has gone")

# What does not exist gives no series.
for i in range(50):
    server.get(f"/files/made-up-{i}/x")
    server.get(f"/playlist/made-up-{i}/source.m3u8?{R}")
    server.get(f"/cut/chan/made-up-{i}.ts?type=rough&{R}")
    server.get(f"/files/chan/source/2030-01-01T{i % 24:02}")
m = server.metrics()
ok("made-up" not in m.text and "2030-01" not in m.text, "names that do not exist are no labels", [k for k in m.series if "made-up" in str(k)][:3])
same(m.faults, [], "still without fault")
same(server.raw_get("/files/ab%22%5C%0Ac").status in (200, 400), True, "an evil name")
same(server.metrics().faults, [], "breaks nothing")
odd = archive.run('od"d\\', "so{u}rce", t0, 1)
same(server.get(f"/playlist/{quote('od' + chr(34) + 'd' + chr(92))}/{quote('so{u}rce')}.m3u8?{R}").status, 200, "a channel with a quote and a backslash")
m = server.metrics()
same(m.faults, [], "is escaped as a label")
ok('od"d\\' in m.label_values(f"{L}_generate_media_playlist_count", "channel"), "and can be read back")

# The process, the index, the workers.
for name in ("process_start_time_seconds", "process_resident_memory_bytes", "process_virtual_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
             "process_max_fds"):
    ok((m.get(name) or 0) > 0, f"{name}", m.get(name))
ok(abs((m.get("process_start_time_seconds") or 0) - time.time()) < 3600, "it started within the hour")
for pattern in (r"index.*hit", r"index.*(built|rebuil)", r"index.*discard", r"heavy.*(slot|use|running)", r"heavy.*refused", r"bytes.*sent|sent.*bytes", r"client.*gone",
                r"restart", r"hole", r"series_dropped", r"log_count_total"):
    ok(any(re.search(pattern, n) for n in m.types), f"a series about /{pattern}/", sorted(m.types))
sent = next((n for n in m.types if re.search(r"bytes.*sent|sent.*bytes", n)), None)
if sent:
    before = m.get(sent) or 0
    body = len(server.get(f"/cut/chan/source.ts?type=rough&{R}").body)
    after = wait_for(lambda: (server.metrics().get(sent) or 0) >= before + body, "bytes sent to grow", 10)
    ok(after, "bytes sent grow by at least the body")

# Summed over workers, and never smaller.
last, falls, faults = server.metrics(), [], []
load = [Background(lambda: server.get(f"/playlist/chan/source.m3u8?{R}").status) for _ in range(4)]
for _ in range(30):
    now = server.metrics()
    falls += fell(last, now)
    faults += now.faults
    last = now
statuses = [s for b in load for s in b.end()]
ok(not falls, "under load nothing counted ever falls", falls[:5])
ok(not faults, "under load the text is without fault", faults[:5])
same(set(statuses), {200}, "under load all are answered")
key = {"endpoint": "generate_media_playlist", "method": "GET", "status": "200"}
a, b = server.metrics(), server.metrics()
same(a.get(f"{L}_all_count", **key), b.get(f"{L}_all_count", **key), "all workers tell the same sum")
got = b.get(f"{L}_all_count", **key)
log = [l for l in server.log("nginx-access.log").splitlines() if re.search(r'"GET /playlist/[^ ]+/[^ ]+ HTTP/1.1" 200', l)]
same(got, float(len(log)), "and it is the number in the access log")
finish()
