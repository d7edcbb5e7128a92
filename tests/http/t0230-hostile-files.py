#!/usr/bin/env python3
"""Files on disk that nobody should have put there.

What is no segment is in no list and breaks no answer; what cannot be read is
said before the first byte.
"""
from harness import *

archive = Archive()
start = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", start, 30, size=20000)
hour = archive.folder("chan", "source", start)
HOUR = "/files/chan/source/2024-03-01T10"
PLAYLIST = ("/playlist/chan/source.m3u8?start=2024-03-01T10:00"
            "&end=2024-03-01T11:00")

server = Server(archive, ["--workers", "2", "--sendfile", "off"])
workers = server.workers()


def name(at, duration="2", kind="full", salt="aa"):
    return f"{at // 60:02d}:{at % 60:02d}-{duration}-{kind}-{salt}.ts"


def cut(begin, end):
    return server.get(
        "/cut/chan/source.ts?type=rough&allow_holes=true"
        f"&start=2024-03-01T10:{begin // 60:02d}:{begin % 60:02d}"
        f"&end=2024-03-01T10:{end // 60:02d}:{end % 60:02d}")


def listed(what):
    """Whether a name is in /files, in the playlist."""
    encoded = urllib.parse.quote(what, safe="")
    return (what in server.get(HOUR).json,
            encoded in server.get(PLAYLIST).text)


# ------------------------------------------------- things that are no file

for what, make in (("a FIFO", os.mkfifo), ("a directory", os.mkdir),
                   ("a socket", lambda p: socket.socket(
                       socket.AF_UNIX).bind(p))):
    path = os.path.join(hour, name(100))
    os.chdir(hour)      # a socket's path must be short
    make(name(100))
    same(listed(name(100)), (False, False), f"{what} is not listed")
    same(server.get("/segments/chan/source/2024-03-01T10/" + name(100)).status,
         404, f"{what}: no segment")
    same(cut(95, 105).status, 406, f"{what}: a hole to a cut")
    (os.rmdir if os.path.isdir(path) else os.unlink)(path)

# -------------------------------------------------------------------- links

archive.write("chan/elsewhere.ts", b"e" * 1000)
for what, target, status in (
        ("in the same hour", os.path.basename(paths[0]), 200),
        ("elsewhere in the archive", "../../elsewhere.ts", 200),
        # not a file, so not a segment: a hole
        ("to nothing", "nothing", 406),
        ("to itself", name(200), 406),
        ("out of the archive", "/etc/passwd", 503)):
    path = os.path.join(hour, name(200))
    os.symlink(target, path)
    a = cut(195, 205)
    b = server.get("/segments/chan/source/2024-03-01T10/" + name(200))
    if status == 200:
        want = content([path])
        same((a.status, a.body == want, b.status, b.body == want),
             (200, True, 200, True), f"a link {what} is followed")
    else:
        same((a.status, a.whole, b.status), (status, True, 404),
             f"a link {what} is refused before the first byte")
    os.unlink(path)

archive.put("chan", "other", start, size=500)
for at, target, count in (("05", "2024-03-01T10", 30),
                          ("06", "2024-03-01T06", 0),
                          ("07", "/etc", 0),
                          ("08", "../other/2024-03-01T10", 1)):
    os.symlink(target, os.path.join(os.path.dirname(hour),
                                    f"2024-03-01T{at}"))
    query = f"start=2024-03-01T{at}:00&end=2024-03-01T{at}:30"
    a = server.get(f"/playlist/chan/source.m3u8?{query}")
    b = server.get(f"/cut/chan/source.ts?type=rough&allow_holes=true&{query}")
    same((a.status, len(Media(a.text).items), b.status, b.whole),
         (200, count, 200 if count else 406, True),
         f"an hour that is a link to {target}")

# -------------------------------------------------------------------- names

odd = [b"\xff\xfe.ts", b"\xed\xa0\x80.json", b"a\nb.ts", b"\x01.ts",
       b"\x7f.ts"]
