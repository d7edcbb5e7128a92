#!/usr/bin/env python3
"""/storyboard: the right picture in each tile, and a WebVTT that agrees.

The number of a tile's picture is in its barcode.

Environment:  CUT_ARCHIVES      a directory that keeps the archives between runs
              STORYBOARD_COUNT  how many random storyboards (60)
              STORYBOARD_SEED   of these (1)
"""
import os
import random
import sys

from onvideo import *  # noqa: E402
from cutsweep import OVERLAPPING  # noqa: E402
from cuttruth import channel_of, ticks, to_us  # noqa: E402

base = cut_archives()
work = temp_dir("work")
server = Server(base)
rnd = random.Random(int(os.environ.get("STORYBOARD_SEED", "1")))
SECOND, GREY = 1000000, 0x30
GOLDEN = os.path.join(DATA, "golden", "storyboard.jpg")


def ask(path, headers=None, server=server, **more):
    return server.ask(path, headers, **more)


def arguments(archive, start, end, **more):
    return {"start": archive.iso(start), "end": archive.iso(end), **more}


def url(archive, start, end, ending="jpg", **more):
    return f"/storyboard/{archive.channel}/{archive.quality}.{ending}?{urllib.parse.urlencode(arguments(archive, start, end, **more))}"


class Board:
    """A sheet as an array of tiles, each an array of pixels."""

    def __init__(self, data, columns, rows):
        path = os.path.join(work, "sheet.jpg")
        with open(path, "wb") as f:
            f.write(data)
        said = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", path], stdout=subprocess.PIPE, check=True, text=True)
        self.width, self.height = map(int, said.stdout.strip().split(","))
        raw = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE, check=True).stdout
        self.pixels = np.frombuffer(raw, np.uint8).reshape(self.height, self.width, 3).astype(int)
        self.w, self.h = self.width // columns, self.height // rows
        self.tiles = [self.pixels[y * self.h:(y + 1) * self.h, x * self.w:(x + 1) * self.w] for y in range(rows) for x in range(columns)]

    def number(self, i):
        """In the barcode of tile i; None if it is an empty tile."""
        if self.is_empty(i):
            return None
        cell = self.w / 20
        rows = self.tiles[i][int(cell * .3):int(cell * .7) + 1].mean(axis=(0, 2))
        return sum(1 << k for k in range(16) if rows[int(cell * (k + 2.3)):int(cell * (k + 2.7)) + 1].mean() > 110)

    def is_empty(self, i):
        # JPEG smears a little of the tiles beside it.
        return np.abs(self.tiles[i][8:-8, 8:-8] - GREY).max() < 12


def read_vtt(text, archive, start):
    """[(from ms, to ms, URL, box)], read by the letter; and what is wrong."""
    faults = []
    blocks = text.split("\n\n")
    if blocks[0] != "WEBVTT" or not text.endswith("\n"):
        faults.append("no WebVTT")
    if blocks[1] != f"NOTE 00:00:00.000 is {archive.iso(start)}Z":
        faults.append(blocks[1])
    cues = []
    for block in blocks[2:]:
        m = re.fullmatch(r"(\d\d+):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d\d+):([0-5]\d):([0-5]\d)\.(\d{3})\n([^\s#]+)#xywh=(\d+),(\d+),(\d+),(\d+)\n?", block)
        if not m:
            faults.append(block)
            continue
        h1, m1, s1, x1, h2, m2, s2, x2 = map(int, m.groups()[:8])
        cues.append((((h1 * 60 + m1) * 60 + s1) * 1000 + x1, ((h2 * 60 + m2) * 60 + s2) * 1000 + x2, m[9], tuple(map(int, m.groups()[9:]))))
    return cues, faults


# ------------------------------------------------------------------ the right ones
def keys(archive, segment):
    """The key pictures of a segment, in order."""
    if archive.channel == "hevc":
        return segment.frames[:1]
    return [f for f in segment.frames if f.idr]


def expected(archive, start_us, end_us, segments):
    """The picture of an interval, given the segments of the sequence."""
    begins = [s for s in segments if start_us <= s.start_us < end_us]
    looked = begins[:3]
    if not begins or begins[0].start_us - start_us > (end_us - start_us) // 4:
        looked = [s for s in segments if s.start_us < start_us < s.end_us][-1:] + looked
    for s in looked:
        for f in keys(archive, s):
            if s.pts0 + ticks(start_us - s.start_us) - 1 <= f.pts < s.pts0 + ticks(end_us - s.start_us) - 1:
                return f
    return archive.picture(start_us)


