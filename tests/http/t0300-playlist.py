#!/usr/bin/env python3
"""Media and master playlists, sentence by sentence of what they promise."""
import subprocess
import urllib.parse

from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
# ten, a hole of 7 s, ten, an overlap, a partial, the end
first = archive.run("chan", "source", t0, 10)
second = archive.run("chan", "source", t0 + seconds(27), 10)
archive.put("chan", "source", t0 + seconds(46))             # begins 1 s before the previous ends
archive.put("chan", "source", t0 + seconds(47), kind="partial")
archive.run("chan", "source", t0 + seconds(49), 5, 2.002)
# a whole hour, so that the end of the hour is reached
archive.run("whole", "source", T("2024-03-01T10:00:00"), 360, 10)
archive.run("long", "source", T("2024-03-01T10:00:00"), 3)
archive.run("long", "source", T("2024-03-02T10:00:00"), 3)
archive.run("long", "480p", T("2024-03-01T10:00:00"), 3)
os.makedirs(os.path.join(archive.path, "chan/160p"))
os.makedirs(os.path.join(archive.path, "chan/chat/2024-03-01T10"))
os.makedirs(os.path.join(archive.path, "none"))
odd = archive.run("ch än%,é", "so+urce#1", t0, 2)
server = Server(archive)


def media(path, status=200, of=None, text=None):
    a = (of or server).get(path)
    m = Media(a.text)
    ok(a.status == status and not m.faults and a["content-type"] == "application/vnd.apple.mpegurl",
       f"{text or path}: a playlist by RFC 8216", (a.status, a["content-type"], m.faults, a.text[:300]))
    return m


def at(s):
    return iso(t0 + seconds(s))


P = "/playlist/chan/source.m3u8"
Q = P + "?start=2024-03-01T10:00:%s&end=2024-03-01T10:00:%s"

# ------------------------------------------------------------- whole list
m = media(P)
same(m.times, [at(2 * i) for i in range(10)] + [at(27 + 2 * i) for i in range(10)] + [at(47)] + [at(49 + 2.002 * i) for i in range(5)],
     "without start and end: all there is, an overlapping segment skipped")
same(m.gaps, [10, 21], "a discontinuity at the hole and after the partial")
same(m.items[0]["gap"], False, "none at the beginning")
same([i["duration"] for i in m.items[:2] + m.items[-1:]], [2.0, 2.0, 2.002], "durations to the millisecond")
same(m.tags.get("#EXT-X-TARGETDURATION"), "2", "TARGETDURATION")
same((m.ended, "#EXT-X-PLAYLIST-TYPE" in m.tags), (False, False), "the hour is not full: no ENDLIST, no VOD")
same([urllib.parse.unquote(u) for u in m.uris[:10]], ["/segments/" + os.path.relpath(p, archive.path) for p in first], "URIs lead to /segments")
ok(all(re.fullmatch(r"/segments/[A-Za-z0-9/._~%!$&'()*+,;=:@-]+", u) for u in m.uris), "URIs are percent-encoded", m.uris[:2])
m = media("/playlist/whole/source.m3u8")
same((len(m.items), m.ended, m.tags.get("#EXT-X-PLAYLIST-TYPE"), m.tags["#EXT-X-TARGETDURATION"]), (360, True, "VOD", "10"),
     "a full hour ends: ENDLIST and VOD")
m = media("/playlist/whole/source.m3u8?start=2024-03-01T10:00:00&end=2024-03-01T11:00:00.001")
same(m.ended, True, "an explicit end long past: ENDLIST although there is a hole at the end")

# ------------------------------------------------------------------ ranges
for start, end, want in (("00", "04", [0, 2]), ("01", "04", [0, 2]), ("02", "02.1", [2]), ("01.999", "02", [0]), ("02", "04.000001", [2, 4]),
                         ("19", "21", [18]), ("20", "27", []), ("20", "27.1", [27]), ("18", "30", [18, 27, 29]), ("26.9", "28", [27])):
    m = media(Q % (start, end))
    same(m.times, [at(s) for s in want], f"{start} to {end}: {want}")
    ok(not m.gaps or m.gaps[0] > 0, f"{start} to {end}: no discontinuity at the edge")
    same(m.ended, True, f"{start} to {end}: long past, so ended")
