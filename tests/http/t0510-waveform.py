#!/usr/bin/env python3
"""/waveform and /peaks: as the ffmpeg program draws the sound, in its place.

The reference is the sound that ffmpeg decodes from the segments one after the
other, from the time of their first picture on.

Environment:  CUT_ARCHIVES    a directory that keeps the archives between runs
"""
import os
import struct

from onvideo import *  # noqa: E402
from cuttruth import channel_of  # noqa: E402

base = cut_archives()
work = temp_dir("work")
server = Server(base)
RATE = 48000


def ask(path, headers=None, to=server, **more):
    return to.ask(path, headers, **more)


def url(archive, start, end, kind="waveform", ending="png", more=""):
    return f"/{kind}/{archive.channel}/{archive.quality}.{ending}?start={archive.iso(start)}&end={archive.iso(end)}{more}"


def kept():
    folder = os.path.join(server.cache, "peaks")
    return {name: os.stat(os.path.join(folder, name)).st_ino for name in os.listdir(folder)}


def rows_of(png, width, height):
    """How many lines of each column are not clear."""
    path = os.path.join(work, "wave.png")
    with open(path, "wb") as f:
        f.write(png)
    p = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgba", "-"], stdout=subprocess.PIPE, check=True)
    pixels = np.frombuffer(p.stdout, np.uint8).reshape(height, width, 4)
    drawn = pixels[:, :, 3] > 0
    ok(not pixels[drawn][:, :3].any(), f"{width}x{height}: what is drawn is black")
    first, last = drawn.argmax(0), height - drawn[::-1].argmax(0)
    heights = drawn.sum(0)
    middle = np.where(heights > 0, np.abs(first + last - height), 0)
    ok(middle.max() <= 1 and (heights == np.where(heights > 0, last - first, 0)).all(), "each column is one line in the middle", middle.max())
    return heights


def sound(archive, nr=None):
    """What ffmpeg decodes, a column a channel, from the first picture on."""
    paths = [s.path for s in archive.segments][:nr]
    first = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", paths[0]],
                           stdout=subprocess.PIPE, check=True, text=True).stdout.replace(",", "").split()
    whole = os.path.join(work, "whole.ts")
    with open(whole, "wb") as f:
        f.write(content(paths))
    channels = 1 if archive.channel == "mono" else 2
    p = subprocess.run(["ffmpeg", "-v", "fatal", "-nostdin", "-copyts", "-i", whole, "-vn", "-af", f"atrim=start={min(map(float, first))}", "-f", "f32le", "-"], stdout=subprocess.PIPE, check=True)
    return np.frombuffer(p.stdout, "<f4").reshape(-1, channels)


def showwavespic(samples, width, height):
    """The formula of FFmpeg's avf_showwaves.c: average, sqrt; the channels over
    each other."""
    each = len(samples) // width
    size = np.abs(np.clip(np.rint(samples * 32768), -32768, 32767))[:each * width]
    means = size.reshape(width, each, -1).mean(1)
    return (np.sqrt(means) * height / np.sqrt(32767)).astype(int).max(1)


def ffmpeg_rows(samples, width, height):
    """By the program itself; the number of samples is a multiple of the width."""
    p = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-f", "f32le", "-ar", str(RATE), "-ac", str(samples.shape[1]), "-i", "-", "-filter_complex",
                        f"showwavespic=s={width}x{height}:scale=sqrt:colors=black", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "-"],
                       input=samples.astype("<f4").tobytes(), stdout=subprocess.PIPE, check=True)
    return rows_of(p.stdout, width, height)


