#!/usr/bin/env python3
"""Paths and arguments: each bad one gets its 4xx and one line that names it."""
from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
archive.run("chan", "source", t0, 30)
archive.put("chan", "source", T("2024-03-04T10:00:00"))
archive.run("chan", "short", t0, 5)
server = Server(archive)

GOOD = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:10"
R = "2024-03-01T10:00:00,2024-03-01T10:00:04"
PLAYLIST, MASTER, CUT = "/playlist/chan/source.m3u8", "/playlist/chan.m3u8", "/cut/chan/source.ts"


def is_one_line(a):
    return (a.body.endswith(b"\n") and a.body.count(b"\n") == 1 and len(a.body) > 8
            and (a["content-type"] or "").startswith("text/plain"))


def refused(path, statuses=(400,), word=None, method="GET", text=None):
    a = server.get(path, method=method)
    good = a.status in statuses and is_one_line(a) and (not word or word in a.text)
    good = good and "/tmp" not in a.text and a["access-control-allow-origin"] == "*"
    return ok(good, text or f"{method} {path[:90]}: {'/'.join(map(str, statuses))}"
              + (f" naming {word}" if word else ""), a)


# ------------------------------------------------------------------- times
for bad in ("garbage", "", "2024-13-01T00:00:00", "2024-02-30T00:00:00", "2024-03-01T24:00:01", "2024-03-01T10",
            "2024-03-01T10:60", "2024-03-01T10:00:61", "2024-03-01T10:00:00%2B02:00", "2024-03-01T10:00:00-01:00",
            "2024-03-01T10:00:00.", "2024-03-01T10:00:00x", "+2024-03-01", "2024-3-1", "20240301", "now-", "now-90",
            "now-5y", "now%2B", "tomorrow", "@", "@x", "@1e9", "99999999999999999999", "@99999999999999999999",
            "0000-01-01", "1e400", "%20", "2024-03-01%0910:00"):
    refused(f"{PLAYLIST}?start={bad}&end=2024-03-01T10:00:10", word="start" if "%09" not in bad else None)
for path in (PLAYLIST, MASTER, CUT):
    refused(f"{path}?start=garbage", word="start")
    refused(f"{path}?start=2024-03-01T10:00:00&end=garbage", word="end")
for good in ("2024-03-01", "2024-03-01T10:00", "2024-03-01%2010:00:00", "2024-03-01+10:00:00", "2024-03-01T10:00:00Z",
             "2024-03-01T10:00:00.5", "2024-03-01T10:00:00.123456789", "2024-03-01T10:00:00%2B00:00",
             "2024-03-01T10:00:00+00:00", "@1709287200", "@1709287200.25"):
    a = server.get(f"{PLAYLIST}?start={good}&end=2024-03-01T10:00:10")
    same(a.status, 200, f"start={good} is a time")
same(Media(server.get(f"{PLAYLIST}?start=@1709287202&end=@1709287206").text).times,
     ["2024-03-01T10:00:02.000000", "2024-03-01T10:00:04.000000"], "Unix seconds are times in UTC")
for good in ("now", "now-90s", "now-2h30m"):
    same(server.get(f"{PLAYLIST}?start=now-3h&end={good}").status, 200, f"end={good} is a time")

# ------------------------------------------------------- other arguments
for bad in ("maybe", "1", "", "yes"):
    refused(f"/files/chan/source/2024-03-01T10?tombstones={bad}", word="tombstones")
for bad in ("", ",", "2024-03-01T10:00:00", f"{R},2024-03-01T10:00:05", "a,b", "2024-03-01T10:00:00,b",
            "2024-03-01T10:00:04,2024-03-01T10:00:00", "2024-03-01T10:00:00,2024-03-01T10:00:00"):
    refused(f"{CUT}?type=rough&range={bad}", word="range")
for bad in ("", ",", "a,b", "2024-03-01T10:00:00"):
    refused(f"{PLAYLIST}?range={bad}", word="range")
refused(f"{CUT}?type=rough&range={R}&range=x,y", word="range", text="the second range is looked at too")
refused(f"{CUT}?type=rough&start=2024-03-01T10:00:10&end=2024-03-01T10:00:00", word="end")
refused(f"{CUT}?type=rough&start=2024-03-01T10:00:10&end=2024-03-01T10:00:10", word="end")
for bad in ("zzz", "", "ROUGH", "rough%20"):
    refused(f"{CUT}?type={bad}&{GOOD}", word="type")
for bad in ("maybe", "", "2", "truee"):
    refused(f"{CUT}?type=rough&{GOOD}&allow_holes={bad}", word="allow_holes")
for bad in ("bogus,1", "fade", "fade,", "fade,-1", "fade,nan", "fade,inf", "fade,1,2", ",1", "fade,1e3"):
    refused(f"{CUT}?type=rough&range={R}&range={R}&transition={bad}", word="transition")
