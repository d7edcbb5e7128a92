#!/usr/bin/env python3
"""/coverage: what the archive holds of a range, as JSON and as a picture.

Cases by hand, and random archives against a plain reading of the rules, which
goes over a flat list of files and knows nothing of hours' indexes.

Environment:  COVERAGE_ARCHIVES  how many random archives (20)
              COVERAGE_SEED      of these (1)
              COVERAGE_GOLDEN    "write" makes tests/data/coverage.png anew
"""
import gzip

from harness import *

MS, SECOND, HOUR = 1000, 1000000, 3600 * 1000000
t0 = T("2026-11-07T10:00:00")
archive = Archive()
work = temp_dir("work")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class File:
    """us is since t0; the hash is of four letters, which are three bytes."""

    def __init__(self, us, length, kind, text, size, dead=False):
        self.us, self.length, self.kind, self.text, self.size, self.dead = us, length, kind, text, size, dead
        self.end = us + length
        self.start = t0 + timedelta(microseconds=us)
        self.name = f"{self.start:%M:%S.%f}-{length // SECOND}.{length % SECOND:06d}-{kind}-{text}.ts"

    def write(self, quality):
        path = archive.write(os.path.relpath(os.path.join(archive.folder("main", quality, self.start), self.name), archive.path), b"x" * self.size)
        if self.dead:
            archive.bury(path)


# ------------------------------------------------------------ the rules, plainly
def time_of(us):
    return f"{t0 + timedelta(microseconds=us):%Y-%m-%dT%H:%M:%S.%fZ}"


def best_of(files):
    """The best of the files of one start, and the rule that left only it."""
    if len(files) == 1:
        return files[0], None
    for rule, keep in (("only-full", lambda f: f.kind == "full"), ("suspect-before-partial", lambda f: f.kind != "partial"),
                       ("longest", lambda f: f.kind != "full" or f.length == max(g.length for g in files)), ("largest", lambda f: f.size == max(g.size for g in files)),
                       ("highest-hash", lambda f: f.kind != "full" or raw(f) == max(raw(g) for g in files)), ("first-by-name", lambda f: f.name == min(g.name for g in files))):
        files = [f for f in files if keep(f)] or files
        if len(files) == 1:
            return files[0], rule


def raw(f):
    return base64.urlsafe_b64decode(f.text)