same(media(Q % ("18", "30")).gaps, [1], "a hole inside a range")
for start, end in (("04", "02"), ("04", "04")):
    same(media(Q % (start, end)).items, [], f"end {end} is not after start {start}: empty")
same(media(P + "?start=2030-01-01&end=2030-01-02").items, [], "a range with nothing: empty")
same(media(P + "?start=2024-03-01T10:00:50").times, [at(49)] + [at(49 + 2.002 * i) for i in range(1, 5)], "without end: to the last")
same(media(P + "?end=2024-03-01T10:00:04").times, [at(0), at(2)], "without start: from the first")
archive.put("seam", "source", T("2024-03-01T09:59:58"), 2.5)
archive.put("seam", "source", T("2024-03-01T10:00:00.5"))
m = media("/playlist/seam/source.m3u8?start=2024-03-01T10:00:00&end=2024-03-01T10:00:02")
same(m.times, ["2024-03-01T09:59:58.000000", "2024-03-01T10:00:00.500000"], "a segment that began in the hour before counts")
m = media("/playlist/seam/source.m3u8?start=2024-03-01T09:59:59&end=2024-03-01T10:00:02.5")
same((len(m.items), m.gaps, m.tags["#EXT-X-TARGETDURATION"]), (2, [], "3"), "hours join; 2.5 s rounds to 3")
for channel, quality in (("chan", "nope"), ("nope", "source"), ("chan", "160p")):
    same(server.get(f"/playlist/{channel}/{quality}.m3u8").status, 404, f"{channel}/{quality} has no hours: 404")
same(server.get("/playlist/long/source.m3u8").status, 400, "over 12 h without start and end: 400")
same(server.get("/playlist/long/source.m3u8?start=2024-03-01T10:00:00").status, 400, "over 12 h without end: 400")
same(len(media("/playlist/long/source.m3u8?start=2024-03-01T10:00:00&end=2024-03-02T11:00:00").items), 6, "with both: 200")
same(len(media("/playlist/long/source.m3u8?start=2024-03-02T09:00:00").items), 3, "a start within 12 h of the end: 200")

# ------------------------------------------------------------------ odd names
m = media("/playlist/" + urllib.parse.quote("ch än%,é") + "/" + urllib.parse.quote("so+urce#1") + ".m3u8", text="odd names")
same(len(m.items), 2, "odd names: the segments")
same([server.get(u).body for u in m.uris], [content([p]) for p in odd], "odd names: each URI can be fetched")

# ------------------------------------------------------------------ validators
a = server.get(Q % ("00", "10"))
ok(a["etag"] and a["cache-control"] == "no-cache", "an ETag, and asked again each time", a)
same(server.get(Q % ("00", "10"), {"If-None-Match": a["etag"]}).status, 304, "If-None-Match: 304")
same(server.get(Q % ("00", "10"), {"If-None-Match": 'W/"x", ' + a["etag"]}).status, 304, "a list of them: 304")
same(server.get(Q % ("00", "10"), {"If-None-Match": "*"}).status, 304, "an asterisk: 304")
archive.bury(first[3])
b = server.get(Q % ("00", "10"), {"If-None-Match": a["etag"]})
same((b.status, Media(b.text).times), (200, [at(0), at(2), at(4), at(8)]), "a tombstone is in the very next answer")
os.unlink(first[3].replace(".ts", ".tombstone"))
same(server.get(Q % ("00", "10")).body, a.body, "and gone again")
os.rename(first[3], first[3].replace("-full-", "-partial-"))
same(media(Q % ("00", "10")).gaps, [4], "a rename to partial leaves a hole behind it")
os.rename(first[3].replace("-full-", "-partial-"), first[3])
a = server.get(Q % ("00", "10"), {"Range": "bytes=0-9"})
same((a.status, a.body), (206, b"#EXTM3U\n#E"), "takes ranges")