# ------------------------------------------------------------------ as showwavespic
for channel, nr in (("main540", 8), ("bf2", 8), ("mono", 4), ("wrap", 4)):
    archive = channel_of(base, channel)
    end = (archive.segments[nr - 1].start_us + archive.segments[nr - 1].length_us) / 1e6 - archive.segments[0].start_us / 1e6
    samples = sound(archive, nr + 1)[:round(end * RATE)]
    for width, height in ((1024, 64), (2000, 400), (100, 400), (8, 300)):
        mine = rows_of(ask(url(archive, 0, end, more=f"&size={width}x{height}")).body, width, height)
        theirs = showwavespic(samples, width, height)
        if len(samples) % width == 0 and channel == "main540":
            off = np.abs(ffmpeg_rows(samples, width, height) - theirs)
            ok(off.max() <= 1, f"the formula is that of the program, {width}x{height}", off.max())
        if len(samples) % width == 0 or width < 1000:
            off = np.abs(mine - theirs)
            ok(off.max() <= 2, f"{channel}, {nr} segments, {width}x{height}: within 2 of showwavespic", (off.max(), np.nonzero(off > 2)[0][:9]))
same(rows_of(ask(url(archive, 0, 4)).body, 1024, 64).shape, (1024,), "the size is 1024x64 if none is given")

# ------------------------------------------------------------------ the axis
main = channel_of(base, "main540")
samples = sound(main)
rnd = random.Random(3)
worst = 0
for _ in range(12):
    start = rnd.uniform(0, main.seconds - 1)
    end = min(main.seconds - .1, start + rnd.choice((.003, .05, .4, 3, 9)))
    width = rnd.choice((50, 333, 1024, 4096))
    a = ask(url(main, "%.6f" % start, "%.6f" % end, more=f"&size={width}x400"))
    mine = rows_of(a.body, width, 400)
    at = np.round(np.linspace(float("%.6f" % start), float("%.6f" % end), width + 1) * RATE).astype(int)
    if (np.diff(at) < 20).any():
        continue        # less than a few samples a column: the reference itself is rough
    size = np.vstack([np.zeros((1, 2)), np.cumsum(np.abs(np.clip(np.rint(samples * 32768), -32768, 32767)), 0)])
    theirs = (np.sqrt(((size[at[1:]] - size[at[:-1]]) / np.diff(at)[:, None])) * 400 / np.sqrt(32767)).astype(int).max(1)
    # A sample more or less at the borders of a column is in the rounding.
    limit = 2 + 400 * 2 / np.diff(at)
    off = np.abs(mine - theirs)
    worst = max(worst, float((off / limit).max()))
ok(worst <= 1, "of random ranges each column is that of its time", worst)

hole = channel_of(base, "hole")
a = ask(url(hole, 0, 20, more="&size=2000x200"))
heights = rows_of(a.body, 2000, 200)
covered = np.zeros(2000, bool)
for s in hole.segments:
    first, last = (s.start_us - hole.segments[0].start_us) / 1e4, (s.start_us + s.length_us - hole.segments[0].start_us) / 1e4
    covered[max(0, int(first)):max(0, min(2000, int(np.ceil(last))))] = True
ok(covered.any() and not covered.all(), "there is a hole in the range")
ok((heights[~covered] == 0).all(), "a hole is silent", np.nonzero(heights[~covered])[0][:10])
ok((heights[covered] > 10).mean() > .95, "the rest is not, in its own place", np.nonzero((heights <= 10) & covered)[0][:10])
ok(int(a["x-holes"]) >= 1 and float(a["x-holes-duration"]) > 1, "holes are said", (a["x-holes"], a["x-holes-duration"]))
same(ask(url(hole, -100, -50)).status, 406, "where there is nothing at all: 406")
heights = rows_of(ask(url(main, -5, 5, more="&size=1000x100")).body, 1000, 100)
ok(not heights[:499].any() and (heights[501:] > 5).all(), "what is before the archive is silent, and takes its room", np.nonzero(heights)[0][:3])
same(rows_of(ask(url(channel_of(base, "noaudio"), 0, 4)).body, 1024, 64).any(), False, "a source without sound is silent")
for channel in ("change", "soundchange", "truncated", "vfr", "sliced", "hevc"):
    archive = channel_of(base, channel)
    a = ask(url(archive, 0, min(archive.seconds, 12)))
    ok(a.status == 200 and rows_of(a.body, 1024, 64).mean() > 2, f"{channel} has a picture", a)

