#!/usr/bin/env python3
"""The offline commands say what the URLs say, and exit by kind of failure."""
import subprocess

from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", t0, 10, size=20000)
archive.run("chan", "source", t0 + seconds(30), 5, size=20000)
archive.run("chan", "720p", t0, 5)
dead = archive.put("chan", "source", t0 + seconds(40))
archive.bury(dead)
cache = temp_dir("cache")
server = Server(archive)
work = temp_dir("work")


def offline(*args, **more):
    return run_program(*args, "--base", archive.path, "--cache", cache, **more)


def agrees(args, path, text):
    status, out, err = offline(*args)
    a = server.get(path)
    ok(a.status == 200 and status == 0 and out.rstrip(b"\n") == a.body.rstrip(b"\n"), f"{' '.join(args)[:70]}: as {text}", (status, out[:300], err, a))


agrees(["files"], "/files", "/files")
agrees(["files", "chan"], "/files/chan", "/files/C")
agrees(["files", "chan", "source"], "/files/chan/source", "/files/C/Q")
agrees(["files", "chan", "source", "2024-03-01T10"], "/files/chan/source/2024-03-01T10", "/files/C/Q/H")
agrees(["files", "chan", "source", "2024-03-01T10", "--tombstones", "true"], "/files/chan/source/2024-03-01T10?tombstones=true", "with tombstones")
agrees(["files", "nope"], "/files/nope", "an unknown channel")
agrees(["playlist", "chan", "source"], "/playlist/chan/source.m3u8", "the media playlist")
agrees(["playlist", "chan", "source", "--start", "2024-03-01T10:00:03", "--end", "2024-03-01T10:00:33"],
       "/playlist/chan/source.m3u8?start=2024-03-01T10:00:03&end=2024-03-01T10:00:33", "a range")
agrees(["playlist", "chan", "source", "--start=2024-03-01T12:00:03+02:00", "--end=2024-03-01T05:00:33-05:00"],
       "/playlist/chan/source.m3u8?start=2024-03-01T10:00:03&end=2024-03-01T10:00:33", "times with offsets")
agrees(["playlist", "chan", "source", "--range", "2024-03-01T10:00:30,2024-03-01T10:00:34", "--range", "2024-03-01T10:00:00,2024-03-01T10:00:04"],
       "/playlist/chan/source.m3u8?range=2024-03-01T10:00:30,2024-03-01T10:00:34&range=2024-03-01T10:00:00,2024-03-01T10:00:04", "an edit list")
agrees(["playlist", "chan"], "/playlist/chan.m3u8", "the master")
status, out, _ = offline("playlist", "chan", "source", "--prefix", "/x")
ok(status == 0 and all(u.startswith("/x/segments/") for u in Media(out.decode()).uris), "--prefix", out[:200])

R = ["--start", "2024-03-01T10:00:03", "--end", "2024-03-01T10:00:11"]
Q = "?type=rough&start=2024-03-01T10:00:03&end=2024-03-01T10:00:11"
want = content(paths[1:6])
out_path = os.path.join(work, "out.ts")
status, out, err = offline("cut", "chan", "source", *R, "--type", "rough", "-o", out_path)
ok(status == 0 and content([out_path]) == want == server.get("/cut/chan/source.ts" + Q).body, "cut -o FILE: the same bytes", (status, err))
same(out, b"", "cut -o FILE: nothing on standard output")
status, out, err = offline("cut", "chan", "source", *R, "--type", "rough")
ok(status == 0 and out == want, "cut to standard output", (status, len(out), err))
status, out, err = offline("cut", "chan", "source", *R, "--type", "rough", "--output", out_path)
ok(status == 0 and content([out_path]) == want, "--output over an old file", (status, err))
status, out, err = offline("cut", "chan", "source", "--range", "2024-03-01T10:00:30,2024-03-01T10:00:34", "--range", "2024-03-01T10:00:00,2024-03-01T10:00:02", "--type=rough")
same(out, server.get("/cut/chan/source.ts?type=rough&range=2024-03-01T10:00:30,2024-03-01T10:00:34&range=2024-03-01T10:00:00,2024-03-01T10:00:02").body, "cut with ranges")
status, out, err = offline("cut", "chan", "source", "--start", "2024-03-01T10:00:18", "--end", "2024-03-01T10:00:32", "--type", "rough", "--allow_holes", "true")
ok(status == 0 and out == content(paths[9:]) + server.get("/cut/chan/source.ts?type=rough&start=2024-03-01T10:00:30&end=2024-03-01T10:00:32").body,
   "cut with holes allowed", (status, err))

