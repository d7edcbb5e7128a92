#!/usr/bin/env python3
"""Cuts over a change of the source's format: sound is converted, pictures are
passed, refused or scaled.

Environment:  CUT_ARCHIVES    a directory that keeps the archives between runs
"""
import json
import os
import sys

from onvideo import *  # noqa: E402
from cutsweep import Cut  # noqa: E402
from cuttruth import channel_of  # noqa: E402

base = cut_archives("soundchange", "sizechange", "longgop")
work = temp_dir("work")
server = Server(base)


def ask(path):
    return wait_for(lambda: (a := server.get(path)).status != 503 and a, "a slot")


def of(channel, *ranges):
    return Cut(channel_of(base, channel), [(str(a), str(b)) for a, b in ranges])


def samples(path):
    p = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"], stdout=subprocess.PIPE, check=True)
    return np.frombuffer(p.stdout, np.float32).astype(np.float64)


def begin_of(path, stream):
    p = subprocess.run(["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts", "-of", "json", path], stdout=subprocess.PIPE, check=True)
    return min(packet["pts"] for packet in json.loads(p.stdout)["packets"]) / 90000


def place_of(x, y, guess, reach=2400):
    """Where in y x is: (samples from the guess, dB above what differs)."""
    low = max(0, guess - reach)
    y = y[low:guess + reach + len(x)]
    at = int(np.argmax(np.correlate(y, x)))
    y = y[at:at + len(x)]
    return low + at - guess, 10 * np.log10(np.dot(x, x) / (np.sum((x - y * np.dot(x, y) / np.dot(y, y)) ** 2) + 1e-9))


def converted(cut, kind, rate, channels, warned=True, more=""):
    """The sound is of one kind, without a gap, and that of the source: not
    earlier than 5.3 ms, and not later than 16 (at 44.1 kHz, 18)."""
    name = f"{cut} as {kind}"
    a = ask(cut.url(more).replace("type=smart", "type=" + kind))
    path = os.path.join(work, "converted")
    with open(path, "wb") as f:
        f.write(a.body)
    same((a.status, "sound-converted" in (a["x-cut-warning"] or "")), (200, warned), f"{name}: {'converted, and it says so' if warned else 'as it is'}")
    p = subprocess.run(["ffprobe", "-v", "warning", "-select_streams", "a", "-show_entries", "packet=pts_time:stream=sample_rate,channels", "-of", "json", path], capture_output=True)
    said = json.loads(p.stdout)
    times = np.array([float(packet["pts_time"]) for packet in said["packets"]])
    same((p.stderr, said["streams"][0]["sample_rate"], said["streams"][0]["channels"]), (b"", str(rate), channels), f"{name}: of one kind")
    ok(np.all(np.abs(np.diff(times) - 1024 / rate) < (0.0011 if kind in ("mp4", "mkv") else 0.00003)), f"{name}: without a gap", np.diff(times))
    p = subprocess.run(["ffmpeg", "-v", "warning", "-xerror", "-i", path, "-f", "null", "-"], capture_output=True)
    same((p.returncode, p.stderr), (0, b""), f"{name}: decodes without a word")
    heard, far, quality, shown = samples(path), [], [], 0.0
    first = 0 if kind in ("mp4", "mkv") else begin_of(path, "v")
    for begin, end in cut.ranges:
        for run_begin, run_end in ((0, 10), (10, 14), (14, 18)):
            low, high = max(float(begin), run_begin), min(float(end), run_end)
            for t in np.arange(low + 0.25, high - 0.45, 0.1):
                x = heard[round((shown + t - float(begin) + first - times[0]) * 48000):][:9600]
                early, part = parts[run_begin]
                offset, db = place_of(x, part, round((t - run_begin + early) * 48000))
                far.append(-offset / 48)
                quality.append(db)
        shown += float(end) - float(begin)
    ok(far and -5.5 < min(far) and max(far) < 18.1 and min(quality) > 18, f"{name}: what was heard, when it was", (min(far), max(far), min(quality)))


paths = sorted(p for d, _, names in os.walk(os.path.join(base, "soundchange")) for p in (os.path.join(d, n) for n in names))
parts = {}
for begin, chosen in ((0, paths[:5]), (10, paths[5:7]), (14, paths[7:])):
    whole = os.path.join(work, "part.ts")
    with open(whole, "wb") as f:
        f.write(content(chosen))
    parts[begin] = begin_of(whole, "v") - begin_of(whole, "a"), samples(whole)