# ------------------------------------------------------------------ what is kept
first = ask(url(main, 0, 16, more="&size=30x100"))
middle = kept()
again = ask(url(main, 0, 16, more="&size=40x100"))
same((first.status, again.status), (200, 200), "a zoom")
ok(middle and kept() == middle, "peaks are kept, and not made again", (middle, kept()))
plain = Server(base, ["--peaks-max-mb", "0"])
same(ask(url(main, 0, 16, more="&size=30x100"), to=plain).body, first.body, "with none kept it is the same picture")
for name in kept():
    path = os.path.join(server.cache, "peaks", name)
    data = bytearray(content([path]))
    data[rnd.randrange(len(data))] ^= 1 << rnd.randrange(8)
    with open(path, "wb") as f:
        f.write(data)
server.expected_log.append("removing a bad peaks file")
same(ask(url(main, 0, 16, more="&size=30x100")).body, first.body, "damaged files of the cache are made again")
same(ask(url(main, 2, 14, more="&size=30x100"), to=plain).body, ask(url(main, 2, 14, more="&size=30x100")).body, "a part of it is the same, kept or not")

# ------------------------------------------------------------------ peaks
def dat(body):
    """bbc/audiowaveform, doc/DataFormat.md."""
    version, flags, rate, each, length, channels = struct.unpack("<iIiiIi", body[:24])
    return {"version": version, "bits": 8 if flags & 1 else 16, "sample_rate": rate, "samples_per_pixel": each, "length": length, "channels": channels,
            "data": list(struct.unpack(f"<{2 * length * channels}{'b' if flags & 1 else 'h'}", body[24:]))}


mix = np.rint(samples.mean(1) * 32768)
NOISE = 64      # what a decoder makes of its own where the source says "noise"
for points, end in ((1000, 1), (1024, 16), (16, 16), (3, 16)):
    a = ask(url(main, 0, end, "peaks", "json", f"&points={points}"))
    b = ask(url(main, 0, end, "peaks", "dat", f"&points={points}"))
    same((a["content-type"], b["content-type"]), ("application/json", "application/octet-stream"), "the types")
    same(dat(b.body), a.json, f"{points} points of {end} s: .dat says what .json says")
    got = a.json
    same({k: got[k] for k in got if k != "data"}, {"version": 2, "channels": 1, "sample_rate": RATE, "samples_per_pixel": round(end * RATE / points), "bits": 16, "length": points}, "the head")
    at = np.round(np.arange(points + 1) * end * RATE / points).astype(int)
    pairs = np.array(got["data"]).reshape(-1, 2)
    ok(all(mix[i:j].min() - NOISE <= hi and lo <= mix[i:j].max() + NOISE for i, j, (lo, hi) in zip(at, at[1:], pairs)) and (pairs[:, 0] <= pairs[:, 1]).all(), "least and greatest are those of the sound")
    block = 4096 if end / points > 1.4 else 128 if end / points > .05 else 8
    wider = [mix[max(0, i - block):j + block] for i, j in zip(at, at[1:])]
    ok(all(lo <= mix[i:j].min() + NOISE and hi >= mix[i:j].max() - NOISE for i, j, (lo, hi) in zip(at, at[1:], pairs)), "all samples of a point are in between")
    ok(all(lo >= w.min() - NOISE and hi <= w.max() + NOISE for w, (lo, hi) in zip(wider, pairs)), "and no others but of the next few")
same(len(ask(url(main, 0, 4, "peaks", "json")).json["data"]), 2048, "1024 points if none are asked for")

# ------------------------------------------------------------------ the same bytes
def peaks_of(archive, start, end, points, to=server):
    return np.array(ask(url(archive, start, end, "peaks", "json", f"&points={points}"), to=to).json["data"]).reshape(-1, 2)