# ------------------------------------------------------------------ edit lists
R = "range=2024-03-01T10:00:%s,2024-03-01T10:00:%s"
m = media(P + "?" + R % ("30", "34") + "&" + R % ("02", "05") + "&" + R % ("02", "05"), text="an edit list")
want = [at(29), at(31), at(33), at(2), at(4), at(2), at(4)]
same(m.times, want, "range=: the segments of each, in the order given")
same(m.gaps, [3, 5], "range=: a discontinuity where they join")
same(m.ended, True, "range=: long past, so ended")
m = media(P + "?" + R % ("02", "04") + "&start=2024-03-01T10:00:30&end=2024-03-01T10:00:32", text="range and start")
same(m.times, [at(2)], "range= overrides start and end")
m = media(P + "?" + R % ("18", "30"), text="an edit list with a hole")
same(m.gaps, [1], "range=: a hole inside one")

# ------------------------------------------------------------------ near now
now = utc_now().replace(microsecond=0)


def live(path="/playlist/live/source.m3u8", **more):
    return media(path, **more)


def stamp(s):
    return iso(now + seconds(s))


archive.run("live", "source", now - seconds(60), 15)            # -60 to -30
m = live()
same((m.times[-1], len(m.items), m.ended), (stamp(-32), 15, False), "live: what there is, no ENDLIST")
for i in range(15, 25):
    archive.put("live", "source", now - seconds(60 - 2 * i))
    m2 = live(text=f"live, segment {i}")
    ok(m2.uris[:len(m.uris)] == m.uris and len(m2.uris) == i + 1, "a segment is in the very next answer, appended", m2.times[-3:])
    m = m2
# -10 is the end; now -10..-8 is missing, and -8..-4 are there: held back
archive.run("live", "source", now - seconds(8), 2)
m2 = live(text="live with a fresh hole")
same(m2.uris, m.uris, "a fresh hole and all behind it are held back")
explicit = media(f"/playlist/live/source.m3u8?start={stamp(-60)}&end={stamp(0)}")
same((len(explicit.items), explicit.gaps), (27, [25]), "not with an explicit end")
same(explicit.ended, False, "an explicit end just now with a hole at it: no ENDLIST")
explicit = media(f"/playlist/live/source.m3u8?start={stamp(-60)}&end={stamp(-5)}")
same(explicit.ended, True, "an explicit end that is covered: ENDLIST")
archive.put("live", "source", now - seconds(10))                # filled
m2 = live(text="live, filled")
ok(m2.uris[:len(m.uris)] == m.uris and len(m2.uris) == 28 and not m2.gaps, "filled: all of it, appended", (len(m2.uris), m2.gaps))
m = m2
# a hole that is never filled shows once it is older than 15 s before the newest
archive.run("live", "source", now - seconds(2), 6)              # -4 to -2 missing; up to +10
m2 = live(text="live, second hole")
same(m2.uris, m.uris, "12 s behind the newest: held back")
archive.run("live", "source", now + seconds(10), 6)             # up to +22
m2 = live(text="live, old hole")
ok(m2.uris[:len(m.uris)] == m.uris and m2.gaps == [28] and len(m2.uris) == 40, "older than that: shown with a discontinuity",
   (len(m.uris), len(m2.uris), m2.gaps))

# Segments that arrive in any order: the list only ever appends.
order = list(range(60))
archive.random.shuffle(order)
order = sorted(order, key=lambda n: n + (n > 7) * archive.random.random() * 6)
seen, grew, shrunk = [], 0, None
start = utc_now().replace(microsecond=0) - seconds(50)
for n in order:
    if n in (20, 41):
        continue                # never
    archive.put("disorder", "source", start + seconds(2 * n), salt=str(n))
    a = server.get("/playlist/disorder/source.m3u8")
    got = Media(a.text)
    lines = [(i["uri"], i["gap"]) for i in got.items]
    if lines[:len(seen)] != seen:
        shrunk = (n, seen[-3:], lines[-6:])
        break
    grew += len(lines) > len(seen)
    seen = lines