fine = ["é.ts", 'q"\\.ts']
for one in odd + [n.encode() for n in fine]:
    with open(os.path.join(hour.encode(), one), "wb"):
        pass
for one in (b"\xffchan", b"li\nne", b"chan/qual\xffity", b"chan/a\nb"):
    os.makedirs(os.path.join(archive.path.encode(), one))
names = server.get(HOUR).json
same(sorted(n for n in names if n in fine), sorted(fine),
     "names that are odd but can be asked for are listed")
same(len(names), len(paths) + len(fine), "and those that cannot are not")
same(server.get("/files").json, ["chan"], "nor such channels")
same(server.get("/files/chan").json, ["other", "source"], "nor qualities")
ok(all(n.isprintable() for n in server.get("/extras/chan").json),
   "nor such extras")
a = server.get("/playlist/chan.m3u8?start=2024-03-01T10:00&end=2024-03-01T11:00")
same(len(read_master(a.text)[0]), 2, "nor such variants")

# ---------------------------------------------------------------- durations

for duration in ("0", "-1", "1e3", "3600.000001", "99999999999999999999"):
    with open(os.path.join(hour, name(300, duration)), "wb"):
        pass
ok("10%3A05" not in server.get(PLAYLIST).text and "05%3A00" not in
   server.get(PLAYLIST).text, "segments of impossible lengths are none")
with open(os.path.join(hour, name(300, "3600")), "wb"):
    pass
media = Media(server.get(PLAYLIST).text)
same((media.faults, media.tags["#EXT-X-TARGETDURATION"]), ([], "3600"),
     "one of an hour is one")
os.unlink(os.path.join(hour, name(300, "3600")))

# ------------------------------------------------------- in the midst of it

big = Archive()
paths = big.run("chan", "source", start, 60, size=300000)
whole = content(paths)
slow = Server(big, ["--workers", "2"])
CUT = ("/cut/chan/source.ts?type=rough&start=2024-03-01T10:00"
       "&end=2024-03-01T10:02")


def restore():
    os.makedirs(os.path.dirname(paths[0]), exist_ok=True)
    for i, path in enumerate(paths):
        with open(path, "wb") as f:
            f.write(whole[i * 300000:(i + 1) * 300000])


def append(path):
    with open(path, "ab") as f:
        f.write(b"more")


for what, change in (
        ("vanishes", lambda: os.unlink(paths[50])),
        ("becomes shorter", lambda: os.truncate(paths[50], 10)),
        ("becomes empty", lambda: os.truncate(paths[59], 0)),
        ("grows", lambda: append(paths[55])),
        ("vanishes with its hour",
         lambda: shutil.rmtree(os.path.dirname(paths[0])))):
    client = SlowClient(slow, CUT)
    client.read_head()
    change()
    a = client.read_all()
    client.close()
    ok(a.status == 200 and len(a.body) < len(whole) and
       whole.startswith(a.body), f"a segment that {what} while it is sent "
       "breaks the answer, and no wrong byte is in it", len(a.body))
    restore()
a = slow.get(CUT)
same((a.status, a.body == whole), (200, True), "and then all is well again")
same(slow.metrics().get("restreamer_answers_broken_total"), 5,
     "five broken answers are counted")

# --------------------------------------------------------- another archive

second = Archive()
second.put("elsewhere", "source", start)
os.rename(big.path, big.path + ".old")
at_end(lambda: shutil.rmtree(big.path + ".old", ignore_errors=True))
same(slow.get("/healthz").status, 503, "without an archive we are not well")
same(slow.get("/files").json, ["chan"], "but what was open still answers")
os.rename(second.path, big.path)
same(slow.get("/files").json, ["elsewhere"],
     "another archive in its place is seen at once")
same(slow.get("/healthz").status, 200, "and we are well")

same(server.workers(), workers, "no worker died of any of this")
finish()