refused(f"{CUT}?type=rough&{GOOD}&transition=fade,1", word="transition", text="a transition with one range")
refused(f"{CUT}?type=rough&range={R}&range={R}&transition=&transition=", word="transition", text="more transitions than seams")
refused(f"{CUT}?type=rough&range={R}&range={R}&transition=fade,20", word="transition", text="a transition longer than its neighbour")
same(server.get(f"{CUT}?type=rough&range={R}&range={R}&transition=").status, 200, "an empty transition is a hard cut")

# ------------------------------------------------------------------ limits
refused(f"{PLAYLIST}?start=2024-01-01&end=2024-03-01", (400, 413), "31", text="a range of 60 days: the limit is told")
same(server.get(f"{PLAYLIST}?start=2024-02-15&end=2024-03-17").status, 200, "31 days are allowed")
refused(f"{PLAYLIST}?start=2024-02-15&end=2024-03-17T00:00:01", (400, 413), "31", text="31 days and a second are not")
refused(PLAYLIST, (400,), "12", text="three days with neither start nor end: the 12 h are told")
refused(f"{PLAYLIST}?start=2024-03-01T10:00:00", (400,), "12", text="three days without end")
refused(f"{PLAYLIST}?end=2024-03-04T10:30:00", (400,), "12", text="three days without start")
many = "&".join([f"range={R}"] * 100)
same(server.get(f"{CUT}?type=rough&{many}").status, 200, "100 ranges are allowed")
refused(f"{CUT}?type=rough&{many}&range={R}", (400, 413), "100", text="101 are not, and the limit is told")
refused(f"/files?{'x' * 9000}", (400, 413, 414), text="a query of 9 kB")
same(server.get(f"/files?{'x' * 8000}").status, 200, "a query of 8000 bytes")

# ------------------------------------------------------------------- order
refused("/playlist/nope/source.m3u8?start=garbage", word="start", text="400 before 404: playlist")
refused("/cut/nope/source.ts?start=garbage", word="start", text="400 before 404: cut")
for path in ("/playlist/chan/nope.m3u8", "/playlist/nope/source.m3u8", "/playlist/nope.m3u8", "/cut/chan/nope.ts?type=rough",
             f"/cut/chan/nope.ts?type=rough&{GOOD}", "/nope", "/files/chan/source/2024-03-01T10/x", "/playlist/chan/source.mp3",
             "/playlist", "/playlist/", "/cut/chan", "/cut/chan/source", "/segments/chan/source/2024-03-01T10/nope.ts", "/segments/",
             "/playlist/chan/source.m3u8/", "//files", "/files//source"):
    refused(path, (404,))
a = server.get(f"{PLAYLIST}?start=2024-03-01T10:00:04&start=garbage&end=2024-03-01T10:00:06&end=")
same((a.status, Media(a.text).times), (200, ["2024-03-01T10:00:04.000000"]), "a repeated argument: the first counts")
refused(f"{PLAYLIST}?start=garbage&start=2024-03-01T10:00:04&end=2024-03-01T10:00:06", word="start", text="and if the first is bad, that counts")
a = server.get(f"{PLAYLIST}?%73tart=2024-03-01T10:00:04&e%6Ed=2024-03-01T10%3A00%3A06")
same((a.status, len(Media(a.text).items)), (200, 1), "names and values are percent-decoded")
a = server.get(f"{PLAYLIST}?&&{GOOD}&&unknown=1&x")
same(a.status, 200, "unknown and empty arguments do no harm")

# ------------------------------------------------------------------- paths
for path, statuses in (
        ("/files/.hidden", (403,)), ("/files/chan/.hidden", (403,)), ("/files/%2ehidden", (403,)), ("/playlist/.a/b.m3u8", (403,)),
        ("/playlist/chan/.x.m3u8", (403,)), ("/cut/.a/b.ts", (403,)), ("/segments/.truth/x", (403, 404)), ("/extras/.hidden", (403,)),
        ("/extras/chan/.hidden", (403,)), ("/files/...", (403,)), ("/files/.hidden%2Fx", (403,)), ("/files/chan%2Fsource", (404,)),
        ("/files/chan%2fsource/x", (404,)), ("/playlist/chan%2Fsource.m3u8", (404,)), ("/files/a%01b", (400,)), ("/files/a%0d%0ab", (400,)),
        ("/files/a%7f", (400,)), ("/files/%c0%af", (400,)), ("/files/%ff", (400,)), ("/files/%ed%a0%80", (400,)), ("/files/%f4%90%80%80", (400,)),
        ("/files/%e2%98", (400,)), (f"{PLAYLIST}?start=%ff%fe", (400,)), (f"{PLAYLIST}?start=%", (400,)), (f"{PLAYLIST}?start=%4", (400,)),
        (f"{PLAYLIST}?start=%zz", (400,)), (f"{PLAYLIST}?x=%00", (400,)), (f"{PLAYLIST}?x=%0a", (400,)), (f"{PLAYLIST}?%ff=1", (400,))):
    refused(path, statuses)
