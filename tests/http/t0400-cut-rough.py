#!/usr/bin/env python3
"""/cut type=rough: whole segments, byte for byte, never silently short."""
import shutil
import subprocess

from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
S = archive.run("chan", "source", t0, 20, size=100000)                      # 0 to 40
U = archive.run("chan", "source", t0 + seconds(45), 10, size=100000)        # 45 to 65
V = [archive.put("chan", "source", t0 + seconds(65), kind="partial", size=50000),
     archive.put("chan", "source", t0 + seconds(67), kind="suspect", size=50000)]
W = archive.run("chan", "source", t0 + seconds(69), 3, size=100000)         # to 75
archive.put("chan", "source", t0 + seconds(4), kind="temp", size=70000)
archive.put("chan", "source", t0 + seconds(4), kind="partial", size=170000)
odd = archive.run("ch än", "a+b", t0, 2, size=5000)
full = archive.run("full", "source", T("2024-03-01T10:00:00"), 360, 10, size=1000)
archive.run("long", "source", t0, 2)
archive.run("long", "source", t0 + seconds(86400), 2)
server = Server(archive)
C = "/cut/chan/source.ts?type=rough"


def t(s):
    return iso(t0 + seconds(s))


def span(a, b):
    return f"&start={t(a)}&end={t(b)}"


def rng(a, b):
    return f"&range={t(a)},{t(b)}"


def cut(query, want, text, holes=None, hole_seconds=None, of=C):
    a = server.get(of + query)
    data = content(want)
    ok(a.status == 200 and a.body == data, f"{text}: the segments' bytes", (a.status, len(a.body), len(data), a.body[:200]))
    same((a["content-type"], a["content-length"]), ("video/MP2T", str(len(data))), f"{text}: type and length")
    ok(a["etag"] and a["accept-ranges"] == "bytes" and a["access-control-allow-origin"] == "*", f"{text}: headers", a)
    if holes is not None:
        same(a["x-holes"], str(holes), f"{text}: X-Holes")
        ok(a["x-holes-duration"] is not None and abs(float(a["x-holes-duration"]) - hole_seconds) < 1e-6,
           f"{text}: X-Holes-Duration is {hole_seconds}", a)
    return a


# ------------------------------------------------------------------ what it holds
cut(span(0, 10), S[:5], "on the seams", 0, 0)
cut(span(3.5, 8.1), S[1:5], "inside segments: the whole of each that is touched", 0, 0)
cut(span(4, 4.000001), S[2:3], "a microsecond")
cut(span(3.999999, 4), S[1:2], "the microsecond before")
cut(span(0, 40), S, "all of a run")
cut(span(45, 65), U, "to the end of a full one before a hole")
cut(rng(0, 4), S[:2], "one range=")
cut(rng(30, 34) + rng(0, 3) + rng(2, 4), S[15:17] + S[0:2] + S[1:2], "ranges back to back in the order given", 0, 0)
cut(rng(0, 4) + span(20, 30), S[:2], "range= overrides start and end")
cut(rng(0, 4) + rng(10, 14) + "&transition=fade,1", S[:2] + S[5:7], "transitions are ignored")
cut(rng(0, 4) + rng(10, 14) + "&transition=", S[:2] + S[5:7], "an empty one too")
cut(span(0, 4), odd, "odd names", of="/cut/ch%20%C3%A4n/a%2Bb.ts?type=rough")
cut("", full, "neither start nor end, an hour without a hole: all there is", of="/cut/full/source.ts?type=rough")
cut("&allow_holes=true", full, "the same with holes allowed", of="/cut/full/source.ts?type=rough")
same(server.get("/cut/long/source.ts?type=rough&allow_holes=true").status, 400, "all there is, over 12 h: 400")
cut(f"&start={t(0)}", full, "without end", of="/cut/full/source.ts?type=rough")
cut(f"&end={iso(t0 + seconds(3600))}", full, "without start", of="/cut/full/source.ts?type=rough")

