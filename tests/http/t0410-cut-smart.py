#!/usr/bin/env python3
"""/cut type=smart and fast: exactly the frames asked for, each proved.

Environment:  CUT_COUNT=40    so many random cuts
              CUT_SEED=1      which
              CUT_ARCHIVES    a directory that keeps the archives between runs
"""
import concurrent.futures
import os
import sys

count, seed = int(os.environ.get("CUT_COUNT", "40")), int(os.environ.get("CUT_SEED", "1"))
# Before harness starts its alarm.
os.environ.setdefault("TEST_TIMEOUT", str(600 + 10 * max(0, count - 40)))

from onvideo import *  # noqa: E402
from cutsweep import REFUSED, Cut, prove, sweep, tell  # noqa: E402
from cuttruth import channel_of, to_us  # noqa: E402
import tsread  # noqa: E402

base = cut_archives()
server = Server(base)
rnd = random.Random(seed)


def ask(path, headers=None):
    # So many at once that some may be told to wait.
    return wait_for(lambda: (a := server.get(path, headers)).status != 503 and a, "a slot")


def of(channel, *ranges, **more):
    return Cut(channel_of(base, channel), [(str(a), str(b)) for a, b in ranges], **more)


pending, seen = [], set()


def proved(cut, text, encoded=None, **more):
    """A cut that must be right; encoded: so many frames are.  The first of a
    kind is looked at in all ways."""
    more.setdefault("thorough", cut.archive.channel not in seen or bool(cut.transitions))
    seen.add(cut.archive.channel)
    pending.append((cut, text, encoded, random.Random(rnd.random()), more))


def prove_them():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda p: prove(ask, p[0], p[3], **p[4]), pending)
        for (cut, text, encoded, _, _), (faults, facts) in zip(pending, results):
            if encoded is not None and facts.get("encoded") != encoded:
                faults["encoded"] = f"{facts.get('encoded')} not {encoded}"
            ok(not faults, f"{text}: {cut}", tell(cut, faults))
    pending.clear()


def refused(cut, status, text, pattern=r"\S"):
    a = ask(cut.url())
    ok(a.status in status and a.body.count(b"\n") == 1 and re.search(pattern, a.text) and len(a.body) < 400 and base not in a.text,
       f"{text}: {' or '.join(map(str, status))}: {cut}", a)


# ------------------------------------------------------------------ chosen
FRAME = 1 / 60
for channel, length in (("bf0", 20), ("bf2", 20), ("bf4p", 20), ("noaudio", 16)):
    proved(of(channel, (0, length)), "all of it", encoded=0)