def is_clear(archive, start_us, end_us, frame):
    """Whether the truth is sure of it."""
    near = [s for s in archive.segments if s.start_us - 3 * SECOND < end_us and s.end_us + 3 * SECOND > start_us]
    if not all(s.full for s in near) or archive.channel in OVERLAPPING:
        return False
    if frame and archive.channel == "hevc":
        # Those in front of a segment's key picture need the segment before.
        return frame.pts >= frame.segment.frames[0].pts
    return frame is None or any(f.idr and f.pts <= frame.pts for s in archive.unbroken[frame.segment] for f in s.frames)


def intervals(start_us, end_us, count):
    at = [start_us + (end_us - start_us) * i // count for i in range(count + 1)]
    return list(zip(at, at[1:]))


# Those have key pictures that the truth does not know of, or bars.
LOOSE = ("opengop", "sizechange", "change")
channels = sorted(os.path.basename(p)[:-len("-source.json")] for p in os.listdir(os.path.join(base, ".truth")) if p.endswith("-source.json"))
wrong, counts, faults = [], {"key": 0, "exact": 0, "hole": 0}, []
for nth in range(int(os.environ.get("STORYBOARD_COUNT", "60"))):
    archive = channel_of(base, channels[nth % len(channels)])
    length = rnd.choice((1, 3, archive.seconds - 1))
    start_us = rnd.randrange(max(1, int((archive.seconds - length) * SECOND)))
    end_us = start_us + int(length * SECOND) - rnd.randrange(1000)
    columns, rows = rnd.randrange(1, 6), rnd.randrange(1, 6)
    span = start_us / SECOND, end_us / SECOND
    more = {"columns": columns, "rows": rows, "height": rnd.choice((90, 120, 121))}
    a, v = ask(url(archive, *span, **more)), ask(url(archive, *span, "vtt", **more))
    if (a.status, v.status) != (200, 200):
        wrong.append((url(archive, *span, **more), a.status, v.status, a.text[:200]))
        continue
    board = Board(a.body, columns, rows)
    cues, said = read_vtt(v.text, archive, start_us / SECOND)
    # ---- the WebVTT and the sheet agree
    want = intervals(0, end_us - start_us, columns * rows)
    if [c[:2] for c in cues] != [((p + 500) // 1000, (q + 500) // 1000) for p, q in want]:
        said.append("times")
    if [c[3] for c in cues] != [(i % columns * board.w, i // columns * board.h, board.w, board.h) for i in range(columns * rows)]:
        said.append("boxes")
    if board.w * columns != board.width or board.h * rows != board.height or board.w % 2 or board.h != more["height"] // 2 * 2:
        said.append("sizes")
    if {c[2] for c in cues} != {cues[0][2]} or nth < 10 and ask(urllib.parse.urljoin(url(archive, *span, "vtt"), cues[0][2])).body != a.body:
        said.append("URL")
    if said:
        faults.append((url(archive, *span, **more), said))
    # ---- the pictures
    segments = archive.sequence(start_us, end_us)[0]
    for i, (lo, hi) in enumerate(intervals(start_us, end_us, columns * rows)):
        frame = expected(archive, lo, hi, segments)
        if not is_clear(archive, lo, hi, frame):
            continue
        if archive.channel in LOOSE:
            right = board.is_empty(i) == (frame is None)
        else:
            right = board.number(i) == (frame and frame.number & 0xffff)
        counts["hole" if frame is None else "key" if frame in keys(archive, frame.segment) else "exact"] += 1
        if not right:
            wrong.append((url(archive, *span, **more), i, board.number(i), frame))
ok(not wrong and counts["key"] > 100 and counts["exact"] > 100, f"every tile has the picture of its interval: {counts}", wrong[:8])
ok(not faults, "the WebVTT covers the range and has the boxes of the sheet", faults[:4])

# ---- what /frame gives, where there is no key picture
bf2 = channel_of(base, "bf2")
board = Board(ask(url(bf2, 4.1, 5.9, columns=3, rows=2)).body, 3, 2)
path = os.path.join(work, "frame.jpg")
for i in range(6):
    with open(path, "wb") as f:
        f.write(ask(f"/frame/bf2/source.jpg?height=90&timestamp={bf2.iso(4.1 + .3 * i)}").body)
    frame = Board(content([path]), 1, 1)
    ok(np.abs(frame.pixels - board.tiles[i]).mean() < 3, f"tile {i} is what /frame gives")

# ---- holes, and sizes that change
hole = channel_of(base, "hole")
a = ask(url(hole, 0, 20, columns=10, rows=2))
board = Board(a.body, 10, 2)
same([board.is_empty(i) for i in range(20)], [8 <= i < 13 for i in range(20)], "a hole has empty tiles")
same((a["x-holes"], a["x-holes-duration"][:2]), ("1", "5."), "and is said")
same(ask(url(hole, 8.5, 12)).status, 406, "nothing but a hole")
same(ask(url(hole, 8.5, 12, "vtt")).status, 406, "the same of the WebVTT")
like(ask(url(hole, 8.5, 12)).text, r"^contains holes: there is nothing from \S+ to \S+\n$", "which says so")

# ------------------------------------------------------------------ a sheet from before
sheet = url(bf2, 1, 9, columns=4, rows=2, height=48)
mine = Board(ask(sheet).body, 4, 2)
theirs = Board(content([GOLDEN]), 4, 2)
same(mine.pixels.shape, theirs.pixels.shape, "the sheet kept in tests/data has the same size")
ok(np.abs(mine.pixels - theirs.pixels).mean() < 4, "and the same pictures", np.abs(mine.pixels - theirs.pixels).mean())

# ------------------------------------------------------------------ HTTP
for ending, kind in (("jpg", "image/jpeg"), ("vtt", "text/vtt; charset=utf-8")):
    one = url(bf2, 0, 10, ending, columns=3, rows=3)
    a, b, head = ask(one), ask(one), ask(one, method="HEAD")
    same((a.status, a["content-type"], a.body == b.body, a["etag"]), (200, kind, True, b["etag"]), f".{ending}: its type, the same bytes, a validator")
    same((head.status, head["content-length"], head["etag"], head.body), (200, str(len(a.body)), a["etag"], b""), f".{ending}: HEAD")
    before = server.metrics().get("extract_frame_latency_count")
    same(ask(one, {"If-None-Match": a["etag"]}).status, 304, f".{ending}: If-None-Match")
    same(server.metrics().get("extract_frame_latency_count"), before, f".{ending}: for which nothing is decoded")
    same((a["cache-control"], a["x-holes"]), ("public, max-age=31536000, immutable", "0"), f".{ending}: will never change")
    same(ask(url(hole, 0, 20, ending))["cache-control"], "no-cache", f".{ending}: but a hole may be filled")
    others = {ask(url(bf2, *span, ending, **more))["etag"] for span, more in
              (((0, 9.9), {"columns": 3, "rows": 3}), ((0.1, 10), {"columns": 3, "rows": 3}), ((0, 10), {"columns": 9, "rows": 1}), ((0, 10), {"columns": 3, "rows": 3, "height": 80}))}
    ok(a["etag"] not in others and len(others) == 4, f".{ending}: of what differs it differs", others)
    same(ask(one, method="POST").status, 405, f".{ending}: POST")
    part = ask(one, {"Range": "bytes=10-19", "Accept-Encoding": "identity"})
    same((part.status, part.body), (206, a.body[10:20]), f".{ending}: a byte range")
good = {"start": "2024-03-01T10:00:00", "end": "2024-03-01T10:00:08"}
for change, pattern in (({"start": None}, "^start: is required"), ({"end": None}, "^end: is required"), ({"start": "x"}, "^start:"), ({"end": ""}, "^end:"),
                        ({"end": "2024-03-01T10:00:00"}, "end"), ({"end": "2024-03-01T09:00:00"}, "end"), ({"end": "2024-05-01"}, "31 days"),
                        ({"columns": 0}, "^columns: .*from 1 to 40"), ({"columns": 41}, "^columns: .*from 1 to 40"), ({"rows": "x"}, "^rows:"), ({"rows": -1}, "^rows:"),
                        ({"height": 15}, "^height: .*from 16 to 720"), ({"height": 721}, "^height: .*from 16 to 720"), ({"columns": 21, "rows": 20}, "^columns, rows: .*at most 400"),
                        ({"columns": 13, "rows": 1, "height": 720}, "at most 16384"), ({"columns": 6, "rows": 8, "height": 720}, "40 million"),
                        ({"end": "2024-03-01T10:00:00.099999"}, "^end: .*too short")):
    for ending in ("jpg", "vtt"):
        query = urllib.parse.urlencode({k: v for k, v in {**good, **change}.items() if v is not None})
        a = ask(f"/storyboard/bf2/source.{ending}?{query}")
        same((a.status, a.body.count(b"\n")), (400, 1), f".{ending}: {change} is an error")
        like(a.text, pattern, "that says what is wrong")
for path in ("nope/source.jpg", "bf2/nope.jpg", "bf2/nope.vtt", "bf2/source.png", "bf2/source"):
    same(ask(f"/storyboard/{path}?{urllib.parse.urlencode(good)}").status, 404, path)
m = server.metrics()
ok(m.get("http_request_latency_all_count", endpoint="get_storyboard", status="200"), "it is counted as get_storyboard")
ok(m.get("extract_frame_latency_normalized_count", error=""), "and by its tiles")

# ------------------------------------------------------------------ those who leave
longgop = channel_of(base, "longgop")
one = url(longgop, 0, longgop.seconds - 1, columns=20, rows=20)
began = time.monotonic()
same(ask(one).status, 200, "a storyboard that takes long")
whole = time.monotonic() - began
slow = SlowClient(server, one)
wait_for(lambda: server.metrics().get("restreamer_heavy_slots_used"), "a slot that is taken")
began = time.monotonic()
slow.close()
wait_for(lambda: not server.metrics().get("restreamer_heavy_slots_used"), "the slot is free")
ok(time.monotonic() - began < max(1, whole * .7), "a client that leaves is not worked for any more", (time.monotonic() - began, whole))

# ------------------------------------------------------------------ damage
copy = temp_dir("copy")
shutil.copytree(os.path.join(base, "bf2"), os.path.join(copy, "bf2"))
victims = sorted(p for d, _, names in os.walk(copy) for p in (os.path.join(d, n) for n in names) if p.endswith(".ts"))
nr = len(victims)
damages = (lambda d: b"", lambda d: bytes(len(d)), lambda d: d[:376], lambda d: bytes(rnd.randrange(256) for _ in d[:50000]))
for path, how in zip(victims[1:5], damages):
    data = content([path])
    with open(path, "wb") as f:
        f.write(how(data))
os.chmod(victims[5], 0)
os.remove(victims[6])
os.symlink("/nowhere", victims[6])
damaged = Server(copy)
a = damaged.get(url(bf2, 0, 2 * nr, columns=nr, rows=1))
board = Board(a.body, nr, 1)
empty = [board.is_empty(i) for i in range(nr)]
same((a.status, empty[0], empty[1:5], empty[6:]), (200, False, [True] * 4, [True] + [False] * (nr - 7)), "damaged segments have empty tiles")
same(a["cache-control"], "no-cache", "which is not for ever")
same(damaged.get(url(bf2, 0, 2 * nr, columns=nr, rows=1), {"If-None-Match": a["etag"]}).status, 304, "but has a validator")
a = damaged.get(url(bf2, 2, 10, columns=3))
same((a.status, a.body.count(b"\n")), (406, 1), "nothing but damaged ones")
ok(copy not in a.text, "no path of ours is told", a.text)
# A long interval looks into the segments behind the damaged one.
board = Board(damaged.get(url(bf2, 6, 2 * nr, columns=1, rows=1)).body, 1, 1)
ok(not board.is_empty(0), "where others can be read, one of them is shown")
for _ in range(12):
    for path, how in zip(rnd.sample([v for v in victims if os.path.isfile(v) and os.access(v, os.R_OK)], 2), (0, 1)):
        data = bytearray(content([path]))
        for _ in range(30 if data else 0):
            data[rnd.randrange(len(data))] = rnd.randrange(256)
        with open(path, "wb") as f:
            f.write(data if how else data[:rnd.randrange(len(data) + 1)])
    a = damaged.get(url(bf2, rnd.random(), 2 * nr - rnd.random(), columns=rnd.randrange(1, 20), rows=4))
    if a.status not in (200, 406):
        break
same(a.status in (200, 406), True, "whatever the bytes are")
damaged.stop()

# ------------------------------------------------------------------ what is behind the range
copy = temp_dir("behind")
folder = os.path.join(copy, "bf2", "source", os.path.basename(os.path.dirname(bf2.segments[0].path)))
os.makedirs(folder)
for s in bf2.segments[:3]:
    shutil.copy(s.path, folder)
growing = Server(copy)
# The second tile is behind the last picture: it is that of the next segment.
end = (bf2.segments[3].start_us - bf2.segments[0].start_us) / SECOND
path = url(bf2, end - .025, end - .001, columns=2, rows=1)
a = growing.get(path)
shutil.copy(bf2.segments[3].path, folder)
b = growing.get(path)
ok(a.status == b.status == 200 and a.body != b.body and a["etag"] != b["etag"] and "immutable" not in a["cache-control"], "a segment behind the range changes the ETag with the picture", (a, b))
same(growing.get(path, {"If-None-Match": a["etag"]}).body == b.body, True, "so that nobody keeps the old one")
growing.stop()

# ------------------------------------------------------------------ offline
out = os.path.join(work, "offline")
for ending in ("jpg", "vtt"):
    status, _, said = run_program("storyboard", "bf2", "source", "--base", base, "--cache", "none", "--start", bf2.iso(1), "--end", bf2.iso(9), "--columns", "4",
                                  "--rows", "2", "--height", "48", "-o", f"{out}.{ending}")
    same((status, said, content([f"{out}.{ending}"]) == ask(sheet.replace(".jpg", f".{ending}")).body), (0, b"", True), f"restreamer storyboard -o NAME.{ending}: the same bytes")
same(run_program("storyboard", "hole", "source", "--base", base, "--cache", "none", "--start", hole.iso(9), "--end", hole.iso(12), "-o", f"{out}.none")[0], 6, "offline in a hole: exit 6")
finish()
