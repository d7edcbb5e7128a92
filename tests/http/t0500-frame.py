#!/usr/bin/env python3
"""/frame: the picture of a moment, the right one and in the right colours.

The picture's number is in its barcode; its colours are compared with what the
ffmpeg program makes of the same picture.

Environment:  CUT_ARCHIVES    a directory that keeps the archives between runs
              FRAME_COUNT     how many random moments (200)
              FRAME_SEED      of these (1)
"""
import os
import random
import sys

from onvideo import *  # noqa: E402
from cutproof import numbers, probe  # noqa: E402
from cutsweep import OVERLAPPING  # noqa: E402
from cuttruth import channel_of, to_us  # noqa: E402

base = cut_archives()
work = temp_dir("work")
server = Server(base)
rnd = random.Random(int(os.environ.get("FRAME_SEED", "1")))
SECOND = 1000000


ask = server.ask


def url(archive, seconds, ending="png", more=""):
    return f"/frame/{archive.channel}/{archive.quality}.{ending}?timestamp={archive.iso(seconds)}{more}"


def put(data, ending="png"):
    path = os.path.join(work, f"frame.{ending}")
    with open(path, "wb") as f:
        f.write(data)
    return path


def pixels(path, *more):
    p = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, *more, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE, check=True)
    return np.frombuffer(p.stdout, np.uint8).astype(int)


# ------------------------------------------------------------------ the right one
def is_clear(archive, seconds, frame):
    """Whether the truth is sure of it: it can be decoded from what there is, and
    no segment that is not whole is near."""
    near = [s for s in archive.segments if abs(s.start_us - to_us(seconds)) < 3 * SECOND]
    if not all(s.full for s in near) or (archive.channel in OVERLAPPING and any(abs(s.start_us - to_us(seconds)) < 10000 for s in near)):
        return False
    return frame is None or any(f.idr and f.pts <= frame.pts for s in archive.unbroken[frame.segment] for f in s.frames) or archive.channel == "hevc"


channels = sorted(os.path.basename(p)[:-len("-source.json")] for p in os.listdir(os.path.join(base, ".truth")) if p.endswith("-source.json"))
wrong, nr_right, nr_holes = [], 0, 0
for nth in range(int(os.environ.get("FRAME_COUNT", "200"))):
    archive = channel_of(base, channels[nth % len(channels)])
    while True:
        seconds = "%.6f" % rnd.uniform(0, archive.seconds - 0.1)
        frame = archive.picture(to_us(seconds))
        if is_clear(archive, seconds, frame):
            break
    a = ask(url(archive, seconds))
    if frame is None:
        nr_holes += a.status == 406
        if a.status != 406:
            wrong.append((url(archive, seconds), a.status, "in a hole"))
        continue
    found = numbers(put(a.body))[0] if a.status == 200 else a.text
    nr_right += found == [frame.number & 0xffff]
    if found != [frame.number & 0xffff]:
        wrong.append((url(archive, seconds), a.status, found, frame.number))
ok(not wrong and nr_right > 100, f"{nr_right} random moments have the right picture, {nr_holes} are in holes", wrong)

bf2 = channel_of(base, "bf2")
for frame in sorted((f for s in bf2.segments for f in s.frames), key=lambda f: f.pts)[118:124]:
    moment = (frame.pts - frame.segment.run.pts0) / 90000
    for before in (0.000003, 0.010):
        a = ask(url(bf2, "%.6f" % (moment - before)))
        same(numbers(put(a.body))[0], [frame.number], f"{before} s before picture {frame.number} it is that one")
# In front of the key picture of an HEVC segment are some that need the segment
# before; how its name's time is meant, as theirs or as the key's, is not said.
hevc = channel_of(base, "hevc")
leading = [f for s in hevc.segments[1:4] for f in s.frames if f.pts <= s.frames[0].pts + 3000]
ok(any(f.pts < f.segment.frames[0].pts for f in leading), "HEVC with pictures that lead")
wrong = []
for f in leading:
    a = ask(url(hevc, "%.6f" % ((f.pts - f.segment.run.pts0) / 90000 - .003)))
    found = numbers(put(a.body))[0] if a.status == 200 else a.text
    if len(found) != 1 or abs(found[0] - f.number) > 2:
        wrong.append((f.number, found))
ok(not wrong, f"{len(leading)} moments around key pictures have one", wrong)
hole = channel_of(base, "hole")
for seconds in (8.0, 10.5, 12.9):
    a = ask(url(hole, seconds))
    same((a.status, a.body.count(b"\n")), (406, 1), f"in a hole, at {seconds}")
    like(a.text, "contains holes", "says so")
same(numbers(put(ask(url(hole, "13")).body))[0], [hole.picture(to_us(13)).number], "right behind it there is one")
same(ask(url(hole, "-60")).status, 406, "long before the archive")
same(ask(url(hole, "60")).status, 406, "long behind it")