proved(of("bf2", (0, "3.210")), "from the beginning")
proved(of("bf4p", ("11.333", 20)), "to the end")
proved(of("bf2", (4, 8)), "from an IDR picture to one", encoded=0)
proved(of("bf4p", (2, 14)), "from an IDR picture inside a segment", encoded=0)
proved(of("bf0", (4, "8.5")), "no B-frames: nothing is encoded at the end", encoded=0)
proved(of("bf2", (4, "8.010")), "one picture of a GOP", encoded=0)
proved(of("bf2", (4, "8.030")), "two pictures of a GOP, the second a B-frame", encoded=1)
proved(of("bf2", (4, "8.060")), "four pictures of a GOP, the last a P-frame", encoded=0)
proved(of("bf4p", (4, "8.045")), "three pictures of a GOP with a pyramid")
proved(of("bf2", ("5.1", "5.6")), "inside a GOP")
proved(of("bf4p", ("6.2", "7.7")), "inside the second GOP of a segment")
proved(of("bf2", ("7.9", "8.1")), "across a seam")
proved(of("bf2", ("4.500", "4.510")), "one frame")
proved(of("bf2", (4, "4.010")), "one frame, an IDR picture")
proved(of("f25", ("7.160", "7.200")), "one frame of 40 ms")
proved(of("bf2", (3, "5.3"), ("5.3", "8.2")), "back to back")
proved(of("bf4p", ("3.117", "5.3"), ("5.3", "5.35"), ("5.35", "8.2")), "back to back inside GOPs")
proved(of("bf2", ("3.1", "5.7"), ("3.1", "5.7")), "the same twice")
proved(of("f30", ("3.1", "5.7"), ("4.2", "6.1")), "overlapping")
proved(of("ntsc", ("9.1", "11.7"), ("1.2", "2.1")), "backwards")
proved(of("bf0", ("8.3", "10.1")), "over the end of an hour")
proved(of("joins", *(("%.3f" % (n * 0.9), "%.3f" % (n * 0.9 + 0.7)) for n in range(20))), "twenty ranges")
proved(of("joins", *(("%.3f" % (17 - n * 0.35), "%.3f" % (17.3 - n * 0.35)) for n in range(48))), "48 ranges")
proved(of("wrap", ("8.5", "10.2")), "over the wrap of the clock")
proved(of("wrap", ("9.25", "9.45")), "over the wrap, inside a GOP")
proved(of("wrap", (3, "15.5")), "over the wrap, in whole segments")
proved(of("wrap", (10, "12.5"), ("6.3", "11.1"), (0, 3)), "over the wrap, forth and back")
proved(of("twA", ("3.3", "9.9"), (12, "14.2")), "PIDs of a platform")
proved(of("twB", ("3.3", "9.9"), (12, "14.2")), "PIDs of another")
proved(of("otherpcr", ("3.3", "9.9"), (12, "14.2")), "PCRs apart")
proved(of("nullpackets", ("3.3", "9.9"), (12, "14.2")), "constant rate")
proved(of("drift", ("3.3", "9.9"), ("12.1", "14.2")), "names that are a little off")
proved(of("sliced", ("3.3", "9.9")), "several slices")
proved(of("main540", ("3.3", "9.9")), "main profile")
proved(of("vfr", ("3.3", "11.9"), ("6.1", "13.3")), "variable frame rate")
proved(of("ms60", ("3.3", "9.9"), ("12.1", "14.2")), "times in milliseconds")
proved(of("opengop", ("3.3", "12.5")), "open GOPs")
proved(of("opengop", ("4", "5.7")), "open GOPs, without an IDR picture")
proved(of("longgop", ("11.1", "19.3")), "inside a GOP of 10 s")
proved(of("longgop", ("8.1", "21.2")), "a GOP of 10 s, and parts of two")
proved(of("change", ("9.2", "10.9")), "over a change of the encoder")
proved(of("change", ("7.7", "13.3"), ("1.5", "2.5")), "over a change and back")
proved(of("sizechange", (8, 12)), "over a change of size", encoded=0)
proved(of("sizechange", ("9.2", "11.9"), (2, "3.3")), "over a change of size and back")
for channel in ("joins", "mono"):
    proved(of(channel, ("2.033", "4.107"), ("7.3", 9), ("12.2", 14)), "what is heard at joins", joins=True)
    proved(of(channel, (2, 5), ("9.3", "12.4")), "what is heard at a join after whole segments", joins=True)

# ------------------------------------------------------------------ transitions
proved(of("bf2", ("3.1", "6.2"), ("9.3", "12.4"), transitions=[("fade", 1.0)]), "a transition")
proved(of("joins", ("3.1", "6.2"), ("9.3", "12.4"), transitions=[("wipeleft", 0.5)]), "a transition")
proved(of("bf4p", (4, 8), (12, 16), transitions=[("clockwipe", 0.7)]), "a transition of our own")
proved(of("f5994", (4, 8), (12, 16), (2, 3), transitions=[None, ("diamondwipe", 0.5)]), "a hard cut and a transition")
proved(of("f25", (2, 5), ("8.2", "10.1"), ("14.1", "16.6"), transitions=[("starwipe", 0.6), ("batman", 0.9)]), "two transitions")
proved(of("twB", ("2.5", "5.1"), ("8.2", "11.9"), transitions=[("dissolve", 2)]), "a transition of 2 s")
proved(of("noaudio", ("2.5", "5.1"), ("8.2", "11.9"), transitions=[("radial", 0.3)]), "a transition without sound")
refused(of("bf2", (2, 3), (5, 9), transitions=[("fade", 1.5)]), (400,), "a transition longer than a range", "transition")

