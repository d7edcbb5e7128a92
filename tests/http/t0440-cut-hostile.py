#!/usr/bin/env python3
"""/cut over what nobody meant to record, and for those who do not wait.

Environment:  CUT_ARCHIVES    a directory that keeps the archives between runs
"""
import os
import sys

from onvideo import *  # noqa: E402

CHANNELS = ("bf2", "longgop")
kept = cut_archives(*CHANNELS)
base = temp_dir("base")
BEGIN = T("2024-03-01T10:00:00")
NULLS = (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 30000


def copy(channel, name, change=None):
    """A channel, its segments changed by a function of their number and bytes."""
    source, to = os.path.join(kept, channel, "source"), os.path.join(base, name, "source")
    shutil.copytree(source, to)
    files = sorted(os.path.join(d, f) for d, _, names in os.walk(to) for f in names)
    for number, path in enumerate(files):
        data = change and change(number, bytearray(content([path])))
        if data is not None and change:
            with open(path, "wb") as f:
                f.write(data)
    return files


def cut(name, *ranges, kind="smart", more=""):
    text = "&".join(f"range={iso(BEGIN + seconds(a))},{iso(BEGIN + seconds(b))}" for a, b in ranges)
    return f"/cut/{name}/source.ts?type={kind}&{text}{more}"


def offline(name, *options):
    return run_program("cut", name, "source", "--base", base, "--cache", "none", "-o", os.path.join(base, "out"), *options)


def starts(data):
    """Where packets begin that begin a PES packet, and their payload."""
    for at in range(0, len(data) - 187, 188):
        payload = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        if data[at + 1] & 0x40 and data[at + 3] & 0x10 and data[payload:payload + 3] == b"\0\0\1":
            yield at, payload


def without_times(number, data):
    """Every fifth PES packet has no time, past the first."""
    if number != 4:
        return None
    for nth, (_, payload) in enumerate(starts(data)):
        if nth > 6 and nth % 5 == 0:
            data[payload + 7] &= 0x3f
    return data


def broken_sei(number, data):
    """The message of the encoder's options says that it is longer than it is."""
    at = data.find(b"\0\0\1\6\5")
    while at >= 0:
        data[at + 5:at + 15] = b"\xff" * 10
        at = data.find(b"\0\0\1\6\5", at + 15)
    return data


def cut_short(number, data):
    return {3: data[:0], 4: data[:188 * 3], 5: data[:len(data) // 2 + 77], 6: data[500:]}.get(number)


copy("bf2", "bf2")
copy("longgop", "longgop")
copy("bf2", "untimed", without_times)
copy("bf2", "sei", broken_sei)
copy("bf2", "short", cut_short)
big = copy("bf2", "big", lambda number, data: data + NULLS)
server = Server(base, ["--edge-max", "1", "--edges-max-mb", "0"])

# ------------------------------------------------------------------ damaged
for kind in ("smart", "fast", "mp4", "mkv", "mpegts"):
    a = server.get(cut("untimed", (1, 18.5), kind=kind))
    ok(a.status == 200 and a.whole and a.body, f"pictures without a time: {kind}", a)
status, out, err = offline("sei", "--type", "smart", "--start", iso(BEGIN + seconds(0.1)), "--end", iso(BEGIN + seconds(3.2)))
same((status, out, err), (0, b"", b""), "what a parser says of damage is not for the user")
for second in (5, 7, 9, 11, 13):
    for kind in ("smart", "mp4", "mpegts"):
        a = server.get(cut("short", (second, second + 2.5), kind=kind, more="&allow_holes=true"))
        ok(a.status == 200 and (a.body or not a.whole) or a.status in (406, 500) and a.body.count(b"\n") == 1 and len(a.body) < 300 and base not in a.text,
           f"segments cut short, {kind}, from {second}: all, a break or a reason", a)

# ------------------------------------------------------------------ transitions
for kind, more in (("smart", ""), ("smart", "&stream=true"), ("fast", "&stream=true"), ("mpegts", ""), ("webm", ""), ("mp4", ""), ("mkv", ""), ("mp4", "&faststart=true")):
    a = server.get(cut("bf2", (2, 5), (7, 9), kind=kind, more="&transition=fade,0.000001" + more))
    same(a.status, 400, f"a transition of a microsecond, {kind}{more}")
    like(a.text, "shorter than a picture", "says why")

# ------------------------------------------------------------------ changed while it is sent
for kind, more, headers in (("smart", "", ""), ("fast", "&stream=true", ""), ("smart", "", "Range: bytes=5000000-\r\n")):
    client = SlowClient(server, cut("big", (1.1, 19.5), kind=kind, more=more), headers)
    client.read(1000)
    whole = content([big[8]])
    os.truncate(big[8], len(whole) // 2)
    a = client.read_all()
    length = a["content-length"]
    ok(a.status in (200, 206) and (len(a.body) < int(length) if length else not a.body.endswith(b"0\r\n\r\n")), f"a segment that shrinks meanwhile is a break: {kind} {more} {headers}", (a.status, a.headers, len(a.body)))
    with open(big[8], "wb") as f:
        f.write(whole)

# ------------------------------------------------------------------ clients that leave
LONG = cut("longgop", (8.1, 19.9), (0.5, 19.1), more="&transition=fade,6")


def helpers_gone(expected, what):
    began = time.monotonic()
    wait_for(lambda: len(server.helpers()) <= expected, what, interval=0.003)
    return time.monotonic() - began


# The first has the only place; the second, with a head and a tail, waits for it.
first = SlowClient(server, LONG)
wait_for(lambda: len(server.helpers()) == 1, "the first")
(holder,) = server.helpers()


def threads(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except FileNotFoundError:
        return 0


wait_for(lambda: threads(holder) > 3, "its decoder")
os.kill(holder, signal.SIGSTOP)        # so that the place stays taken


def places():
    return [int(line.split()[1]) for line in server.get("/metrics").text.splitlines() if line.startswith(("restreamer_edge_places ", "restreamer_edge_places_used "))]


same(places(), [1, 1], "the place shows in the metrics")
second = SlowClient(server, cut("bf2", (4.5, 8.03)))
wait_for(lambda: len(server.helpers()) == 2, "the second")
waiting = (set(server.helpers()) - {holder}).pop()
wait_for(lambda: threads(waiting) > 2, "its jobs")
second.close()
took = helpers_gone(1, "the one that waited")
ok(took < 3, "a client that leaves while its edges wait for a place is let go", took)
os.kill(holder, signal.SIGKILL)
first.close()
helpers_gone(0, "the one that was killed")
# Once its worker has seen that it is dead.
ok(wait_for(lambda: places() == [0, 1], "the place to be free"), "and is free again")
a = server.get(cut("longgop", (10.6, 11.1)))
same((a.status, a.whole), (200, True), "the place of a killed one is free again")
finish()
