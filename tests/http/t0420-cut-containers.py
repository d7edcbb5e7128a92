#!/usr/bin/env python3
"""/cut type=mp4 and mkv: the smart cut's pictures and sound in another container.

Environment:  CUT_ARCHIVES    a directory that keeps the archives between runs
"""
import os
import resource
import sys

from onvideo import *  # noqa: E402
from cutmemo import once  # noqa: E402
from cutproof import numbers, probe, run  # noqa: E402
from cutsweep import Cut  # noqa: E402
from cuttruth import channel_of  # noqa: E402
import tsread  # noqa: E402

base = cut_archives("bf0", "bf2", "bf4p", "noaudio", "hole", "f30", "ntsc", "twB", "change", "hevc")
work = temp_dir("work")
spool = temp_dir("spool")
server = Server(base, cache=spool)
FRAGMENTS, PLAIN, MATROSKA = "&type=mp4", "&type=mp4&faststart=true", "&type=mkv"


ask = server.ask


def of(channel, *ranges, **more):
    return Cut(channel_of(base, channel), [(str(a), str(b)) for a, b in ranges], **more)


def url(cut, kind, more=""):
    return cut.url(more).replace("type=smart", kind[1:])


def put(name, data):
    path = os.path.join(work, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def nal_units(data):
    """Of a byte stream, without what may stand behind each."""
    return [part.rstrip(b"\0") for part in data.split(b"\0\0\1")[1:]]


def counted_units(data):
    """Of samples of MP4 or Matroska: each with its length before it."""
    found, at = [], 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        found.append(data[at + 4:at + 4 + size].rstrip(b"\0"))
        at += 4 + size
    return found if at == len(data) else ["not in whole units"]


def copied(path, kind):
    return run("ffmpeg", "-v", "quiet", "-nostdin", "-i", path, "-map", f"0:{kind}", "-c", "copy", "-f", "data", "-").stdout


def packets(path):
    """(video, sound): each (seconds, duration) of packets in order of decoding."""
    said = probe(path, "-show_entries", "packet=codec_type,pts_time,dts_time,duration_time").get("packets", [])
    return [[(float(p["pts_time"]), float(p.get("duration_time", 0))) for p in said if p["codec_type"] == kind] for kind in ("video", "audio")]


def adts_payload(data):
    out, at = bytearray(), 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        out += data[at + (7 if data[at + 1] & 1 else 9):at + size]
        at += size
    return bytes(out)


def boxes(data):
    found, at = [], 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        size = int.from_bytes(data[at + 8:at + 16], "big") if size == 1 else size
        found.append(data[at + 4:at + 8].decode("latin-1"))
        at += max(size, 8)
    return found if at == len(data) else [*found, "broken"]


def proof(kind, data, smart, length):
    """Faults of a cut in a container, of so many seconds, against the same as a transport stream."""
    faults = {}
    ts, path = put("smart.ts", smart), put("cut." + kind[6:9], data)
    matroska = kind == MATROSKA
    want = [n for u in tsread.Stream(smart).video for n in nal_units(u.data)]
    if counted_units(copied(path, "v")) != want:
        faults["pictures"] = "are not the smart cut's, byte for byte"
    ids, said = numbers(path)
    if said:
        faults["decoder says"] = said[:3]
    if ids != numbers(ts)[0]:
        faults["frames"] = f"{len(ids)} and not those of the smart cut"
    (video, sound), (ts_video, ts_sound) = packets(path), packets(ts)
    if sound and adts_payload(copied(ts, "a")) != copied(path, "a"):
        faults["sound"] = "is not the smart cut's, byte for byte"
    origin = min(t for t, _ in ts_video)
    # Matroska has milliseconds, and hides no sound before the first picture.
    late, error = (min(t for t, _ in video), 0.00101) if matroska else (0, 0.000013)
    for what, mine, theirs in (("pictures", video, ts_video), ("sound", sound, ts_sound)):
        off = max((abs(a[0] - late - (b[0] - origin)) for a, b in zip(mine, theirs)), default=0)
        if len(mine) != len(theirs) or off > error:
            faults[f"times of {what}"] = f"{len(mine)} for {len(theirs)}, off by {off}"
    first = min(t for t, _ in video + sound)
    if abs(min(t for t, _ in video)) > (0.025 if matroska else 0) or abs(first) > (0 if matroska else 0.0215):
        faults["beginning"] = f"{min(video)} {first}"
    about = probe(path, "-show_entries", "format=duration:stream=codec_type,duration")
    steps = [d for _, d in video]
    if not matroska and (min(steps) <= 0 or abs(sum(steps) - length) > 1e-6 * len(steps)):
        faults["durations"] = f"{sum(steps)} not {length}, {min(steps)} to {max(steps)}"
    if abs(float(about["format"]["duration"]) - length) > 0.05:
        faults["duration"] = about["format"]["duration"]
    return faults


def proved(cut, text):
    smart, length = ask(cut.url()).body, ask(cut.url("&dry_run=true")).json["duration"]
    for kind in (FRAGMENTS, PLAIN, MATROSKA):
        a = ask(url(cut, kind))
        faults = {} if a.status == 200 and a.whole else {"answer": repr(a)}
        if not faults:
            if a["x-holes"] != str(cut.holes):
                faults["X-Holes"] = a["x-holes"]
            if (a["content-length"] is None) != (kind != PLAIN) or (a["etag"] is None) != (kind != PLAIN):
                faults["length"] = str(a.headers)
            if a["content-type"] != ("video/x-matroska" if kind == MATROSKA else "video/mp4"):
                faults["type"] = a["content-type"]
            if ask(url(cut, kind)).body != a.body:
                faults["again"] = "other bytes"
            faults.update(once(cut.archive, [kind, length], [a.body, smart], lambda: (proof(kind, a.body, smart, length), {}))[0])
        ok(not faults, f"{text}, {kind[1:]}: {cut}", f"{faults}\n{url(cut, kind)}")


# ------------------------------------------------------------------ the same as the smart cut
proved(of("bf0", ("3.1", "8.2")), "no B-frames")
proved(of("bf2", ("3.1", "12.2")), "B-frames")
proved(of("bf4p", ("2.3", "13.2")), "a pyramid")
proved(of("bf2", (0, 20)), "all of it")
proved(of("noaudio", ("2.3", "11.2")), "without sound")
proved(of("f30", ("2.3", "13.2"), ("1.1", "3.2")), "sound of 44.1 kHz, two ranges")
proved(of("ntsc", ("3.3", "12.2")), "30000/1001, over the end of an hour")
proved(of("twB", ("2.3", "13.2")), "PIDs of a platform, ID3")
proved(of("hole", ("6.3", "14.6"), allow_holes=True), "over a hole")
proved(of("bf2", ("3.1", "6.2"), ("9.3", "12.4"), transitions=[("fade", 1.0)]), "a transition")
proved(of("bf2", ("4.500", "4.510")), "one frame")
a = ask(url(of("change", ("7.7", "13.3")), FRAGMENTS))
ids, said = numbers(put("change.mp4", a.body))
same((a.status, ids, said), (200, numbers(put("change.ts", ask(of("change", ("7.7", "13.3")).url()).body))[0], []), "over a change of the encoder")

# ------------------------------------------------------------------ fragments
cut = of("bf2", ("3.1", "12.2"))
a = ask(url(cut, FRAGMENTS))
found = boxes(a.body)
ok(found[:3] == ["ftyp", "moov", "moof"] and found.count("moof") == found.count("mdat") >= 4 and "broken" not in found, "in fragments", found)
p = subprocess.run(["ffmpeg", "-v", "warning", "-xerror", "-i", "pipe:0", "-map", "0", "-f", "framecrc", "-"], input=a.body, capture_output=True)
same((p.returncode, p.stderr, sum(line.startswith(b"0,") for line in p.stdout.splitlines())), (0, b"", 546), "plays to its end from a pipe")
p = subprocess.run(["ffmpeg", "-v", "quiet", "-i", "pipe:0", "-map", "0", "-f", "framecrc", "-"], input=a.body[:len(a.body) * 2 // 3], capture_output=True)
ok(sum(line.startswith(b"0,") for line in p.stdout.splitlines()) > 200, "and as far as there is of it")
m = ask(url(cut, MATROSKA)).body
p = subprocess.run(["ffmpeg", "-v", "warning", "-xerror", "-i", "pipe:0", "-map", "0", "-f", "framecrc", "-"], input=m, capture_output=True)
same((p.returncode, p.stderr, sum(line.startswith(b"0,") for line in p.stdout.splitlines())), (0, b"", 546), "so does Matroska")
same(ask(url(cut, FRAGMENTS), {"Range": "bytes=10-19"}).status, 200, "no part of what has no length")
h = server.head(url(cut, FRAGMENTS))
same((h.status, h["content-type"], h["content-length"], h.body), (200, "video/mp4", None, b""), "HEAD")

# ------------------------------------------------------------------ plain
whole = ask(url(cut, PLAIN))
data, etag = whole.body, whole["etag"]
found = boxes(data)
ok([b for b in found if b != "free"] == ["ftyp", "moov", "mdat"], "the index before the data", found)
same((whole["content-length"], whole["accept-ranges"], bool(etag)), (str(len(data)), "bytes", True), "a length, an ETag, byte ranges")
for first, last in ((0, 0), (0, 99), (len(data) // 2, len(data) // 2 + 5000), (len(data) - 7, len(data) - 1)):
    a = ask(url(cut, PLAIN), {"Range": f"bytes={first}-{last}"})
    same((a.status, a.body == data[first:last + 1], a["content-range"], a["etag"]), (206, True, f"bytes {first}-{last}/{len(data)}", etag), f"bytes {first}-{last}")
a = ask(url(cut, PLAIN), {"If-None-Match": etag})
same((a.status, a.body), (304, b""), "If-None-Match")
a = ask(url(cut, PLAIN), {"Range": "bytes=10-19", "If-Range": '"other"'})
same((a.status, len(a.body)), (200, len(data)), "If-Range that does not hold")
ok(len({etag, ask(cut.url())["etag"], ask(url(of("bf2", ("3.1", "12.3")), PLAIN))["etag"]}) == 3, "an ETag of its own")
h = server.head(url(cut, PLAIN))
same((h.status, h["content-length"], h["etag"], h.body), (200, str(len(data)), etag, b""), "HEAD")
path = put("plain.mp4", data)
p = run("ffmpeg", "-v", "warning", "-nostdin", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "framecrc", "-")
times = [int(line.split(b",")[2]) for line in p.stdout.splitlines() if line.startswith(b"0,")]
same((p.stderr, times[:3], len(times)), (b"", [0, 1500, 3000], 546), "decoded, it begins at 0")
p = run("ffmpeg", "-v", "warning", "-xerror", "-nostdin", "-ss", "5", "-i", path, "-map", "0:v", "-frames:v", "1", "-f", "null", "-")
same((p.returncode, p.stderr), (0, b""), "can be sought")

# ------------------------------------------------------------------ what is asked for otherwise
plain_url = cut.url()
a = ask(plain_url.replace(".ts?type=smart&", ".mp4?"))
same((a.status, a["content-type"], a.body == ask(url(cut, FRAGMENTS)).body), (200, "video/mp4", True), ".mp4 chooses it")
a = ask(plain_url.replace(".ts?type=smart&", ".mkv?"))
same((a.status, a["content-type"], a.body == m), (200, "video/x-matroska", True), ".mkv chooses it")
same(ask(plain_url.replace(".ts?", ".mp4?")).status, 400, "another type= than the ending: 400")
ok(re.match(r'attachment; *filename="?a b\.mp4', ask(url(cut, FRAGMENTS, "&download=a%20b.mp4"))["content-disposition"] or ""), "download=")
for kind in (FRAGMENTS, PLAIN, MATROSKA):
    a, s = ask(url(cut, kind, "&dry_run=true")), ask(cut.url("&dry_run=true"))
    same((a.status, a["content-type"], (a.json or {}).get("type"), (a.json or {}).get("frames_to_encode"), (a.json or {}).get("duration")),
         (200, "application/json", kind[6:9], s.json["frames_to_encode"], s.json["duration"]), f"dry_run, {kind[1:]}")
    for refused, status, why in ((of("hole", (6, 15)), 406, "a hole"), (of("hole", (9, 12), allow_holes=True), 406, "nothing but a hole"),
                                 (of("bf2", ("4.502", "4.510")), 406, "less than a frame"), (of("hevc", (1, 3)), 406, "HEVC"),
                                 (of("bf2", (5, 4)), 400, "backwards")):
        a = ask(url(refused, kind))
        ok(a.status == status and a.body.count(b"\n") == 1 and base not in a.text and spool not in a.text, f"{why}: {status}, {kind[1:]}", a)

# ------------------------------------------------------------------ without a server


def command(*more, cut=cut, **options):
    (start, end), archive = cut.ranges[0], cut.archive
    return run_program("cut", archive.channel, archive.quality, "--base", base, "--cache", temp_dir("cache"), "--start", archive.iso(start), "--end",
                       archive.iso(end), *more, **options)


for kind, more in ((FRAGMENTS, ["--type", "mp4"]), (PLAIN, ["--type", "mp4", "--faststart", "true"]), (MATROSKA, ["--type", "mkv"])):
    out = os.path.join(work, "offline")
    status, _, said = command(*more, "-o", out)
    same((status, said, content([out]) == ask(url(cut, kind)).body), (0, b"", True), f"restreamer cut {' '.join(more)}: the same bytes")
    os.unlink(out)
for kind, ending in ((FRAGMENTS, "mp4"), (MATROSKA, "mkv"), ("&type=fast", "ts"), ("&type=fast", "other")):
    out = os.path.join(work, f"offline.{ending}")
    put(f"offline.{ending}", b"an old one")
    status, _, said = command("-o", out)
    same((status, said, content([out]) == ask(url(cut, kind)).body), (0, b"", True), f"restreamer cut -o NAME.{ending} is told by it what to write")
status, _, said = command("-o", os.path.join(work, "x.mp4"), "--type", "webm")
ok(status not in (0, None) and b".mp4" in said, "unless --type says something else", said)
same(command("-o", "/dev/null")[0], 0, "-o /dev/null")
status, stdout, _ = command("-o", "-")
same((status, stdout == ask(url(cut, "&type=fast")).body), (0, True), "-o -")
put("real.ts", b"an old one")
os.chmod(os.path.join(work, "real.ts"), 0o640)
os.symlink("real.ts", os.path.join(work, "link.ts"))
status, _, said = command("-o", os.path.join(work, "link.ts"))
real = os.path.join(work, "real.ts")
same((status, os.path.islink(os.path.join(work, "link.ts")), content([real]) == stdout, os.stat(real).st_mode & 0o7777), (0, True, True, 0o640), "a link is followed, and the mode stays")
beside = temp_dir("beside")
p = subprocess.Popen([PROGRAM, "cut", "bf2", "source", "--base", base, "--cache", "none", "--start", cut.archive.iso("0"), "--end", cut.archive.iso("20"), "-o", os.path.join(beside, "x.webm")])
time.sleep(0.4)
p.kill()
same((p.wait(), os.listdir(beside)), (-signal.SIGKILL, []), "whoever is killed leaves nothing")
status, out, _ = command("--type", "mp4", cut=of("bf2", ("4.502", "4.510")))
same((status, out), (6, b""), "nothing to cut: exit 6, and no byte")
full = temp_dir("full")
status, out, said = command("--type", "mp4", "--faststart", "true", "-o", os.path.join(full, "x.mp4"), env={"TMPDIR": full},
                            preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))))
same((status, os.listdir(full)), (1, []), "a full disk: exit 1, and no file")
like(said, "cannot write", "and words")
status, out, said = command("--type", "mp4", "-o", os.path.join(full, "x.mp4"),
                            preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))))