def expect(files, start, end):
    """What /coverage is to say."""
    oldest = (start // HOUR - 1) * HOUR
    starts = {}
    for f in files:
        if f.kind != "temp" and not f.dead:
            starts.setdefault(f.us, []).append(f)
    chosen = {us: best_of(same_start) for us, same_start in starts.items()}
    candidates = [chosen[us][0] for us in sorted(chosen) if us >= oldest]
    sequence, overlaps, breaks = [], [], []          # breaks: (end of the span before, start of the next)
    for f in candidates:
        if f.us >= end or not sequence and f.end <= start:
            continue
        if not sequence:
            in_seam = any(g.kind == "full" and g.end <= start and f.us - g.end <= 10 * MS for g in candidates)
            if f.us > start and not in_seam:
                breaks.append((start, f.us))
        elif f.us < sequence[-1].end - 10 * MS:
            overlaps.append((f, sequence[-1].end - f.us))
            continue
        elif sequence[-1].end >= end:
            continue
        elif f.us > sequence[-1].end + 10 * MS or sequence[-1].kind != "full":
            breaks.append((min(sequence[-1].end, f.us), f.us))
        sequence.append(f)
    if not sequence:
        breaks.append((start, end))
    else:
        last = sequence[-1]
        is_whole = last.kind == "full" and (last.end >= end or any(f.us >= end and f.us <= last.end + 10 * MS for f in candidates))
        if not is_whole:
            breaks.append((min(last.end, end), end))
    first = min(start, sequence[0].us) if sequence else start
    within = lambda us: max(start, min(end, us))
    holes = [(within(a), within(b)) for a, b in breaks]
    spans, at = [], start
    left = list(sequence)
    for a, b in breaks + [(end, None)]:
        run = [f for f in left if b is None or f.us < b]
        left = left[len(run):]
        if run:
            spans.append((at, within(a), len(run)))
        at = None if b is None else within(b)
    hours = range(start // HOUR, (end - 1) // HOUR + 1)
    zero = dict(covered=0, missing=0, spans=0, holes=0, full=0, suspect=0, partial=0, bytes=0, overlaps=0, duplicates=0, deleted=0, temp=0)
    sums = {h: dict(zero) for h in hours}
    of = lambda us: sums[max(hours[0], min(hours[-1], us // HOUR))]
    for key, parts in (("covered", spans), ("missing", holes)):
        for part in parts:
            for h in hours:
                sums[h][key] += max(0, min(part[1], (h + 1) * HOUR) - max(part[0], h * HOUR))
    for key, found in (("spans", [a for a, _, _ in spans]), ("holes", [a for a, _ in holes]), ("overlaps", [f.us for f, _ in overlaps]),
                       ("deleted", [f.us for f in files if f.dead and f.kind != "temp" and first <= f.us < end]),
                       ("temp", [f.us for f in files if f.kind == "temp" and first <= f.us < end])):
        for us in found:
            of(us)[key] += 1
    for f in sequence:
        of(f.us)[f.kind] += 1
        of(f.us)["bytes"] += f.size
    duplicates = []
    for us in sorted(starts):
        if len(starts[us]) > 1 and first <= us < end:
            best, reason = chosen[us]
            of(us)["duplicates"] += 1
            duplicates.append({"start": time_of(us), "reason": reason, "files": [{"chosen": f is best, **describe(f)} for f in
                               [best] + sorted((g for g in starts[us] if g is not best), key=lambda g: g.name)]})
    total = {key: sum(h[key] for h in sums.values()) for key in zero}
    exact = lambda s: {key: value / SECOND if key in ("covered", "missing") else value for key, value in s.items()}
    return {"start": time_of(start), "end": time_of(end), "totals": {"segments": len(sequence), **exact(total)},
            "hours": [{"hour": time_of(h * HOUR)[:13], **exact(sums[h])} for h in hours],
            "spans": [{"start": time_of(a), "end": time_of(b), "duration": (b - a) / SECOND, "segments": n} for a, b, n in spans],
            "holes": [{"start": time_of(a), "end": time_of(b), "duration": (b - a) / SECOND} for a, b in holes],
            "nonfull": [{"start": time_of(f.us), **describe(f)} for f in sequence if f.kind != "full"],
            "overlaps": [{"start": time_of(f.us), "overlap": over / SECOND, **describe(f)} for f, over in overlaps],
            "duplicates": duplicates}


def describe(f):
    return {"duration": f.length / SECOND, "kind": f.kind, "name": f.name, "size": f.size}


# ------------------------------------------------------------------ random archives
rnd = random.Random(int(os.environ.get("COVERAGE_SEED", "1")))
SEAMS = [0] * 8 + [1, -1, 5000, -5000, 10000, -10000, 10001, -10001, 1000000, -1000000, 7000000]
LENGTHS = [2000000] * 6 + [2002000, 1999999, 1000000, 5000000, 9999]


def random_file(us, length):
    kind = rnd.choice(["full"] * 7 + ["suspect", "partial", "temp"])
    return File(us, length, kind, "".join(rnd.choices(LETTERS, k=4)), rnd.randrange(3), rnd.random() < .06)


def random_files():
    files, us = [], -rnd.randrange(60) * SECOND
    for hour in range(rnd.randrange(1, 5)):
        for around in (hour * HOUR - 20 * SECOND, hour * HOUR + rnd.randrange(3500) * SECOND):
            us = max(us, around)
            for _ in range(rnd.randrange(4, 16)):
                length = rnd.choice(LENGTHS)
                files.append(random_file(us, length))
                while rnd.random() < .3:                        # several of one start
                    files.append(random_file(us, rnd.choice([length, length, rnd.choice(LENGTHS)])))
                if rnd.random() < .1:
                    files.append(random_file(us + rnd.choice([3000, 500000, length - 10001]), rnd.choice(LENGTHS)))
                us += length + rnd.choice(SEAMS)
        if rnd.random() < .3:
            files.append(random_file(hour * HOUR + rnd.randrange(3600) * SECOND, rnd.randrange(1, 3601) * SECOND))
    return list({f.name: f for f in files}.values())


def random_instant(files):
    f = rnd.choice(files)
    return rnd.choice([f.us, f.end]) + rnd.choice([0, 0, 1, -1, 5000, 10000, -10000, 10001, -10001, 500000, -700000, rnd.randrange(-HOUR, HOUR)])


def url(quality, start, end, ending="json", more=""):
    return f"/coverage/main/{quality}.{ending}?start={time_of(start)}&end={time_of(end)}{more}"


def differences(got, want):
    if got is None:
        return "no JSON"
    return {key: (got.get(key), want.get(key)) for key in {**got, **want} if got.get(key) != want.get(key)}


tried, seen, wrong = 0, dict.fromkeys(("spans", "holes", "nonfull", "overlaps", "duplicates"), 0), []
reasons = set()
archives = {f"random{nth}": random_files() for nth in range(int(os.environ.get("COVERAGE_ARCHIVES", "20")))}
for quality, files in archives.items():
    for f in files:
        f.write(quality)
server = Server(archive)


def compare(quality, files, start, end):
    global tried
    want = expect(files, start, end)
    a = server.get(url(quality, start, end))
    b = server.get(f"/playlist/main/{quality}.m3u8?start={time_of(start)}&end={time_of(end)}")
    tried += 1
    for key in seen:
        seen[key] += len(want[key])
    reasons.update(d["reason"] for d in want["duplicates"])
    headers = (a["x-holes"], a["x-holes-duration"]) == (b["x-holes"], b["x-holes-duration"]) == (str(len(want["holes"])), "%.6f" % want["totals"]["missing"])
    if a.status != 200 or a.json != want or not headers or b.text.count("#EXTINF") != want["totals"]["segments"]:
        wrong.append((url(quality, start, end), a.status, differences(a.json, want), a.headers))


for quality, files in archives.items():
    for _ in range(15):
        start, end = sorted((random_instant(files), random_instant(files)))
        if start < end:
            compare(quality, files, start, end)
    compare(quality, files, -2 * HOUR, 8 * HOUR)
ok(not wrong and tried > 5 * len(archives), f"{tried} random ranges are as the rules say: {seen}", wrong[:3])
same(reasons, {"only-full", "suspect-before-partial", "longest", "largest", "highest-hash", "first-by-name"}, "every reason was among them")

# ------------------------------------------------------- a changed archive, at once
quality, files = "changing", random_files()
for f in files:
    f.write(quality)
wrong, tried = [], 0
for _ in range(60):
    f = rnd.choice(files)
    path = os.path.join(archive.folder("main", quality, f.start), f.name)
    what = rnd.randrange(4)
    if what == 0 and len(files) > 5:
        files.remove(f)
        os.unlink(path)
        if f.dead:
            os.unlink(path[:-3] + ".tombstone")
    elif what == 1 and not f.dead:
        f.dead = True
        archive.bury(path)
    else:
        new = random_file(rnd.choice([f.us, f.end]), rnd.choice(LENGTHS))
        if not any(g.name == new.name for g in files):
            new.write(quality)
            files.append(new)
    compare(quality, files, -HOUR, 6 * HOUR)
ok(not wrong, f"{tried} changes show at once", wrong[:3])

# ---------------------------------------------------------------- cases by hand
A, B, C, D = "AAAA", "BBBB", "CCCC", "DDDD"
hand = [File(i * 20 * SECOND, 20 * SECOND, "full", A, 10) for i in range(180) if i not in (30, 31, 100)]
hand += [File(HOUR + i * 20 * SECOND, 20 * SECOND, "partial" if i == 60 else "full", A, 10) for i in range(150)]
hand += [File(60 * SECOND, 20 * SECOND, "full", B, 5), File(200 * SECOND, 20 * SECOND, "suspect", B, 50), File(HOUR + 300 * SECOND, 19 * SECOND, "full", B, 50),
         File(HOUR + 905 * SECOND, 20 * SECOND, "full", C, 1), File(HOUR + 3000 * SECOND, 20 * SECOND, "full", D, 10, True), File(HOUR + 3021 * SECOND, 20 * SECOND, "temp", D, 10),
         File(HOUR + 3001 * SECOND, 20 * SECOND, "full", A, 10)]
for f in hand:
    f.write("hand")
a = server.get(url("hand", 0, 2 * HOUR))
same(a.json["totals"], {"segments": 328, "covered": 6560.0, "missing": 640.0, "spans": 5, "holes": 5, "full": 327, "suspect": 0, "partial": 1, "bytes": 3280,
                        "overlaps": 1, "duplicates": 3, "deleted": 1, "temp": 1}, "totals by hand")
same([(h["start"][11:19], h["duration"]) for h in a.json["holes"]], [("10:10:00", 40.0), ("10:33:20", 20.0), ("11:20:20", 0.0), ("11:50:00", 1.0), ("11:50:21", 579.0)],
     "holes by hand")
same([(d["start"][11:19], d["reason"], [f["chosen"] for f in d["files"]]) for d in a.json["duplicates"]],
     [("10:01:00", "largest", [True, False]), ("10:03:20", "only-full", [True, False]), ("11:05:00", "longest", [True, False])], "duplicates by hand")
same([(o["start"][11:19], o["overlap"], o["name"]) for o in a.json["overlaps"]], [("11:15:05", 15.0, "15:05.000000-20.000000-full-CCCC.ts")], "the overlap by hand")
same(a.json, expect(hand, 0, 2 * HOUR), "and the rest as the rules say")
like(a.text.splitlines()[1], r'"covered":6560\.000000,"missing":640\.000000,', "lengths have six digits")
b = server.get("/coverage/main/hand.json")
same((b.status, b.body), (200, a.body), "without start and end: all there is, by hours")
b = server.get(url("hand", 0, 2 * HOUR, more="&lists=false"))
same(b.json, {key: a.json[key] for key in ("start", "end", "totals", "hours")}, "lists=false: totals and hours")
b = server.get(url("hand", 100 * HOUR, 101 * HOUR))
same((b.status, [h["duration"] for h in b.json["holes"]], b.json["spans"]), (200, [3600.0], []), "where nothing is: one hole")
b = server.get("/coverage/main/hand.json?start=" + time_of(HOUR))
same((b.status, b.json["start"], b.json["end"]), (200, time_of(HOUR), time_of(2 * HOUR)), "start alone")

# ------------------------------------------------------------------ HTTP
same((a.status, a["content-type"], a["x-holes"], a["x-holes-duration"], a["cache-control"]), (200, "application/json", "5", "640.000000", "no-cache"), "headers")
for ending in ("json", "png"):
    u = url("hand", 0, 2 * HOUR, ending)
    a, head = server.get(u), server.head(u)
    same((head.status, head["content-length"], head["etag"], head.body), (200, str(len(a.body)), a["etag"], b""), f".{ending}: HEAD")
    same((server.get(u)["etag"], server.get(u, {"If-None-Match": a["etag"]}).status), (a["etag"], 304), f".{ending}: If-None-Match")
    same(server.get(u, method="POST", body=b"").status, 405, f".{ending}: POST is 405")
    same(server.get(u, method="POST", body=b"")["allow"], "GET, HEAD, OPTIONS", "Allow")
    part = server.get(u, {"Range": "bytes=100-199"})
    same((part.status, part.body), (206, a.body[100:200]), f".{ending}: a part of it")
    ok(server.get(url("hand", 0, HOUR, ending))["etag"] != a["etag"], f".{ending}: another range has another ETag")
    same(server.get(u)["x-holes"], "5", f".{ending}: X-Holes")
packed = server.get(url("hand", 0, 2 * HOUR), {"Accept-Encoding": "gzip"})
same((packed["content-encoding"], gzip.decompress(packed.body)), ("gzip", server.get(url("hand", 0, 2 * HOUR)).body), "compressed")
same(server.get(url("hand", 0, HOUR, "png"), {"Accept-Encoding": "gzip"})["content-encoding"], None, "a picture is not")
for hour in (0, 32 * 24):
    File(hour * HOUR, 2 * SECOND, "full", A, 1).write("long")
os.makedirs(os.path.join(archive.path, "main/empty"))
for query, status, pattern in (("start=garbage", 400, "^start: "), ("end=", 400, "^end: "), ("lists=maybe", 400, "^lists: .*neither true nor false"),
                               (f"start={time_of(SECOND)}&end={time_of(SECOND)}", 400, "end must be after start"), (f"start={time_of(9)}&end={time_of(8)}", 400, "end must be after start"),
                               (f"end={time_of(-HOUR)}", 400, "end must be after start"), (f"start={time_of(0)}&end={time_of(31 * 24 * HOUR + 1)}", 400, "longer than 31 days")):
    for ending in ("json", "png"):
        b = server.get(f"/coverage/main/hand.{ending}?{query}")
        same((b.status, b.body.count(b"\n")), (status, 1), f".{ending}?{query}: {status}")
        like(b.text, pattern, "says why")
b = server.get("/coverage/main/long.json")
same((b.status, "start and end" in b.text and "31 days" in b.text), (400, True), "more than 31 days without start and end: 400")
same(server.get(url("long", 0, 31 * 24 * HOUR)).json["totals"]["segments"], 1, "31 days are answered")
for path, status in (("/coverage/main/nope.json", 404), ("/coverage/nope/source.png", 404), ("/coverage/main/hand.jpg", 404), ("/coverage/main.json", 404),
                     ("/coverage/main/empty.json", 404), ("/coverage/main/.hidden.json", 403), ("/coverage/main/nope.json?start=garbage", 400)):
    same(server.get(path).status, status, path)
same(server.get(url("empty", 0, HOUR)).json["totals"]["missing"], 3600.0, "a quality without hours, in a range: one hole")
like(server.get("/metrics").text, r'http_request_latency_get_coverage_count\{.*channel="main".*quality="hand"', "metrics have an endpoint for it")

# --------------------------------------------------------------------- offline
out = os.path.join(work, "out")
args = ("coverage", "main", "hand", "--base", archive.path, "--cache", "none", "--start", time_of(0), "--end", time_of(2 * HOUR))
status, said, err = run_program(*args)
same((status, said, err), (0, server.get(url("hand", 0, 2 * HOUR)).body, b""), "restreamer coverage: the same bytes")
for ending in ("json", "png"):
    status, said, err = run_program(*args, "-o", f"{out}.{ending}")
    same((status, said, content([f"{out}.{ending}"])), (0, b"", server.get(url("hand", 0, 2 * HOUR, ending)).body), f"-o NAME.{ending}: the same bytes")
same(run_program("coverage", "main", "--base", archive.path)[0], 2, "without a quality: how to use it")
same(run_program(*args, "--range", "x")[0], 2, "no such argument")
same(run_program("coverage", "main", "nope", "--base", archive.path, "--cache", "none")[0], 4, "no such quality: exit 4")

# ------------------------------------------------------------------ the picture
LEFT, TOP, ROW, WIDTH, SPARE = 120, 66, 16, 1382, 86
COVERED, SEVERAL, OVERLAP, NONFULL, HOLE, PAPER = (166, 212, 242), (0, 114, 178), (204, 121, 167), (230, 159, 0), (24, 24, 24), (255, 255, 255)


class Picture:
    def __init__(self, data):
        self.width, self.height = struct.unpack(">II", data[16:24])
        p = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-f", "png_pipe", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], input=data, stdout=subprocess.PIPE, check=True)
        self.pixels = p.stdout
        assert len(self.pixels) == 3 * self.width * self.height

    def at(self, x, y):
        i = 3 * (y * self.width + x)
        return tuple(self.pixels[i:i + 3])

    def row(self, nth, height=ROW):
        """The colours of an hour, in pixels of 3 s, once the lines of it agree."""
        lines = [[self.at(LEFT + x, TOP + nth * height + y) for x in range(1200)] for y in range(max(1, height - 1))]
        return lines[0] if all(line == lines[0] for line in lines) else []


def states(colours):
    """[(colour, pixels)] along a row."""
    found = []
    for colour in colours:
        if found and found[-1][0] == colour:
            found[-1][1] += 1
        else:
            found.append([colour, 1])
    return [tuple(f) for f in found]


if not shutil.which("ffmpeg"):
    skip("the picture", "no ffmpeg")
    finish()
a = server.get(url("hand", 0, 2 * HOUR, "png"))
same(a["content-type"], "image/png", "a PNG")
p = Picture(a.body)
same((p.width, p.height), (WIDTH, SPARE + 2 * ROW), "two hours, two rows")
# Of 20 s: six and two thirds pixels of 3 s, and the worst state of each shows.
same(states(p.row(0)), [(COVERED, 20), (SEVERAL, 7), (COVERED, 39), (SEVERAL, 8), (COVERED, 126), (HOLE, 14), (COVERED, 452), (HOLE, 8), (COVERED, 526)],
     "the first row")
second = states(p.row(1))
same(second[:4], [(COVERED, 100), (SEVERAL, 7), (COVERED, 194), (OVERLAP, 8)], "the second row")
same(second[4:], [(COVERED, 91), (NONFULL, 6), (HOLE, 1), (COVERED, 593), (HOLE, 1), (COVERED, 6), (HOLE, 193)], "a hole of one second, and one of none, are a pixel")
same(p.at(LEFT + 10, TOP + ROW - 1), PAPER, "a gap between the rows")
p = Picture(server.get(url("hand", 1800 * SECOND, HOUR + 600 * SECOND, "png")).body)
same((states(p.row(0))[0], states(p.row(1))[-1]), ((PAPER, 600), (PAPER, 1000)), "what is outside of the range is clear")
for days, height in ((1, 16), (7, 16), (14, 11), (31, 5)):
    p = Picture(server.get(url("hand", 0, days * 24 * HOUR, "png")).body)
    same((p.width, p.height), (WIDTH, SPARE + 24 * days * height), f"{days} days: rows of {height} pixels")
    same(states(p.row(2, height)), [(HOLE, 1200)], "an hour of nothing")
    same(len(states(p.row(1, height))), 11, "an hour of much")

# Letters may be drawn otherwise by another libgd: one pixel of 500.
golden = os.path.join(DATA, "coverage.png")
a = server.get(url("hand", -HOUR, 3 * HOUR, "png"))
if os.environ.get("COVERAGE_GOLDEN") == "write":
    with open(golden, "wb") as f:
        f.write(a.body)
p, q = Picture(a.body), Picture(content([golden]))
off = sum(p.pixels[i:i + 3] != q.pixels[i:i + 3] for i in range(0, len(p.pixels), 3)) if len(p.pixels) == len(q.pixels) else -1
ok(0 <= off <= p.width * p.height // 500, "as the picture in tests/data", off)
server.stop()
finish()