# ------------------------------------------------------------------ holes
for query in (span(30, 50), span(-10, 10), span(70, 80), span(60, 70), span(40, 45), rng(0, 4) + rng(38, 46), span(63, 67)):
    for flag in ("", "&allow_holes=false", "&allow_holes=False", "&allow_holes=FALSE"):
        a = server.get(C + query + flag)
        ok(a.status == 406 and "contains holes" in a.text and a.body.count(b"\n") == 1, f"{query[:60]}{flag}: 406 contains holes", a)
        if flag:
            break
for flag in ("true", "True", "TRUE", "tRuE"):
    a = server.get(C + span(36, 49) + f"&allow_holes={flag}")
    same((a.status, a.body), (200, content(S[18:] + U[:2])), f"allow_holes={flag}: the segments around the hole")
same((a["x-holes"], float(a["x-holes-duration"] or -1)), ("1", 5.0), "one hole of 5 s is told")
for flag in ("False", "FALSE", "fALSE"):
    same(server.get(C + span(36, 49) + f"&allow_holes={flag}").status, 406, f"allow_holes={flag}: 406")
cut(span(-10, 2) + "&allow_holes=true", S[:1], "a hole at the beginning", 1, 10)
cut(span(74, 80) + "&allow_holes=true", W[2:], "a hole at the end", 1, 5)
cut(rng(38, 46) + rng(0, 2) + rng(39, 47) + "&allow_holes=true", S[19:] + U[:1] + S[:1] + S[19:] + U[:1], "holes are counted in each range", 2, 10)
a = cut(span(63, 71) + "&allow_holes=true", U[9:] + V + W[:1], "a partial and a suspect one")
same(a["x-holes"], "2", "behind each that is not full there is a hole")
for query in (span(41, 44), rng(0, 4) + rng(41, 44)):
    a = server.get(C + query + "&allow_holes=true")
    ok(a.status == 406 and a.body.count(b"\n") == 1, f"{query[:70]}: a range with nothing at all is 406 all the same", a)
for of in ("/cut/chan/nope.ts", "/cut/nope/source.ts"):
    same(server.get(of + "?type=rough" + span(0, 4)).status, 404, f"{of}: 404")
    same(server.get(of + "?type=rough").status, 404, f"{of} without times: 404")

# ------------------------------------------------------------------ ranges
Q = C + span(1, 25)
whole = server.get(Q)
data, size, etag = whole.body, len(whole.body), whole["etag"]
same(data, content(S[:13]), "the whole")
edges = [0, 1, 99999, 100000, 100001, 250000, size - 1]
for first in edges:
    for last in edges:
        if first <= last:
            a = server.get(Q, {"Range": f"bytes={first}-{last}"})
            if a.status != 206 or a.body != data[first:last + 1] or a["content-range"] != f"bytes {first}-{last}/{size}" or a["etag"] != etag:
                ok(False, f"Range {first}-{last}", a)
                break
    else:
        continue
    break
else:
    ok(True, "ranges that begin and end at, before and behind the seams of segments")
for value, part, says in (("bytes=0-", data, (0, size - 1)), ("bytes=1000000-", data[1000000:], (1000000, size - 1)), ("bytes=-100", data[-100:], (size - 100, size - 1)),
                          ("bytes=-99999999", data, (0, size - 1)), ("bytes=5-99999999999999999999", data[5:], (5, size - 1))):
    a = server.get(Q, {"Range": value})
    same((a.status, a.body == part, a["content-range"], a["content-length"]), (206, True, f"bytes {says[0]}-{says[1]}/{size}", str(len(part))), f"Range {value}")
for value in (f"bytes={size}-", "bytes=99999999999-", "bytes=-0", f"bytes={size}-{size + 5}"):
    a = server.get(Q, {"Range": value})
    ok(a.status == 416 and a["content-range"] == f"bytes */{size}" and len(a.body) < 300, f"Range {value}: 416", a)
for value in ("bytes=9-5", "lines=0-5", "bytes=x-y", "bytes=", "bytes=-", "bytes", "", "bytes=0x0-5", "bytes 0-5", "bytes=1-2-3"):
    a = server.get(Q, {"Range": value})
    ok(a.status == 200 and a.body == data, f"Range {value!r} is none: the whole", a)