# ------------------------------------------------------------------ colours and sizes
for channel, matrix in (("main540", "bt709"), ("bf2", "bt601"), ("hd", "bt709")):
    if channel == "hd" and not os.path.isdir(os.path.join(base, "hd")):
        continue
    archive = channel_of(base, channel)
    segment = archive.segments[1]
    theirs = pixels(segment.path, "-frames:v", "1", "-vf", f"scale=in_color_matrix={matrix}:out_range=full:flags=bicubic+accurate_rnd+full_chroma_int")
    for ending, limit, worst in (("png", 1.0, 12), ("jpg", 4.0, 255)):
        a = ask(url(archive, segment.start_us / SECOND, ending))
        mine = pixels(put(a.body, ending))
        off = np.abs(mine - theirs)
        same(a["content-type"], {"png": "image/png", "jpg": "image/jpeg"}[ending], f"{channel}: the type of .{ending}")
        ok(off.mean() < limit and off.max() <= worst, f"{channel}, .{ending}: the colours are right", (off.mean(), off.max()))
for height, width in ((90, 160), (181, 322), (1, 2), (720, 1280)):
    stream = probe(put(ask(url(bf2, 3, more=f"&height={height}")).body), "-show_streams")["streams"][0]
    same((stream["width"], stream["height"]), (width, height), f"height={height}")

# ------------------------------------------------------------------ HTTP
a = ask(url(bf2, "3.1"))
etag = a["etag"]
b = ask(url(bf2, "3.1"))
same((b.body == a.body, b["etag"]), (True, etag), "the same bytes, and a validator")
same(ask(url(bf2, "3.1"), {"If-None-Match": etag}).status, 304, "which is taken")
same(ask(url(bf2, "3.095"))["etag"], etag, "between two pictures it is the same one")
others = {ask(u)["etag"] for u in (url(bf2, "3.2"), url(bf2, "3.1", "jpg"), url(bf2, "3.1", more="&height=100"), url(bf2, "3.1", "jpg", "&height=100"))}
ok(etag not in others and len(others) == 4, "of what differs it differs", others)
head = ask(url(bf2, "3.1"), method="HEAD")
same((head.status, head["content-length"], head.body), (200, str(len(a.body)), b""), "HEAD")
for query, pattern in (("", "timestamp: is required"), ("timestamp=garbage", "timestamp"), ("timestamp=", "timestamp"), ("timestamp=2024-03-01T10:00:03&height=0", "height"),
                       ("timestamp=2024-03-01T10:00:03&height=4321", "from 1 to 4320"), ("timestamp=2024-03-01T10:00:03&height=abc", "height"),
                       ("timestamp=2024-03-01T10:00:03&height=-5", "height"), ("timestamp=2024-03-01T10:00:03&height=99999999999999999999", "height")):
    a = ask(f"/frame/bf2/source.png?{query}")
    same((a.status, a.body.count(b"\n")), (400, 1), f"'{query}' is an error")
    like(a.text, pattern, "that says where")
for path in ("/frame/nope/source.png", "/frame/bf2/nope.jpg", "/frame/bf2/source.gif", "/frame/bf2/source"):
    same(ask(path + "?timestamp=2024-03-01T10:00:03").status, 404, path)

# ------------------------------------------------------------------ damage, and offline
copy = temp_dir("copy")
shutil.copytree(os.path.join(base, "bf2"), os.path.join(copy, "bf2"))
damaged = Server(copy)
victims = sorted(p for d, _, names in os.walk(copy) for p in (os.path.join(d, n) for n in names) if p.endswith(".ts"))
for nth, (path, how) in enumerate(zip(victims[1:5], (lambda d: b"", lambda d: bytes(len(d)), lambda d: d[:1000], lambda d: bytes(rnd.randrange(256) for _ in d)))):
    data = content([path])
    with open(path, "wb") as f:
        f.write(how(data))
    a = damaged.get(f"/frame/bf2/source.png?timestamp={bf2.iso(2 * nth + 3)}")
    ok(a.status in (406, 200) and (a.status == 200 or a.body.count(b"\n") == 1 and copy not in a.text), f"a damaged segment, {nth}: a reason", a)
damaged.stop()
out = os.path.join(work, "offline")
for ending in ("png", "jpg"):
    status, _, said = run_program("frame", "bf2", "source", "--base", base, "--cache", "none", "--timestamp", bf2.iso("3.1"), "--height", "99", "-o", f"{out}.{ending}")
    same((status, said, content([f"{out}.{ending}"]) == ask(url(bf2, "3.1", ending, "&height=99")).body), (0, b"", True), f"restreamer frame -o NAME.{ending}: the same bytes")
for name, status in (("x.JPG", 0), ("x.gif", 2), ("x.mp4", 2), ("x", 0), ("x.2026", 0)):
    path = os.path.join(work, name)
    same((run_program("frame", "bf2", "source", "--base", base, "--cache", "none", "--timestamp", bf2.iso("3.1"), "-o", path)[0], os.path.exists(path)), (status, not status), f"-o {name}")
same(content([os.path.join(work, "x.JPG")])[:2], b"\xff\xd8", "endings in capitals are the same")
same(run_program("frame", "hole", "source", "--base", base, "--cache", "none", "--timestamp", hole.iso("10"), "-o", f"{out}.none")[0], 6, "offline in a hole: exit 6")
finish()