# ------------------------------------------------------------------ holes
refused(of("hole", (6, 15)), (406,), "a hole inside", "holes")
refused(of("hole", (0, 20), (14, 15)), (406,), "a hole inside one of two", "holes")
refused(of("hole", (9, 12), allow_holes=True), (406,), "nothing but a hole")
refused(of("hole", (0, 2), (9, 12), allow_holes=True), (406,), "nothing but a hole in one of two")
refused(of("truncated", (5, 9)), (406,), "a partial segment", "holes")
proved(of("hole", ("1.1", "7.9"), allow_holes=True), "holes allowed, and there is none")
proved(of("hole", ("6.3", "14.6"), allow_holes=True), "over a hole")
proved(of("hole", ("7.5", 10), ("12.2", "14.1"), allow_holes=True), "into a hole, and out of it")
proved(of("hole", ("-3", 1), (18, 25), allow_holes=True), "before the beginning, and over the end")
proved(of("truncated", ("5.1", "9.3"), allow_holes=True), "over a segment that breaks off")
proved(of("truncated", ("11.2", "17.3"), allow_holes=True), "over one that breaks off and one that is missing")
proved(of("truncated", ("6.1", "6.9"), allow_holes=True), "inside one that breaks off")
proved(of("truncated", ("6.1", "7.9"), ("12.3", 14), allow_holes=True), "to where they break off")

prove_them()

# ------------------------------------------------------------------ nothing to cut
for channel in sorted(REFUSED):
    refused(of(channel, (1, 3)), (406,), f"{channel}: a reason", r"(?i)hevc|h\.?265")
refused(of("bf2", ("4.502", "4.510")), (400, 406), "less than a frame")
refused(of("bf2", ("4.502", "4.502001")), (400, 406), "a microsecond")
refused(of("bf2", (4, "5.5"), ("6.502", "6.510")), (400, 406), "less than a frame in one of two")
refused(of("bf2", (5, 5)), (400,), "no time at all")
refused(of("bf2", (5, 4)), (400,), "backwards")
same(ask(of("bf2", (4, 5)).url().replace("/bf2/", "/nope/")).status, 404, "no such channel")