a = server.get(Q, {"Range": "bytes=0-9,200000-200009,-5"})
if a.status == 206:
    ok((a["content-type"] or "").startswith("multipart/byteranges; boundary=") and all(p in a.body for p in (data[:10], data[200000:200010], data[-5:])), "several ranges: parts", a)
else:
    same((a.status, a.body == data), (200, True), "several ranges: the whole")
for value, held in ((etag, True), ('"other"', False), ("W/" + etag, False), ("Sun, 06 Nov 1994 08:49:37 GMT", False), ("", None)):
    a = server.get(Q, {"Range": "bytes=10-19", "If-Range": value})
    got = (a.status, a.body)
    ok(got in {True: [(206, data[10:20])], False: [(200, data)], None: [(200, data), (206, data[10:20])]}[held], f"If-Range {value[:20]!r}", a)
for value, unchanged in ((etag, True), ("W/" + etag, True), ("*", True), (f'"a", {etag}', True), ('"other"', False), ("other", False)):
    a = server.get(Q, {"If-None-Match": value})
    same((a.status, a.body), (304, b"") if unchanged else (200, data), f"If-None-Match {value[:20]!r}")
a = server.get(Q, {"If-None-Match": etag, "Range": "bytes=0-5"})
same(a.status, 304, "If-None-Match goes before Range")
a = server.get(Q, {"If-Match": '"other"'})
ok(a.status in (412, 200), "If-Match that fails: 412, or not looked at", a)
a = server.head(Q)
same((a.status, a.body, a["content-length"], a["etag"]), (200, b"", str(size), etag), "HEAD: all but the body")
a = server.head(Q, {"Range": "bytes=0-9"})
ok(a.status in (200, 206) and a.body == b"", "HEAD with Range", a)
same({server.get(Q)["etag"] for _ in range(8)}, {etag}, "the ETag does not change")
ok(server.get(C + span(1, 27))["etag"] != etag, "another cut has another")
same(server.get(Q).body, data, "the same request gives the same bytes")
ok("no-cache" in whole["cache-control"] or "immutable" in whole["cache-control"], "Cache-Control", whole)

# ------------------------------------------------------------------ download=, stream=
for value, pattern in (("my%20cut.ts", r'^attachment; *filename="?my cut\.ts"?'), ("cut.ts", r'^attachment; *filename="?cut\.ts"?'),
                       ("%C3%BC.ts", r"filename\*=UTF-8''%C3%BC\.ts"), ("a%22b.ts", r'^attachment; *filename="a(\\"|_|%22)b\.ts"'), ("..%2F..%2Fetc%2Fpasswd", r"^attachment"),
                       ("a%5Cb;c%25.ts", r"^attachment")):
    a = server.get(C + span(0, 4) + "&download=" + value)
    ok(a.status in (200, 400) and (a.status == 400 or re.search(pattern, a["content-disposition"] or "")), f"download={value}", a)
    ok("/" not in (a["content-disposition"] or "").split(";", 1)[-1].split("filename*")[0], f"download={value}: no directory in it", a)
a = server.get(C + span(0, 4) + "&download=a%0d%0aX-Evil:%20b")
ok(a.status == 400 and a["x-evil"] is None, "download= with a line break: 400", a)
same(server.get(C + span(0, 4))["content-disposition"], None, "no Content-Disposition unless asked for")
a = server.get(C + span(0, 10) + "&stream=true")
if a.status == 200:
    same((a.body, a["content-length"], a["etag"]), (content(S[:5]), None, None), "stream=true: no length and no ETag")
    ok(a.whole, "stream=true: whole")