same((status, os.listdir(full)), (1, []), "likewise in fragments")

# ------------------------------------------------------------------ who leaves, and what vanishes
long = of("bf2", *[(0, 20)] * 90)
open_files = {p for p in os.listdir(spool)}
for kind in (FRAGMENTS, PLAIN, MATROSKA):
    client = SlowClient(server, url(long, kind))
    if kind != PLAIN:
        client.read_head()
    else:
        wait_for(server.helpers, "a process for it")
    client.close()
    wait_for(lambda: not server.helpers(), f"the end of the process, {kind[1:]}", 20)
    ok(True, f"who leaves stops the work, {kind[1:]}")
same({p for p in os.listdir(spool)} - {"edges", "v1"}, open_files - {"edges", "v1"}, "nothing is left of it")
copy = temp_dir("copy")
shutil.copytree(os.path.join(base, "bf2"), os.path.join(copy, "bf2"))
breaking = Server(copy)
for kind in (FRAGMENTS, MATROSKA):
    client = SlowClient(breaking, url(long, kind))
    client.read_head()
    victim = sorted(p for d, _, names in os.walk(copy) for p in (os.path.join(d, n) for n in names) if p.endswith(".ts"))[5]
    os.rename(victim, victim + ".away")
    client.read_all()
    ok(not client.data.endswith(b"0\r\n\r\n") and len(client.data) > 100000, f"a segment vanishes: the answer breaks, {kind[1:]}", len(client.data))
    os.rename(victim + ".away", victim)
breaking.stop()
finish()