# nginx answers these itself, or passes them on; no 200 and no 5xx either way.
for path in ("/files/%00", "/files/chan/%2e%2e", "/files/chan/../..", "/files/%", "/files/%zz", "/../etc/passwd", "/segments/../../etc/passwd",
             "/segments/%2e%2e/%2e%2e/etc/passwd", "/segments/chan/%2e%2e/%2e%2e/etc/passwd", "/segments//etc/passwd"):
    a = server.get(path)
    ok(400 <= a.status < 500, f"{path}: a 4xx", a)
for target in (b"/files/\xff", b"/files/a\x01b", "/files/ünï".encode()):
    a = server.raw_get(target)
    ok(a.status in (200, 400), f"raw bytes {target!r}: no harm", a)

# Without a web server between: what some of them pass on as it is.
direct = Direct(archive)
for target, statuses in (
        ("/files/%00", (400,)), ("/files/chan/%2e%2e", (403,)), ("/files/chan/../..", (403,)), ("/files/%", (400,)), ("/files/%zz", (400,)),
        ("/segments/../../etc/passwd", (403,)), ("/segments/chan/%2e%2e/%2e%2e/etc/passwd", (403,)), (b"/files/\x01", (400,)),
        (b"/files/\xff", (400,)), (b"/files/a\r\nX: y", (400,)), ("/files/%c0%ae%c0%ae", (400,)), ("", (400, 404, 501)), ("files", (200, 400, 404)),
        ("*", (400, 404)), ("/files?" + "x" * 20000, (400, 413, 414)), ("/" + "a" * 5000, (400, 404, 414)), ("/files/" + "a" * 300, (200, 400, 404)),
        ("/" + "a/" * 3000, (400, 404, 414)), ("/files?" + "a&" * 4000, (200, 400, 413)), ("http://host", (400, 404, 501, 200))):
    a = direct.ask(target)
    ok(a.status in statuses and a.whole, f"FastCGI {short(target, 60)}: {statuses}", a)
same(direct.ask("http://host:80/files").json, ["chan"], "the absolute form of a URI")
same(direct.ask("/files#x").status in (200, 400, 404), True, "a fragment does no harm")
a = direct.ask("/files/%0d%0aX-Evil:%20yes%0d%0a")
ok(a["x-evil"] is None and b"X-Evil" not in b"\n".join(l for l in a.body.splitlines() if l.startswith(b"X-")), "no header can be forged")
a = direct.ask("/files", params={"REQUEST_URI": None})
ok(400 <= a.status < 600 and a.whole or a.status == 0, "no REQUEST_URI: an answer all the same", a)
same(direct.ask("/files").json, ["chan"], "and it goes on answering")
ok(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", direct.log()), "client bytes are escaped in the log")

# ----------------------------------------------------------------- methods
for path in ("/files", "/files/chan", PLAYLIST, MASTER, CUT, "/metrics", "/healthz", "/extras/chan"):
    for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND"):
        a = server.get(path, method=method, body=b"x" if method in ("POST", "PUT") else None)
        allow = set(re.split(r",\s*", a["allow"] or ""))
        ok(a.status == 405 and {"GET", "HEAD", "OPTIONS"} <= allow and method not in allow, f"{method} {path}: 405 with Allow", a)
for path in ("/files", "/files/chan/source/2024-03-01T10", PLAYLIST, MASTER, CUT, "/metrics", "/healthz", "/extras/chan",
             "/segments/chan/source/2024-03-01T10/x.ts", "/nope"):
    a = server.get(path, method="OPTIONS")
    ok(a.status == 204 and a.body == b"" and a["access-control-allow-origin"] == "*", f"OPTIONS {path}: 204", a)
    ok({"GET", "POST", "HEAD", "OPTIONS"} <= set(re.split(r",\s*", a["access-control-allow-methods"] or ""))
       and a["access-control-allow-headers"] == "*" and a["access-control-max-age"] == "86400", f"OPTIONS {path}: CORS", a)
for path in ("/files", "/files/chan/source/2024-03-01T10", PLAYLIST + "?" + GOOD, MASTER, f"{CUT}?type=rough&{GOOD}", "/healthz",
             "/extras/chan", "/nope", PLAYLIST + "?start=x", "/files/.x"):
    a, b = server.get(path), server.head(path)
    drop = ("date", "connection", "x-request-id")
    ok(a.status == b.status and b.body == b"", f"HEAD {path}: same status, no body", (a, b))
    same({k: v for k, v in b.headers.items() if k not in drop}, {k: v for k, v in a.headers.items() if k not in drop},
         f"HEAD {path}: same headers")
    ok(a["access-control-allow-origin"] == "*" and "x-holes" in (a["access-control-expose-headers"] or "").lower(),
       f"{path}: CORS on the answer", a)
for path in ("/files/.x", PLAYLIST + "?start=x", "/nope"):
    a = server.get(path)
    ok(a["content-length"] == str(len(a.body)), f"{path}: an error has its length", a)
    ok(a["cache-control"] in ("no-cache", "no-store"), f"{path}: an error is not kept", a)

finish()