# ------------------------------------------------------------------ curl -C -
big = Archive()
B = big.run("big", "source", t0, 40, size=1 << 20)
slow = Server(big)
BIG = f"/cut/big/source.ts?type=rough&start={t(0)}&end={t(80)}"
url = slow.url.rstrip("/") + BIG
want = content(B)
work = temp_dir("curl")
out = os.path.join(work, "out.ts")
p = subprocess.Popen(["curl", "-sS", "--limit-rate", "4M", "-o", out, url])
at_end(p.kill)
wait_for(lambda: os.path.exists(out) and os.path.getsize(out) > 2000000, "curl to have some of it")
p.kill()
p.wait()
part = os.path.getsize(out)
ok(2000000 < part < len(want), "curl was interrupted", part)
code, _, err = curl("-C", "-", "-o", out, url)
ok(code == 0 and content([out]) == want, "curl -C - makes it whole", (code, err, os.path.getsize(out)))
code, _, err = curl("-C", "-", "-o", out, url)
ok(content([out]) == want, "and asking once more changes nothing", (code, err))
code, _, err = curl("-o", out, "-D", os.path.join(work, "head"), url)
ok(code == 0 and content([out]) == want, "40 MB in one go", (code, err))


# ------------------------------------------------------------------ what breaks in the middle
def broken(what, break_it, mend=None, of=slow, query=BIG, options=()):
    """Starts a slow download, breaks something, lets it run: curl must fail."""
    if os.path.exists(out):
        os.unlink(out)
    p = subprocess.Popen(["curl", "-sS", "--max-time", str(PATIENCE), "--limit-rate", "30M", *options, "-o", out, of.url.rstrip("/") + query],
                         stderr=subprocess.PIPE)
    at_end(p.kill)
    wait_for(lambda: os.path.exists(out) and os.path.getsize(out) > 0 or p.poll() is not None, "curl to have begun")
    p.send_signal(signal.SIGSTOP)        # nothing moves while we break it
    try:
        break_it()
    finally:
        p.send_signal(signal.SIGCONT)
    _, err = p.communicate(timeout=2 * PATIENCE)
    got = os.path.getsize(out)
    ok(p.returncode != 0 and p.returncode != 28 and got < len(want), f"{what}: curl fails (exit {p.returncode}) with {got} bytes", (p.returncode, err))
    ok(content([out]) == want[:got] if not options else True, f"{what}: and what it has is right")
    if mend:
        mend()
    a = of.get("/files")
    same((a.status, a.json), (200, ["big"]), f"{what}: the server goes on")


gone = os.path.join(work, "gone")
broken("a segment deleted", lambda: shutil.move(B[35], gone), lambda: shutil.move(gone, B[35]))
same(slow.get(BIG).body == want, True, "put back: whole again")


def shrink():
    with open(B[36], "r+b") as f:
        f.truncate(1000)


def restore(path, data):
    with open(path, "wb") as f:
        f.write(data)


saved = content([B[36]])
broken("a segment truncated", shrink, lambda: restore(B[36], saved))


def kill_helpers():
    found = slow.helpers()
    ok(found, "the cut has a process of its own", descendants(slow.master))
    for pid in found or slow.workers():
        os.kill(pid, signal.SIGKILL)


broken("its process killed", kill_helpers)
wait_for(lambda: not slow.helpers(), "no process left behind")
if server.get(C + span(0, 10) + "&stream=true").status == 200:
    broken("its process killed, stream=true", kill_helpers, query=BIG + "&stream=true")
    broken("a segment deleted, stream=true", lambda: shutil.move(B[35], gone), lambda: shutil.move(gone, B[35]), query=BIG + "&stream=true")
same(slow.get(BIG).body == want, True, "after all that: whole")

# Gone before the first byte: an honest status.
os.rename(B[3], gone)
same(slow.get(BIG).status, 406, "deleted before: 406")
os.rename(gone, B[3])

# A client that leaves frees what it held.
clients = [SlowClient(slow, BIG) for _ in range(4)]
for c in clients:
    same(c.read_head().status, 200, "a slow client has its head")
helpers = wait_for(lambda: len(slow.helpers()) >= 4, "a process each")
for c in clients:
    c.close()
wait_for(lambda: not slow.helpers(), "their processes to end")
ok(True, "clients that leave: their processes end")
finish()