# Whole seconds: whatever was decoded before, by any thread, from anywhere.
for length, points in ((16, 160), (16, 16 * 1000)):
    whole = peaks_of(main, 0, length, points)
    for first, end in ((2, 8), (5, 6), (3, 16)):
        part = peaks_of(main, first, end, points // length * (end - first), to=plain)
        same((part == whole[first * points // length:end * points // length]).all(), True, f"{first} to {end} s of {length}, {points} points: the same as in the whole")

# ------------------------------------------------------------------ HTTP
a = ask(url(main, 0, 8))
same((a["content-type"], a["x-holes"]), ("image/png", "0"), "a PNG")
same(ask(url(main, 0, 8), {"If-None-Match": a["etag"]}).status, 304, "it has a validator")
others = {ask(u)["etag"] for u in (url(main, 0, 8, more="&size=1024x65"), url(main, 0, 8, more="&size=1025x64"), url(main, 0, 7.5), url(main, 0, 8, "peaks", "json"), url(main, 0, 8, "peaks", "dat"))}
ok(a["etag"] not in others and len(others) == 5, "of what differs it differs", others)
head = ask(url(main, 0, 8), method="HEAD")
same((head.status, head["content-length"], head.body), (200, str(len(a.body)), b""), "HEAD")
like(a["cache-control"], "immutable", "a settled range is for ever")
good = f"start={main.iso(0)}&end={main.iso(4)}"
for query, pattern in (("", "start: is required"), (f"start={main.iso(0)}", "end: is required"), (f"start={main.iso(4)}&end={main.iso(0)}", "end must be after start"),
                       (f"start={main.iso(0)}&end={main.iso(0)}", "end must be after start"), (f"start={main.iso(0)}&end={main.iso(6 * 3600 + 1)}", "longer than 6 hours"),
                       *((good + f"&size={size}", "size: .*from 1 to 4096") for size in ("1024", "x", "1024x", "x64", "0x64", "64x0", "4097x1", "1x4097", "-1x5", "1x1x1", "1024X64", "99999999999999999999x1", "1x99999999999999999999", "1%00", "%F0%9F%8E%B5"))):
    a = ask(f"/waveform/main540/source.png?{query}")
    same((a.status, a.body.count(b"\n")), (400, 1), f"'{query[-40:]}' is an error")
    if "%00" not in query:
        like(a.text, pattern, "that says where")
for points in ("0", "-1", "32769", "x", "1.5"):
    a = ask(f"/peaks/main540/source.json?{good}&points={points}")
    same((a.status, a.body.count(b"\n")), (400, 1), f"points={points} is an error")
    like(a.text, "points: .*from 1 to 32768", "that says where")
for path in ("/waveform/nope/source.png", "/waveform/main540/nope.png", "/waveform/main540/source.jpg", "/waveform/main540/source", "/peaks/main540/nope.dat", "/peaks/main540/source.png"):
    same(ask(f"{path}?{good}").status, 404, path)
same(ask(url(main, 0, 4), method="POST", body=b"x").status, 405, "POST")
for size in ("1x1", "4096x4096", "4096x1", "1x4096"):
    width, height = map(int, size.split("x"))
    a = ask(url(main, 0, 4, more=f"&size={size}"))
    ok(a.status == 200 and len(rows_of(a.body, width, height)) == width, f"size={size}", a)
metrics = server.get("/metrics").text
like(metrics, r'waveform_latency_count\{error=""\} [1-9]', "the work is measured")
like(metrics, r'http_request_latency_generate_waveform_count\{.*status="200"', "and the requests")

# ------------------------------------------------------------------ damage, and offline
copy = temp_dir("copy")
shutil.copytree(os.path.join(base, "bf2"), os.path.join(copy, "bf2"))
bf2 = channel_of(base, "bf2")
damaged = Server(copy)
victims = sorted(p for d, _, names in os.walk(copy) for p in (os.path.join(d, n) for n in names) if p.endswith(".ts"))
whole = rows_of(ask(url(bf2, 0, 12, more="&size=1200x100"), to=damaged).body, 1200, 100)
shutil.rmtree(os.path.join(damaged.cache, "peaks"))
damaged.stop()
damaged = Server(copy)
for path, how in zip(victims[1:5], (lambda d: b"", lambda d: bytes(len(d)), lambda d: d[:1000] + d[1003:], lambda d: bytes(rnd.randrange(256) for _ in d))):
    data = content([path])
    with open(path, "wb") as f:
        f.write(how(data))
a = ask(url(bf2, 0, 12, more="&size=1200x100"), to=damaged)
hurt = rows_of(a.body, 1200, 100)
ok(not hurt[205:395].any() and not hurt[405:595].any() and not hurt[805:995].any(), "a segment that is none is silent")
ok((np.abs(hurt - whole)[[*range(195), *range(1005, 1190)]] <= 2).all(), "the others are as they were")
ok((hurt[610:790] > 5).mean() > .9, "one that is out of step for a moment is heard")
os.unlink(victims[0])
os.mkfifo(victims[0])
a = damaged.get(url(bf2, 0, 12))
ok(a.status in (200, 500, 503) and (a.status == 200 or a.body.count(b"\n") == 1 and copy not in a.text), "a pipe in the place of a segment", a)
damaged.expected_log.append("cannot read")
damaged.stop()


def with_jump(data, seconds, bit=None):
    """A segment whose third PES of audio has another time."""
    data, nth = bytearray(data), 0
    for at in range(0, len(data), 188):
        packet = data[at:at + 188]
        pes = at + 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        if not packet[1] & 0x40 or data[pes:pes + 3] != b"\0\0\1" or not 0xc0 <= data[pes + 3] <= 0xdf:
            continue
        nth += 1
        if nth == 3:
            b = pes + 9
            pts = (data[b] >> 1 & 7) << 30 | data[b + 1] << 22 | data[b + 2] >> 1 << 15 | data[b + 3] << 7 | data[b + 4] >> 1
            pts = pts ^ 1 << bit if bit is not None else pts + seconds * 90000 & (1 << 33) - 1
            data[b:b + 5] = bytes((data[b] & 0xf1 | pts >> 29 & 0xe, pts >> 22 & 255, pts >> 14 & 254 | 1, pts >> 7 & 255, pts << 1 & 254 | 1))
    return bytes(data)


for name, change in (("bit 28 of a time", (0, 28)), ("bit 20", (0, 20)), ("bit 16", (0, 16)), ("ten seconds", (10,)), ("minus one", (-1,))):
    copy = temp_dir("jump")
    shutil.copytree(os.path.join(base, "main540"), os.path.join(copy, "main540"))
    path = sorted(p for d, _, names in os.walk(copy) for p in (os.path.join(d, n) for n in names) if p.endswith(".ts"))[1]
    data = with_jump(content([path]), *change)
    with open(path, "wb") as f:
        f.write(data)
    out = os.path.join(work, "jump.json")
    for points in (80, 8000):
        wanted = peaks_of(main, 0, 8, points)
        limit = ("prlimit", f"--as={2 << 30}", "--") if not os.environ.get("ASAN_OPTIONS") else ()
        p = subprocess.run([*limit, PROGRAM, "peaks", "main540", "source", "--base", copy, "--cache", "none", "--start", main.iso(0), "--end", main.iso(8), "--points", str(points), "-o", out])
        with open(out) as f:
            got = np.array(json.load(f)["data"]).reshape(-1, 2)
        moved = np.nonzero(np.abs(got - wanted).max(1) > NOISE)[0] * 8 / points
        ok(p.returncode == 0 and len(moved) * 8 / points < .5 and (not len(moved) or 2 <= moved.min() and moved.max() < 4), f"{name}, {points} points: only what is damaged is missing", moved)
out = os.path.join(work, "offline")
for command, ending, more in (("waveform", "png", ("--size", "300x50")), ("peaks", "json", ("--points", "9")), ("peaks", "dat", ("--points", "9"))):
    status, _, said = run_program(command, "main540", "source", "--base", base, "--cache", "none", "--start", main.iso(1), "--end", main.iso(9), *more, "-o", f"{out}.{ending}")
    same((status, said), (0, b""), f"restreamer {command} -o NAME.{ending}")
    same(content([f"{out}.{ending}"]), ask(url(main, 1, 9, command, ending, f"&{more[0][2:]}={more[1]}")).body, "the same bytes")
same(run_program("waveform", "main540", "source", "--base", base, "--cache", "none", "--start", main.iso(-90), "--end", main.iso(-80))[0], 6, "offline with nothing there: exit 6")
finish()