for kind in ("smart", "mp4", "mkv"):
    converted(of("soundchange", ("3.1", "13.4")), kind, 48000, 2)
converted(of("soundchange", ("9.2", "13.9")), "smart", 44100, 1)
converted(of("soundchange", ("11.3", "12.9"), ("3.2", "8.9")), "smart", 48000, 2)
converted(of("soundchange", ("12.2", "13.9"), (0, "17.5")), "smart", 48000, 2, more="&mixed=transcode")
converted(of("soundchange", ("10.2", "13.9")), "smart", 44100, 1, warned=False)
converted(of("soundchange", ("2.1", "9.9")), "smart", 48000, 2, warned=False)
a = ask(of("soundchange", ("3.1", "13.4")).url().replace("type=smart", "type=fast"))
p = subprocess.run(["ffmpeg", "-v", "debug", "-i", "-", "-map", "0:a", "-f", "null", "-"], input=a.body, stderr=subprocess.PIPE)
ok(a["x-cut-warning"] == "sound-converted" and b"44100" not in p.stderr and b"48000" in p.stderr, "on the source's clock, too", a)
for channel in ("soundchange", "sizechange"):
    a = ask(of(channel, (8, 12)).url("&mixed=error"))
    same((a.status, a.body.count(b"\n")), (406, 1), f"{channel}: where it must not change")
    like(a.text, "changes its format", "says why")
a = ask(of("sizechange", (8, 12)).url())
same((a.status, a["x-cut-warning"]), (200, "format-change"), "pictures are passed, with a warning")
a, b = (ask(of("longgop", ("10.5", 19)).url(more)) for more in ("", "&mixed=transcode"))
same((a.status, a["x-cut-warning"], b["x-cut-warning"], a.body == b.body), (200, None, None, True), "segments without parameter sets are no change")
for channel, first, wide in (("sizechange", 8, 640), ("sizechange", 1, 320), ("sizechange", "9.2", 640), ("soundchange", 12, 320)):
    a = ask(of(channel, (first, 15)).url("&mixed=transcode"))
    path = os.path.join(work, "one-size.ts")
    with open(path, "wb") as f:
        f.write(a.body)
    p = subprocess.run(["ffprobe", "-v", "warning", "-select_streams", "v", "-show_entries", "frame=width,height", "-of", "json", path], capture_output=True)
    frames = [(f["width"], f["height"]) for f in json.loads(p.stdout)["frames"]]
    same((a.status, p.stderr, set(frames), len(frames), a["x-cut-warning"] in (None, "sound-converted")), (200, b"", {(wide, wide * 9 // 16)}, round((15 - float(first)) * 30), True),
         f"{channel} from {first} with mixed=transcode: one size, every frame")

# ------------------------------------------------------------------ another aspect
mixed = temp_dir("mixed")
shutil.copytree(os.path.join(base, "sizechange"), os.path.join(mixed, "aspect"))
for nth, path in enumerate(sorted(p for d, _, names in os.walk(mixed) for p in (os.path.join(d, n) for n in names))[5:7]):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "color=c=white:s=240x180:r=30:d=2", "-f", "lavfi", "-i", "sine=r=48000:d=2", "-c:v", "libx264",
                    "-g", "60", "-c:a", "aac", "-ac", "2", "-output_ts_offset", str(2 * nth), "-f", "mpegts", path], check=True)
aspects = Server(mixed)
path = os.path.join(work, "aspect.ts")
with open(path, "wb") as f:
    f.write(wait_for(lambda: (a := aspects.get(of("sizechange", ("1", "13.5")).url("&mixed=transcode").replace("sizechange", "aspect"))).status == 200 and a, "a slot").body)
p = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-vf", "select=eq(n\\,300)", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"], stdout=subprocess.PIPE, check=True)
row = np.frombuffer(p.stdout, np.uint8).reshape(180, 320)[90].astype(int)
ok(row[:36].max() < 20 and row[284:].max() < 20 and row[46:274].min() > 220, "a picture of 4:3 gets bars at its sides", row)
finish()
