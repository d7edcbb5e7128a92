#!/usr/bin/env python3
"""Compression of text, and what it does to validators."""
import gzip
import zlib

from harness import *

def unzip(body):
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b"not gzip"


archive = Archive()
t0 = T("2024-03-01T10:00:00")
archive.run("chan", "source", t0, 300)
server = Server(archive)
P = "/playlist/chan/source.m3u8"
GZ = {"Accept-Encoding": "gzip"}

plain = server.get(P)
same((plain.status, plain["content-encoding"]), (200, None), "without Accept-Encoding: plain")
a = server.get(P, GZ)
same((a.status, a["content-encoding"]), (200, "gzip"), "Accept-Encoding: gzip: compressed")
same(unzip(a.body), plain.body, "it is the same text")
ok(len(a.body) * 2 < len(plain.body), "and much smaller", (len(a.body), len(plain.body)))
ok("accept-encoding" in (a["vary"] or "").lower() and "accept-encoding" in (plain["vary"] or "").lower(), "Vary on both", (a, plain))
ok(a["content-length"] in (None, str(len(a.body))), "its length is that of the compressed", a)
ok(a["etag"] and (a["etag"] != plain["etag"] or a["etag"].startswith("W/")), "another ETag, or a weak one", (a["etag"], plain["etag"]))
same(server.get(P, {**GZ, "If-None-Match": a["etag"]}).status, 304, "its ETag gives 304")
same(server.get(P, {"If-None-Match": plain["etag"]}).status, 304, "the plain one's too")
b = server.get(P, {**GZ, "If-None-Match": '"other"'})
same((b.status, b["content-encoding"]), (200, "gzip"), "another does not")

for value, zipped in (("gzip, deflate, br", True), ("br, gzip;q=0.5", True), ("*", None), ("GZIP", True), ("gzip;q=0", False), ("gzip;q=0.000", False),
                      ("deflate", False), ("identity", False), ("", False), ("xgzip", False), ("gzipx", False), ("gzip;q=1.0", True),
                      ("identity;q=1, *;q=0", False), ("gzip ; q=0", False), ("br;q=1,gzip", True), ("x-gzip", None), (";;;,,,=", False)):
    b = server.get(P, {"Accept-Encoding": value})
    got = b["content-encoding"] == "gzip"
    text = unzip(b.body) if got else b.body
    ok((zipped is None or got == zipped) and b.status == 200 and text == plain.body, f"Accept-Encoding {value!r}: {'gzip' if got else 'plain'}", b)

b = server.head(P, GZ)
same((b.status, b.body, b["content-encoding"], b["etag"]), (200, b"", "gzip", a["etag"]), "HEAD says what GET would")
b = server.get(P, {**GZ, "Range": "bytes=0-9"})
ok((b.status, b.body, b["content-encoding"]) == (206, plain.body[:10], None)
   or b.status == 206 and b["content-encoding"] == "gzip" and b.body == a.body[:10]
   or b.status == 200 and b["content-encoding"] == "gzip" and unzip(b.body) == plain.body, "with Range: parts of one of the two", b)

small = server.get("/files", GZ)
same((small.status, small["content-encoding"], small.json), (200, None, ["chan"]), "under 1 kB: plain")
b = server.get("/files/chan/source/2024-03-01T10", GZ)
same((b["content-encoding"], b["content-type"], unzip(b.body).count(b".ts")), ("gzip", "application/json", 300), "JSON too")
b = server.get("/metrics", GZ)
ok(b["content-encoding"] == "gzip" and b"http_request" in unzip(b.body), "metrics too", b)
b = server.get("/cut/chan/source.ts?type=rough&start=2024-03-01T10:00:00&end=2024-03-01T10:01:00", GZ)
same((b.status, b["content-encoding"], b["content-length"]), (200, None, str(len(b.body))), "video never")
uri = Media(plain.text).uris[0]
same(server.get(uri, GZ)["content-encoding"], None, "segments neither")
m = server.get("/playlist/chan.m3u8", GZ)
same(m.status, 200, "the master")

# Whole hours, mapped: more than a compressor's window or a buffer.
archive.run("big", "source", T("2024-03-01T00:00:00"), 1800 * 6)
plain = server.get("/playlist/big/source.m3u8")
a = server.get("/playlist/big/source.m3u8", GZ)
d = zlib.decompressobj(31)
try:
    text = d.decompress(a.body) + d.flush()
except zlib.error as e:
    text = str(e)
ok(plain.status == a.status == 200 and text == plain.body and d.eof and not d.unused_data, "six hours: one whole gzip stream", (len(text), len(plain.body)))
same(len(Media(plain.text).items), 10800, "six hours: all of it")
etags = {server.get("/playlist/big/source.m3u8")["etag"] for _ in range(10)}
same(len(etags), 1, "the ETag is that of the content, whoever answers")
same(server.get("/playlist/big/source.m3u8?start=2024-03-01T00:00:00")["etag"] is not None, True, "another range has one too")
ok(server.get("/playlist/big/source.m3u8?start=2024-03-01T00:00:02")["etag"] not in etags, "and another one", etags)
server.stop()
server = Server(archive, cache=server.cache)
same(server.get("/playlist/big/source.m3u8")["etag"], etags.pop(), "the same after a restart")
finish()
