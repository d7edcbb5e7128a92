#!/usr/bin/env python3
"""/segments: the files, by the web server's hand and by our own."""
import urllib.parse

from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
path = archive.put("chan", "source", t0, size=300000)
dead = archive.put("chan", "source", t0 + seconds(2))
archive.bury(dead)
temp = archive.put("chan", "source", t0 + seconds(4), kind="temp")
hidden = archive.write("chan/source/2024-03-01T10/.hidden.ts", b"secret")
archive.write("chan/.secret/2024-03-01T10/x.ts", b"secret")
archive.write(".secret/x.ts", b"secret")
odd = archive.write("ch än%2F/sou+rce/2024-03-01T10/a b#?&.ts", b"odd" * 100)
emote = archive.write("emotes/25/dark-1.0", b"picture")
chat = archive.write("chan/chat/2024-03-01T10/00:00-abc.json", b"{}\n")
empty = archive.put("chan", "source", t0 + seconds(6), size=0)
outside = os.path.join(temp_dir("outside"), "x.ts")
with open(outside, "w") as f:
    f.write("secret")
os.symlink(outside, os.path.join(archive.path, "chan/source/2024-03-01T10/link.ts"))
os.mkfifo(os.path.join(archive.path, "chan/source/2024-03-01T10/fifo.ts"))


def url(p, prefix="/segments/"):
    return prefix + urllib.parse.quote(os.path.relpath(p, archive.path))


def check(ask, how):
    """The same questions whoever sends the bytes."""
    data = content([path])
    a = ask(url(path))
    same((a.status, a.body), (200, data), f"{how}: the bytes of the file")
    same(a["content-type"], "video/MP2T", f"{how}: its type")
    same(a["content-length"], str(len(data)), f"{how}: its length")
    same(a["cache-control"], "public, max-age=31536000, immutable", f"{how}: kept for good")
    same(a["access-control-allow-origin"], "*", f"{how}: CORS")
    ok(a["etag"], f"{how}: an ETag", a)
    ok(a["accept-ranges"] == "bytes", f"{how}: takes ranges", a)
    b = ask(url(path), method="HEAD")
    same((b.status, b.body, b["content-length"], b["etag"]), (200, b"", a["content-length"], a["etag"]), f"{how}: HEAD")
    b = ask(url(path), headers={"If-None-Match": a["etag"]})
    same((b.status, b.body), (304, b""), f"{how}: If-None-Match gives 304")
    b = ask(url(path), headers={"If-None-Match": '"other"'})
    same(b.status, 200, f"{how}: another ETag gives 200")
    for want, part in (("0-99", data[:100]), ("100-199", data[100:200]), ("299990-", data[-10:]), ("-7", data[-7:]),
                       ("0-0", data[:1]), ("299999-400000", data[-1:]), ("-400000", data)):
        b = ask(url(path), headers={"Range": "bytes=" + want})
        good = b.status == 206 and b.body == part
        good = good or (part == data and b.status == 200 and b.body == data)
        ok(good, f"{how}: Range {want}", b)
        if b.status == 206:
            first = want.split("-")[0]
            start = int(first) if first else len(data) - len(part)
            same(b["content-range"], f"bytes {start}-{start + len(part) - 1}/{len(data)}", f"{how}: Content-Range of {want}")
    b = ask(url(path), headers={"Range": "bytes=300000-"})
    same((b.status, b["content-range"]), (416, "bytes */300000"), f"{how}: 416 past the end")
    b = ask(url(path), headers={"Range": "bytes=5-9", "If-Range": a["etag"]})
    same((b.status, b.body), (206, data[5:10]), f"{how}: If-Range that holds")
    b = ask(url(path), headers={"Range": "bytes=5-9", "If-Range": '"other"'})
    same((b.status, len(b.body)), (200, len(data)), f"{how}: If-Range that does not")
    for what, p in (("temp", temp), ("tombstoned", dead), ("hidden", hidden)):
        b = ask(url(p))
        ok(b.status == 404 or what == "hidden" and b.status == 403, f"{how}: {what} is not there", b)
        ok(content([p]) not in b.body, f"{how}: {what} is not sent", b)
    for p in ("chan/.secret/2024-03-01T10/x.ts", ".secret/x.ts", "chan/source/2024-03-01T10/.hidden.ts"):
        b = ask("/segments/" + p)
        ok(b.status in (403, 404) and b"secret" not in b.body, f"{how}: {p} is not shown", b)
    for p in ("chan/source/2024-03-01T10/link.ts", "chan/source/2024-03-01T10/fifo.ts", "chan/source/2024-03-01T10", "chan", "nope",
              "chan/source/2024-03-01T10/nope.ts", os.path.relpath(re.sub(r"\.ts$", ".tombstone", dead), archive.path) + "x",
              "chan/source/2024-03-01T10/" + "x" * 250, "chan/source/2024-03-01T10/" + "x" * 300):
        b = ask("/segments/" + urllib.parse.quote(p))
        ok(b.status == 404 and b"secret" not in b.body, f"{how}: {p[:50]} is 404", b)
    b = ask(url(odd))
    same((b.status, b.body), (200, b"odd" * 100), f"{how}: an odd name")
    b = ask(url(empty))
    same((b.status, b.body, b["content-length"]), (200, b"", "0"), f"{how}: an empty file")
    b = ask(url(emote))
    same((b.status, b.body), (200, b"picture"), f"{how}: any file of the archive")
    b = ask(url(chat))
    same((b.status, b["content-type"]), (200, "application/json"), f"{how}: chat is JSON")
    os.rename(path, path + ".gone")
    same(ask(url(path)).status, 404, f"{how}: renamed away is 404 at once")
    os.rename(path + ".gone", path)
    archive.bury(path)
    same(ask(url(path)).status, 404, f"{how}: tombstoned is 404 at once")
    os.unlink(re.sub(r"\.ts$", ".tombstone", path))
    same(ask(url(path)).status, 200, f"{how}: and there again without")