# ------------------------------------------------------------------ a virtual file
cut = of("bf2", ("3.1", "8.2"), ("1.5", "2.5"))
path = cut.url()
whole = ask(path)
data, etag = whole.body, whole["etag"]
same((whole.status, whole["content-type"], whole["content-length"], whole["accept-ranges"]), (200, "video/MP2T", str(len(data)), "bytes"), "headers")
ok(etag and whole["access-control-allow-origin"] == "*" and re.search("no-cache|immutable", whole["cache-control"] or ""), "more headers", whole)
same((whole["x-holes"], float(whole["x-holes-duration"] or -1)), ("0", 0.0), "X-Holes")
same(len(data) % 188, 0, "whole packets")
a = server.head(path)
same((a.status, a.body, a["content-length"], a["etag"], a["content-type"]), (200, b"", str(len(data)), etag, "video/MP2T"), "HEAD: all but the body")
ok(all(ask(path).body == data for _ in range(3)), "the same request gives the same bytes")
same({ask(path)["etag"] for _ in range(3)}, {etag}, "and the same ETag")
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    ok(all(b.body == data for b in pool.map(ask, [path] * 8)), "also to eight at once")
other = Server(base)
a = other.get(path)
same((a.body == data, a["etag"]), (True, etag), "another server, without what the first has kept, gives the same bytes and ETag")
size = len(data)
part = other.get(of("bf2", ("3.117", "8.2")).url(), {"Range": "bytes=376-939"})
same(part.status, 206, "a part, before the whole was ever asked for")
same(part.body, other.get(of("bf2", ("3.117", "8.2")).url()).body[376:940], "that part")
other.stop()
edges = sorted({0, 1, 187, 188, size // 3, size // 2, size - 189, size - 1, *(rnd.randrange(size) for _ in range(4))})
pieces = b"".join(ask(path, {"Range": f"bytes={a}-{b - 1}"}).body for a, b in zip(edges, edges[1:] + [size]))
same(pieces == data, True, "put together from parts")
for value, part, says in (("bytes=0-", data, (0, size - 1)), (f"bytes={size - 500}-", data[-500:], (size - 500, size - 1)), ("bytes=-100", data[-100:], (size - 100, size - 1)),
                          ("bytes=5-99999999999999999999", data[5:], (5, size - 1))):
    a = ask(path, {"Range": value})
    same((a.status, a.body == part, a["content-range"], a["content-length"], a["etag"]), (206, True, f"bytes {says[0]}-{says[1]}/{size}", str(len(part)), etag), f"Range {value}")
a = ask(path, {"Range": f"bytes={size}-"})
same((a.status, a["content-range"]), (416, f"bytes */{size}"), "past the end: 416")
for value, held in ((etag, True), ('"other"', False)):
    a = ask(path, {"Range": "bytes=10-19", "If-Range": value})
    same((a.status, a.body), (206, data[10:20]) if held else (200, data), f"If-Range that {'holds' if held else 'does not'}")
a = ask(path, {"If-None-Match": etag})
same((a.status, a.body), (304, b""), "If-None-Match")
for different in (of("bf2", ("3.1", "8.2"), ("1.5", "2.6")), of("bf2", ("3.1", "8.2")), of("bf2", ("3.2", "8.2"), ("1.5", "2.5")),
                  of("bf2", ("1.5", "2.5"), ("3.1", "8.2")), of("bf4p", ("3.1", "8.2"), ("1.5", "2.5")), of("bf2", ("3.1", "8.2"), ("1.5", "2.5"), kind="rough"),
                  of("bf2", ("3.1", "8.2"), ("1.5", "2.5"), transitions=[("fade", 0.3)])):
    ok(ask(different.url())["etag"] not in (etag, None), f"another ETag: {different}")
a = ask(cut.url("&stream=true"))
same((a.status, a.body == data, a["content-length"], a["etag"], a.whole), (200, True, None, None, True), "stream=true: the same, without length and ETag")
same(re.match(r'attachment; *filename="?a b\.ts', ask(cut.url("&download=a%20b.ts"))["content-disposition"] or "") is not None, True, "download=")
archive = cut.archive
a = ask(f"/cut/bf2/source.ts?type=smart&start={archive.iso('3.1')}&end={archive.iso('8.2')}")
same(a.body == ask(of("bf2", ("3.1", "8.2")).url()).body, True, "start= and end= are one range=")
a = ask(cut.url("&dry_run=true"))
plan = a.json or {}
faults, facts = prove(ask, cut, rnd)
ok(not faults, "what was planned", tell(cut, faults))
same((a.status, plan.get("type"), plan.get("bytes"), plan.get("holes")), (200, "smart", size, 0), "dry_run: the length, and no holes")
ok(facts.get("encoded", 0) <= plan.get("frames_to_encode", -1) <= facts.get("to encode", 0), "dry_run: frames to encode", (plan, facts))

# ------------------------------------------------------------------ fast
a = ask(f"/cut/bf2/source.ts?start={archive.iso('3.1')}&end={archive.iso('8.2')}")
same(a.body == ask(of("bf2", ("3.1", "8.2"), kind="fast").url()).body, True, "fast is what is meant without a type")
for channel, ranges in (("bf2", [("3.1", "8.2"), ("1.5", "2.5")]), ("bf0", [(4, 8)]), ("twB", [("3.3", "9.9")]), ("f5994", [("5.5", "9.1"), ("5.5", "9.1")]),
                        ("noaudio", [("5.5", "9.1")]), ("opengop", [("3.3", "12.5")])):
    proved(of(channel, *ranges, kind="fast"), "fast")
prove_them()

# ------------------------------------------------------------------ at random
began = time.monotonic()
for kind, number in (("smart", count), ("fast", (count + 4) // 5)):
    for nth, (cut, faults, facts) in enumerate(sweep(ask, base, number, seed, kind)):
        ok(not faults, f"random cut {nth}: {cut}", tell(cut, faults))
diag(f"{count} random cuts took {time.monotonic() - began:.0f} s")


# ------------------------------------------------------------------ wrong ones are found
# What all this rests on: proofs that fail where something is wrong.
cut = of("joins", ("3.133", "8.2"), ("11.5", "15.5"))
right = ask(cut.url()).body
archive = cut.archive
stream = tsread.Stream(right)
PICTURE, SOUND = stream.pid(tsread.VIDEO), stream.pid(tsread.AUDIO)


def pid_of(p):
    return (p[1] & 31) << 8 | p[2]


def begins(p):
    """Where the payload of a packet begins, if a PES packet does."""
    return (4 + (1 + p[4] if p[3] & 0x20 else 0)) if p[1] & 0x40 and p[3] & 0x10 and pid_of(p) in (PICTURE, SOUND) else None


def write_time(p, at, value):
    p[at] = p[at] & 0xf0 | value >> 29 & 14 | 1
    p[at + 1], p[at + 2], p[at + 3], p[at + 4] = value >> 22 & 255, value >> 14 & 254 | 1, value >> 7 & 255, value << 1 & 254 | 1


def shift(p, pid, ticks, since=0):
    at = begins(p)
    if at is None or pid_of(p) != pid:
        return
    for place, there in ((at + 9, 0x80), (at + 14, 0x40)):
        if p[at + 7] & there and tsread.read_time(p[place:place + 5]) >= since:
            write_time(p, place, tsread.read_time(p[place:place + 5]) + ticks)


def packets(change):
    """Each packet, with its number and how many PES packets began before on
    its PID, through a function; None removes it and makes good the counters."""
    out, started, less = bytearray(), {}, {}
    for nth, at in enumerate(range(0, len(right), 188)):
        p = bytearray(right[at:at + 188])
        pid = pid_of(p)
        if begins(p) is not None:
            started[pid] = started.get(pid, 0) + 1
        if change(p, nth, started.get(pid, 0)) == "remove":
            less[pid] = less.get(pid, 0) + (1 if p[3] & 0x10 else 0)
            continue
        p[3] = p[3] & 0xf0 | (p[3] - less.get(pid, 0)) & 15
        out += p
    return bytes(out)


def without(pid, number):
    return packets(lambda p, nth, started: "remove" if pid_of(p) == pid and started == number else None)


def damage(p, nth, started):
    if pid_of(p) == PICTURE and started == 40 and begins(p) is None:
        p[100] ^= 0x55


def late_clock(p, nth, started):
    if p[3] & 0x20 and p[4] >= 7 and p[5] & 0x10 and nth > 100:
        p[7] = (p[7] + 1) & 255           # 2^17 ticks of 90 kHz


def no_counter(p, nth, started):
    if nth == 300:
        p[3] ^= 1


def other_level(p, nth, started):
    at = p.find(b"\0\0\1\x67")
    if 0 <= at < 180:
        p[at + 6] ^= 1


def join_at(archive, ranges):
    """When the second range begins in the answer."""
    return stream.video[0].pts + (to_us(ranges[0][1]) - to_us(ranges[0][0])) * 9 // 100 - 1500


faults, facts = prove(ask, cut, rnd, joins=True)
if not ok(not faults, "a right cut", tell(cut, faults)):
    skip("wrong cuts", "there is no right one")
else:
    order = [u.pts for u in stream.video]
    middle = next(n + 1 for n in range(60, len(order)) if order[n] < order[n - 1])
    for text, bad, fault in (
            ("a packet missing", right[:188 * 400] + right[188 * 401:], "transport"),
            ("a byte at the end", right + b"x", "transport"),
            ("cut short", right[:len(right) * 2 // 3 // 188 * 188], "frames"),
            ("a B-frame missing", without(PICTURE, middle), "frames"),
            ("a byte of a picture changed", packets(damage), "encoded without need|decoder says"),
            ("sound 10 ms late", packets(lambda p, nth, started: shift(p, SOUND, 900)), "sync in the first range, ms"),
            ("sound 20 ms late from the join on", packets(lambda p, nth, started: shift(p, SOUND, 1800, join_at(archive, cut.ranges))), "sync ms"),
            ("a PES packet of sound missing", without(SOUND, 9), "sound steps"),
            ("pictures 10 ms late from the join on", packets(lambda p, nth, started: shift(p, PICTURE, 900, join_at(archive, cut.ranges))), "frame steps"),
            ("everything 1 s late", packets(lambda p, nth, started: (shift(p, PICTURE, 90000), shift(p, SOUND, 90000))[0]), "first DTS"),
            ("PCRs late", packets(late_clock), "transport"),
            ("a counter wrong", packets(no_counter), "transport"),
            ("another level", packets(other_level), "profile and level"),
            ("another cut", ask(of("joins", ("3.133", "8.2"), ("11.533", "15.5")).url()).body, "frames"),
            ("of another archive", ask(of("mono", *cut.ranges).url()).body, "sound format")):
        with tempfile.NamedTemporaryFile(suffix=".ts") as file:
            file.write(bad)
            file.flush()
            found, _ = cut.examine(file.name)
        ok(any(f in found for f in fault.split("|")), f"wrong, and found: {text}", found)
finish()