# Failures: a line, a status by kind, no half file.
kinds = {}
for kind, args in (("input", ["playlist", "chan", "source", "--start", "garbage"]), ("input", ["cut", "chan", "source", *R, "--type", "zzz"]),
                   ("input", ["cut", "chan", "source", "--start", "x", "--end", "y", "--type", "rough"]), ("notfound", ["playlist", "chan", "nope"]),
                   ("notfound", ["cut", "chan", "nope", *R, "--type", "rough"]), ("forbidden", ["files", ".hidden"]),
                   ("holes", ["cut", "chan", "source", "--start", "2024-03-01T10:00:15", "--end", "2024-03-01T10:00:35", "--type", "rough"]),
                   ("input", ["playlist", "chan", "source", "--nonsense", "x"]), ("input", ["files", "a", "b", "c", "d"]), ("input", ["playlist"])):
    status, out, err = offline(*args)
    lines = err.decode().strip().splitlines()
    ok(status > 0 and out == b"" and len(lines) >= 1, f"{' '.join(args)[:60]}: fails with words ({kind}, {status})", (status, out[:100], err))
    kinds.setdefault(kind, set()).add(status)
ok(all(len(v) == 1 for v in kinds.values()) and len(set.union(*kinds.values())) == len(kinds), "each kind of failure has a status of its own", kinds)
holes = os.path.join(work, "holes.ts")
offline("cut", "chan", "source", "--start", "2024-03-01T10:00:15", "--end", "2024-03-01T10:00:35", "--type", "rough", "-o", holes)
ok(not os.path.exists(holes), "a cut that fails leaves no file")
with open(out_path, "wb") as f:
    f.write(b"old")
offline("cut", "chan", "source", "--start", "2024-03-01T10:00:15", "--end", "2024-03-01T10:00:35", "--type", "rough", "-o", out_path)
same(content([out_path]), b"old", "nor does it touch an old one")
same(sorted(os.listdir(work)), ["out.ts"], "and nothing temporary stays")
with open("/dev/full", "wb") as full:
    p = subprocess.run([PROGRAM, "cut", "chan", "source", *R, "--type", "rough", "--base", archive.path, "--cache", cache], stdout=full, stderr=subprocess.PIPE)
ok(p.returncode != 0 and p.stderr, "a full disk is a failure", p)
status, out, err = offline("cut", "chan", "source", *R, "--type", "rough", "-o", os.path.join(work, "no", "such", "dir.ts"))
ok(status != 0 and err, "an output that cannot be made is a failure", (status, err))

# index, routes
archive.age(4)
status, out, err = offline("playlist", "chan", "source")
same(status, 0, "a playlist, so that there is an index")
found = [n for d, _, names in os.walk(cache) for n in names if n.endswith(".idx")]
ok(found, "an index file in the cache", os.listdir(cache))
status, out, err = offline("index", "verify")
ok(status == 0, "index verify: all good", (status, out, err))
status, out, err = offline("index", "stats")
ok(status == 0 and re.search(rb"\d", out), "index stats: numbers", (status, out, err))
victim = next(os.path.join(d, n) for d, _, names in os.walk(cache) for n in names if n.endswith(".idx"))
data = bytearray(content([victim]))
data[len(data) // 2] ^= 1
with open(victim, "wb") as f:
    f.write(data)
status, out, err = offline("index", "verify")
ok(status != 0 or b"corrupt" in (out + err).lower(), "index verify: a flipped bit is found", (status, out, err))
agrees(["playlist", "chan", "source"], "/playlist/chan/source.m3u8", "ever, over a damaged index")
status, out, err = offline("index", "clear")
same((status, [n for d, _, names in os.walk(cache) for n in names if n.endswith(".idx")]), (0, []), "index clear: none left")
status, out, err = offline("index", "nonsense")
ok(status != 0 and err, "index nonsense: fails", (status, err))
status, out, err = offline("routes")
for word in (b"/files", b"/extras", b"/segments", b"/playlist", b"/cut", b"/metrics", b"/healthz", b"start", b"allow_holes"):
    ok(status == 0 and word in out, f"routes names {word.decode()}", (status, out[:500]))

# Not a channel that is called like a command, and the base by default.
p = subprocess.run([PROGRAM, "files", "--cache", "none"], cwd=archive.path, stdout=subprocess.PIPE)
same(json.loads(p.stdout), ["chan"], "--base is the working directory if not given")
p = subprocess.run([PROGRAM, "files", "--cache", "none"], env={"RESTREAMER_BASE": archive.path}, stdout=subprocess.PIPE)
same(json.loads(p.stdout), ["chan"], "or RESTREAMER_BASE")
finish()