ok(not shrunk, "in disorder: every list begins with the one before", shrunk)
ok(grew > 10, "in disorder: it grows", grew)
ok(len(seen) >= 50, "in disorder: and has them in the end", len(seen))

# ------------------------------------------------------------------ master
a = server.get("/playlist/chan.m3u8")
variants, groups = read_master(a.text)
same((a.status, a["content-type"], a.lines[0]), (200, "application/vnd.apple.mpegurl", "#EXTM3U"), "master: a playlist")
same([v["VIDEO"] for v, _ in variants], ["source", "160p"], "master: without a range, all qualities but chat")
same([urllib.parse.urlsplit(u).path for _, u in variants], ["/playlist/chan/source.m3u8", "/playlist/chan/160p.m3u8"], "master: the variants' URIs")
os.rmdir(os.path.join(archive.path, "chan/160p"))
archive.run("chan", "720p", t0, 3, size=500)
archive.run("chan", "360p", t0 + seconds(1000), 3, size=100)
archive.run("chan", "480p", t0, 3, size=300)
variants, groups = read_master(server.get("/playlist/chan.m3u8").text)
names = [v["VIDEO"] for v, _ in variants]
same(names[0], "source", "master: source first")
bandwidths = [int(v["BANDWIDTH"]) for v, _ in variants[1:]]
same((sorted(names), bandwidths), (["360p", "480p", "720p", "source"], sorted(bandwidths, reverse=True)), "master: then by falling bandwidth")
same([v.get("NAME") for v, _ in variants], names, "master: NAME as VIDEO")
ok(all(groups.get(n, {}).get("TYPE") == "VIDEO" and groups[n].get("NAME") == n for n in names), "master: a MEDIA group each", groups)
q = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:30&x=a%20b"
variants, _ = read_master(server.get("/playlist/chan.m3u8?" + q).text)
same(sorted(v["VIDEO"] for v, _ in variants), ["480p", "720p", "source"], "master: only those with data in the range")
ok(all(urllib.parse.parse_qs(urllib.parse.urlsplit(u).query)["start"] == ["2024-03-01T10:00:00"] and
       urllib.parse.parse_qs(urllib.parse.urlsplit(u).query)["end"] == ["2024-03-01T10:00:30"] for _, u in variants),
   "master: the query is passed on", variants)
same({server.get(u).status for _, u in variants}, {200}, "master: each variant plays")
b = server.get("/playlist/chan.m3u8?start=2030-01-01&end=2030-01-02")
same((b.status, read_master(b.text)), (200, ([], {})), "master: no variant left is 200 and empty")
same(server.get("/playlist/nope.m3u8").status, 404, "master: no such channel is 404")
same(server.get("/playlist/none.m3u8").status, 200, "master: a channel without qualities is 200")
a = server.get("/playlist/long.m3u8")
variants, _ = read_master(a.text)
ok(variants and all("start=" in u for _, u in variants), "master: over 12 h without start, the variants get one", a)
for v, u in variants:
    b = server.get(u)
    ok(b.status == 200, f"master: and {v['VIDEO']} can be played with it", (u, b))
ok(any(Media(server.get(u).text).items for _, u in variants), "master: with something in it")
variants, _ = read_master(server.get("/playlist/" + urllib.parse.quote("ch än%,é") + ".m3u8").text)
same(len(variants) == 1 and server.get(variants[0][1]).status, 200, "master: odd names lead somewhere")