server = Server(archive)
check(lambda p, method="GET", headers=None: server.get(p, headers, method), "nginx, accel")
a = server.get(url(path, "/internal/"))
same(a.status, 404, "no client gets into /internal by itself")
m = server.metrics()
ok((m.get("http_request_latency_all_count") or 0) > 20, "the requests went through the program", m.series)

off = Server(archive, ["--sendfile", "off"])
check(lambda p, method="GET", headers=None: off.get(p, headers, method), "nginx, off")

# Headers alone, as a web server sees them.
direct = Direct(archive, ["--sendfile", "off"])
check(lambda p, method="GET", headers=None: direct.ask(p, method, headers), "FastCGI, off")
same(direct.ask(url(path))["x-accel-redirect"], None, "off: no X-Accel-Redirect")
direct.stop()
direct = Direct(archive, ["--sendfile", "accel:/internal"])
for p in (path, odd, emote):
    a = direct.ask(url(p))
    to = a["x-accel-redirect"] or ""
    ok(a.status == 200 and to.startswith("/internal/") and a.body == b"", "accel: no body, a place to get it", a)
    same(urllib.parse.unquote(to), "/internal/" + os.path.relpath(p, archive.path), "accel: the place, percent-encoded")
    ok(re.fullmatch(r"[A-Za-z0-9/%._~:@!$&'()*+,;=-]+", to), "accel: nothing in it that nginx would misread", to)
for p in (temp, dead, hidden):
    a = direct.ask(url(p))
    ok(a.status in (403, 404) and a["x-accel-redirect"] is None, "accel: not for what is not to be seen", a)
direct.stop()
direct = Direct(archive, ["--sendfile", "xsendfile"])
a = direct.ask(url(path))
# lighttpd and mod_xsendfile both decode it.
same((a.status, urllib.parse.unquote(a["x-sendfile"] or ""), a.body), (200, os.path.realpath(path), b""), "xsendfile: no body, the path of the file")
same(direct.ask(url(temp))["x-sendfile"], None, "xsendfile: not for a temp file")
finish()