# ------------------------------------------------------------------ prefix
pre = Server(archive, ["--prefix", "/archive"])
m = media("/archive/playlist/chan/source.m3u8?start=2024-03-01T10:00:00&end=2024-03-01T10:00:10", of=pre)
ok(len(m.items) == 5 and all(u.startswith("/archive/segments/chan/source/") for u in m.uris), "prefix: in every URI", m.uris[:1])
same(pre.get(m.uris[0]).body, content(first[:1]), "prefix: a URI can be fetched")
variants, _ = read_master(pre.get("/archive/playlist/chan.m3u8").text)
ok(variants and all(u.startswith("/archive/playlist/chan/") for _, u in variants), "prefix: in the master's", variants)
same(pre.get(variants[0][1]).status, 200, "prefix: a variant can be fetched")
same(pre.get("/archive/files").json is not None, True, "prefix: /files below it")
pre.stop()
# One cache, another prefix: no line of the other one may come out.
pre = Server(archive, ["--prefix", "/other"], cache=pre.cache)
m = media("/other/playlist/chan/source.m3u8?start=2024-03-01T10:00:00&end=2024-03-01T10:00:10", of=pre)
ok(len(m.items) == 5 and all(u.startswith("/other/segments/") for u in m.uris), "another prefix over the same cache", m.uris[:1])
pre.stop()

# ------------------------------------------------------------------ real video
if not have_video():
    skip("master: measured", "no ffmpeg or numpy")
else:
    for quality, size, fps, extra in (("source", "640x360", "60", []), ("360p", "320x180", "30000/1001", []), ("160p", "160x90", "25", ["--no-audio"])):
        make_video(archive.path, "video", "--quality", quality, "--size", size, "--fps", fps, "--seconds", "12",
                   "--start", "2024-03-01T10:00:00", *extra)
    a = server.get("/playlist/video.m3u8")
    variants, _ = read_master(a.text)
    by = {v["VIDEO"]: v for v, _ in variants}
    same(sorted(by), ["160p", "360p", "source"], "video: the variants")
    for quality, size, rate in (("source", "640x360", 60), ("360p", "320x180", 29.97), ("160p", "160x90", 25)):
        v = by.get(quality, {})
        folder = os.path.join(archive.path, "video", quality, "2024-03-01T10")
        files = [(os.path.getsize(os.path.join(folder, n)), float(n.split("-")[1])) for n in sorted(os.listdir(folder))]
        average = 8 * sum(s for s, _ in files) / sum(d for _, d in files)
        peak = max(8 * s / d for s, d in files)
        same(v.get("RESOLUTION"), size, f"video {quality}: RESOLUTION")
        ok(abs(float(v.get("FRAME-RATE", 0)) - rate) < 0.002, f"video {quality}: FRAME-RATE", v)
        ok(re.fullmatch(r"\d+\.\d{3}", v.get("FRAME-RATE", "")), f"video {quality}: FRAME-RATE has three decimals", v)
        ok(abs(int(v.get("AVERAGE-BANDWIDTH", 0)) - average) <= average * 0.01 + 1, f"video {quality}: AVERAGE-BANDWIDTH", (v, average))
        ok(peak * 0.99 <= int(v.get("BANDWIDTH", 0)) <= peak * 1.11, f"video {quality}: BANDWIDTH is that of the densest segment", (v, peak))
        codecs = v.get("CODECS", "").split(",")
        ok(re.fullmatch(r"avc1\.[0-9A-Fa-f]{6}", codecs[0]), f"video {quality}: CODECS has the picture", v)
        same([c.strip() for c in codecs[1:]], [] if quality == "160p" else ["mp4a.40.2"], f"video {quality}: CODECS has the sound")
        ok('CODECS="' in a.text and not re.search(r'RESOLUTION="', a.text), "video: quoted as RFC 8216 says")
    again = server.get("/playlist/video.m3u8")
    same(again.body, a.body, "video: the same from the index")
    m = media("/playlist/video/source.m3u8")
    ok(m.items and all(server.get(u).status == 200 for u in m.uris), "video: every segment can be fetched")
    code = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0",
                           server.url.rstrip("/") + "/playlist/video/source.m3u8?end=2024-03-01T10:00:12"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    ok(code.returncode == 0 and abs(float(code.stdout.strip() or 0) - 12) < 0.1, "video: a player reads it", code)
finish()
