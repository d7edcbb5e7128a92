"""cutproof.py - proves cuts of archives that make-archive wrote.

What a cut must hold is known from cuttruth.py; what it does hold is asked of
ffmpeg.  examine() is all of it at once, as check-cut prints it; the checks are
functions of their own for tests that want to say more.  Each puts what it
finds wrong into faults, {what: how}.
"""
import functools
import importlib.machinery
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import tsread  # noqa: E402
from cutsound import check_joins, check_sound  # noqa: E402
from cuttruth import Blend, Part, channel_of, expect, to_encode  # noqa: E402

_loader = importlib.machinery.SourceFileLoader("check_ts", os.path.join(HERE, "check-ts"))
check_ts = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_ts", _loader))
_loader.exec_module(check_ts)

# The mean and the least brightness PSNR of encoded frames.  In small pictures
# the test pattern's lines are a pixel or two wide, and cost more.
PSNR, PSNR_SMALL, SMALL_HEIGHT = (48, 46), (45.5, 42.5), 500


def run(*command, **more):
    return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, **more)


def probe(path, *options):
    return json.loads(run("ffprobe", "-v", "quiet", "-of", "json", *options, path).stdout or b"{}")


def words(text):
    """What ffmpeg said, but for what is no fault of the stream."""
    return [line for line in text.decode(errors="replace").splitlines() if line and "[swscaler" not in line and
            "start time for stream" not in line]         # a short cut has no ID3 packet


# Barcodes are read whatever the picture's size is.
_barcode = "crop=floor(iw/20)*16:floor(iw/20):floor(iw/20)*2:0,scale=16:1:flags=area,format=gray"
_sound = ["-map", "0:a:0", "-af", "aformat=channel_layouts=mono,asetpts=N", "-f", "f32le", "-y"]


def numbers(path, *more):
    """The numbers of a file's pictures, and what ffmpeg said meanwhile.  more:
    another thing to write."""
    p = run("ffmpeg", "-hide_banner", "-v", "warning", "-nostdin", *small(path), "-i", path, "-map", "0:v:0", "-vf", _barcode,
            "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "rawvideo", "pipe:1", *more)
    bits = np.frombuffer(p.stdout, np.uint8).reshape(-1, 16)
    said = words(p.stderr) + ([f"exit status {p.returncode}"] if p.returncode else [])
    return ((bits > 110) * (1 << np.arange(16))).sum(1).tolist(), said


def sound_of(path):
    return np.frombuffer(run("ffmpeg", "-v", "quiet", "-nostdin", "-i", path, *_sound, "-").stdout, np.float32)


class Output:
    """An answer, decoded."""

    def __init__(self, path):
        self.path = path
        said = probe(path, "-show_entries", "stream=codec_type,codec_name,profile,sample_rate,channels:"
                     "frame=media_type,pts,best_effort_timestamp,nb_samples,pix_fmt,width,height,color_range,color_space,color_primaries,"
                     "color_transfer,interlaced_frame:packet=codec_type,pts,dts")
        mixed = said.get("packets_and_frames") or said.get("frames", []) + said.get("packets", [])
        self.streams = said.get("streams", [])
        frames = [f for f in mixed if "media_type" in f]
        self.frames = [f for f in frames if f["media_type"] == "video"]
        self.audio = [f for f in frames if f["media_type"] == "audio"]
        self.dts = [p.get("dts") for p in mixed if "media_type" not in p and p.get("codec_type") == "video"]
        self.pts = [f.get("pts", f.get("best_effort_timestamp")) for f in self.frames]
        with tempfile.NamedTemporaryFile(suffix=".f32") as pcm:
            self.ids, self.words = numbers(path, *(_sound + [pcm.name] if self.audio else []))
            self.pcm = np.fromfile(pcm.name, np.float32)

    @functools.cached_property
    def units(self):
        """Its access units in the order of display."""
        with open(self.path, "rb") as f:
            return sorted(tsread.Stream(f.read()).video, key=lambda u: u.pts)


def small(path):
    """Threads cost more than they give where pictures are small."""
    return ["-threads", "1"] if os.path.getsize(path) < 20 << 20 else []


def match(script, ids):
    """Fits what came to what is expected.

    [[(index in ids, Frame), ...] for each part], or None.  Frames at the end
    of a broken segment may be missing.
    """
    def fit(nth, at):
        if nth == len(script):
            return [] if at == len(ids) else None
        if isinstance(script[nth], Blend):
            for count in range(script[nth].low, script[nth].high + 1):
                rest = fit(nth + 1, at + count)
                if rest is not None:
                    return [[], *rest]
            return None
        found = []
        for frame in script[nth].frames:
            if at < len(ids) and ids[at] == frame.number & 0xffff:
                found.append((at, frame))
                at += 1
            elif frame.number not in script[nth].doubtful:
                return None
        rest = fit(nth + 1, at)
        return None if rest is None else [found, *rest]

    return fit(0, 0)


# ------------------------------------------------------------------ the proofs

def check_frames(script, out, faults):
    """A1: the right frames, once each.  What match() says."""
    fitted = match(script, out.ids)
    if fitted is None:
        want = [f.number & 0xffff for p in script if isinstance(p, Part) for f in p.frames]
        blends = [f"{p.low} to {p.high}" for p in script if isinstance(p, Blend)]
        missing, foreign = len(set(want) - set(out.ids)), len(set(out.ids) - set(want))
        first, last = (out.ids[0], out.ids[-1]) if out.ids else (None, None)
        faults["frames"] = (f"want {want[0]}..{want[-1]} ({len(want)}{''.join(', blended ' + b for b in blends)}), got {first}..{last} "
                            f"({len(out.ids)}), {missing} missing, {foreign} foreign")
    return fitted


def check_steps(channel, script, fitted, out, faults):
    """A5: inside a part the steps of the source, at joins the usual one."""
    low, usual, high = channel.steps
    wrong = []
    where = {index: (nth, frame) for nth, found in enumerate(fitted) for index, frame in found}
    pts = out.pts
    for index in range(1, len(pts)):
        step = pts[index] - pts[index - 1]
        a, b = where.get(index - 1), where.get(index)
        if a and b and a[0] == b[0]:
            want = b[1].pts - a[1].pts
            if abs(step - want) > 1:
                wrong.append((index, step, want))
        elif channel.even:
            if abs(step - usual) > 1:
                wrong.append((index, step, usual))
        elif not low - 1 <= step <= high + 1:
            wrong.append((index, step, (low, high)))
    if wrong:
        faults["frame steps"] = [f"frame {i}: {s} not {w}" for i, s, w in wrong[:4]] + [len(wrong)]
    steps = {b - a for a, b in zip(pts, pts[1:])}
    if channel.even and "frame steps" not in faults and steps and max(steps) - min(steps) > 1:
        if all(b[1].number - a[1].number == 1 for found in fitted for a, b in zip(found, found[1:])):
            faults["frame steps"] = sorted(steps)[:8]


def check_start(channel, script, out, faults):
    """A12: the first DTS is 0, the first PTS the delay of reordering: the
    source's, or none if nothing is copied before the first join."""
    if not out.dts:
        faults["first DTS"] = "none"
        return
    if out.dts[0] not in (0, None):
        faults["first DTS"] = out.dts[0]
    part = script[0]
    heads = [f for s in channel.segments if s.run is part.run for f in s.frames if f.idr]
    first = part.frames[0].pts
    near = [max((f for f in heads if f.pts <= first), key=lambda f: f.pts, default=heads[0])]
    # Where the frame rate varies, so may this.
    near += [min((f for f in heads if f.pts >= first), key=lambda f: f.pts, default=heads[0])]
    allowed = {f.pts - f.dts for f in near} | ({0} if len(to_encode(channel, part)) == len(part.frames) else set())
    if out.pts and not any(abs(out.pts[0] - delay) <= 1 for delay in allowed):
        faults["first PTS"] = f"{out.pts[0]} not {sorted(allowed)}"


def headers(channel, script):
    """The different sequence parameter sets of the sources of a cut."""
    found = set()
    for part in script:
        if isinstance(part, Part):
            for segment in {f.segment.path: f.segment for f in part.frames}.values():
                for frame in segment.frames:
                    if frame.idr:
                        found.update((id(part.run), n) for n in tsread.parameter_sets(frame.data))
    return {n for _, n in found}


def check_mp4(channel, script, out, faults, plain_too=True):
    """A3 and A4: copied to MP4 it decodes, with its sound and without a word;
    and without the parameter sets inside the stream, if there is one source.
    """
    files = []
    if len(headers(channel, script)) <= 1:
        files.append(("strict MP4", ["-map", "0:v", "-c", "copy", "-bsf:v", "filter_units=remove_types=7-8"]))
    if plain_too:
        files.append(("MP4", ["-map", "0:v", "-map", "0:a?", "-c", "copy"]))
    if not files:
        return
    with tempfile.TemporaryDirectory() as tmp:
        p = run("ffmpeg", "-hide_banner", "-v", "warning", "-nostdin", "-i", out.path,
                *(word for n, (_, options) in enumerate(files) for word in (*options, f"{tmp}/{n}.mp4")))
        said = words(p.stderr)
        if p.returncode or said:
            faults["copying to MP4"] = f"exit {p.returncode}, {len(said)} lines: {said[:1]}"
        for n, (name, _) in enumerate(files):
            # The muxer does not know how long the last picture is, and where
            # steps vary its edit list may leave one out.
            p = run("ffmpeg", "-hide_banner", "-v", "warning", "-nostdin", *small(out.path), *([] if channel.even else ["-ignore_editlist", "1"]),
                    "-i", f"{tmp}/{n}.mp4", "-map", "0",
                    "-fps_mode", "passthrough", "-enc_time_base:v", "1:90000", "-f", "framecrc", "-")
            count = sum(line.startswith(b"0,") for line in p.stdout.splitlines())
            # The edit list counts in milliseconds, and may begin a little early.
            said = [line for line in words(p.stderr) if not re.search(r"edit list:? \d+ (Missing|Cannot find)", line)]
            if count != len(out.ids):
                faults[f"frames in a {name}"] = f"{count} of {len(out.ids)}"
            if said or p.returncode:
                faults[f"decoder of the {name} says"] = f"exit {p.returncode}, {len(said)} lines: {said[:1]}"


def check_format(channel, fitted, out, faults):
    """A11: pictures have the source's format; so have all parameter sets and
    the sound."""
    source = source_format(channel)
    wanted = {}
    for found in fitted:
        for index, frame in found:
            wanted[index] = source[frame.segment.run]
    keys = ("pix_fmt", "width", "height", "color_range", "color_space", "color_primaries", "color_transfer", "interlaced_frame")
    # Those of transitions have the format of the frames before them.
    expected = None
    wrong = set()
    for index, frame in enumerate(out.frames):
        expected = wanted.get(index, expected)
        if expected:
            wrong |= {f"{k} {frame.get(k)} not {expected['frame'].get(k)}" for k in keys if frame.get(k) != expected["frame"].get(k)}
    if wrong:
        faults["format"] = sorted(wrong)[:8]
    if sound_format(out.streams) not in (source[f.segment.run]["sound"] for found in fitted for _, f in found[:1]):
        faults["sound format"] = str(sound_format(out.streams))
    allowed = {source[f.segment.run]["profile"] for found in fitted for _, f in found}
    found = {n[1:4] for u in out.units for n in tsread.parameter_sets(u.data)}
    # The flags between profile and level may say more than the source's.
    if {(n[0], n[2]) for n in found} - {(n[0], n[2]) for n in allowed}:
        faults["profile and level"] = f"{sorted(n.hex() for n in found)} not {sorted(n.hex() for n in allowed)}"


def sound_format(streams):
    return next(({k: s.get(k) for k in ("codec_name", "profile", "sample_rate", "channels")} for s in streams
                 if s.get("codec_type") == "audio"), None)


def source_format(channel):
    """{run: its first picture's format, that of its sound, profile and level}."""
    if not hasattr(channel, "formats"):
        formats = {}
        for encoder_run in channel.runs:
            first = next(s for s in channel.segments if s.run is encoder_run)
            said = probe(first.path, "-read_intervals", "%+#9", "-show_frames", "-show_streams")
            formats[encoder_run] = {"frame": next(f for f in said["frames"] if f["media_type"] == "video"),
                                    "sound": sound_format(said["streams"]),
                                    "profile": next(n for f in first.frames for n in tsread.parameter_sets(f.data))[1:4]}
        channel.formats = formats       # at once: there are other threads
    return channel.formats


def check_copies(channel, script, fitted, out, faults, facts):
    """A9: only the frames that must be are encoded; the rest is untouched."""
    units = out.units
    if len(units) != len(out.ids):
        faults["access units"] = f"{len(units)} for {len(out.ids)} pictures"
        return {}
    changed, needless, planned = {}, [], 0
    for part, found in zip(script, fitted):
        if isinstance(part, Blend):
            continue
        must = to_encode(channel, part)
        planned += len(must)
        for index, frame in found:
            # Parameter sets may have been put in front.
            if frame.number not in part.doubtful and units[index].data != frame.data and tsread.picture(units[index].data) != tsread.picture(frame.data):
                changed[index] = frame
                if frame.number not in must:
                    needless.append(frame.number)
    facts["encoded"], facts["to encode"] = len(changed), planned
    if needless:
        faults["encoded without need"] = f"{len(needless)}: {needless[:8]}"
    return changed


def check_quality(channel, changed, out, faults, facts):
    """A10: encoded frames against the source's, brightness only."""
    if not changed:
        return
    values, limits = [], (0, 0)
    for encoder_run, size in {f.segment.run: source_size(channel, f.segment.run) for f in changed.values()}.items():
        indexes = [i for i, f in changed.items() if f.segment.run is encoder_run]
        limits = max(limits, PSNR_SMALL if size[1] < SMALL_HEIGHT else PSNR)
        for mine, theirs in zip(gray(out.path, indexes, *size, out.pts), source_pictures(channel, encoder_run, [changed[i] for i in indexes])):
            error = np.mean((mine.astype(np.float32) - theirs) ** 2)
            values.append(99.0 if error == 0 else float(10 * np.log10(255 * 255 / error)))
    facts["PSNR"] = [round(float(np.mean(values)), 2), round(min(values), 2)]
    if np.mean(values) < limits[0] or min(values) < limits[1]:
        faults["PSNR, mean and least"] = facts["PSNR"]


def gray(path, indexes, width, height, times=None):
    """Pictures of a file by index, in the order asked for, as arrays.

    times: when each picture is, for files in which their size changes, where
    ffmpeg begins to count anew.
    """
    chosen = sorted(set(indexes))
    spans = []
    for index in chosen:
        if spans and spans[-1][1] == index - 1:
            spans[-1][1] = index
        else:
            spans.append([index, index])
    if times:
        spans = [(times[a], times[b]) for a, b in spans]
    select = "+".join(f"between({'pts' if times else 'n'},{a},{b})" for a, b in spans)
    p = run("ffmpeg", "-v", "quiet", "-nostdin", *(["-copyts"] if times else []), *small(path), "-i", path, "-map", "0:v:0", "-autoscale", "0",
            "-vf", f"select='{select}',format=gray", "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "rawvideo", "-")
    frames = np.frombuffer(p.stdout, np.uint8).reshape(-1, height, width)
    place = {index: nth for nth, index in enumerate(chosen)}
    return [frames[place[index]] for index in indexes]


def source_size(channel, encoder_run):
    frame = source_format(channel)[encoder_run]["frame"]
    return frame["width"], frame["height"]


def source_pictures(channel, encoder_run, wanted):
    """Frames of one run as the source shows them, by decoding no more than
    needed."""
    segments = [s for s in channel.segments if s.run is encoder_run]
    heads = [f for s in segments for f in s.frames if f.idr]
    needed = set()
    for frame in wanted:
        head = max((h for h in heads if h.pts <= frame.pts), key=lambda h: h.pts)
        # What follows in decoding order may be shown before it.
        last = min(segments.index(frame.segment) + 1, len(segments) - 1)
        if segments[last] not in channel.unbroken[frame.segment]:
            last -= 1
        needed |= set(range(segments.index(head.segment), last + 1))
    groups = []
    for nth in sorted(needed):
        if groups and groups[-1][-1] == nth - 1 and segments[nth] in channel.unbroken[segments[nth - 1]]:
            groups[-1].append(nth)
        else:
            groups.append([nth])
    result = {}
    for group in groups:
        frames = [f for n in group for f in segments[n].frames]
        # Nothing before the first IDR picture can be shown.
        first = next(f for f in frames if f.idr)
        place = {f.number: n for n, f in enumerate(sorted((f for f in frames if f.pts >= first.pts), key=lambda f: f.pts))}
        here = [f for f in wanted if f.number in place]
        with tempfile.NamedTemporaryFile(suffix=".ts") as file:
            file.write(b"".join(segments[n].data for n in group))
            file.flush()
            for frame, shown in zip(here, gray(file.name, [place[f.number] for f in here], *source_size(channel, encoder_run))):
                result[frame.number] = shown
    return [result[f.number] for f in wanted]


def examine(base, channel, quality, path, ranges, clock="zero", transitions=(), thorough=True,
            joins=False):
    """(faults, facts) of a cut.  clock="any": not one that begins at 0 and
    runs on over joins, as type=fast has it.  thorough: also the quality of
    encoded pictures, and that it can be copied to an ordinary MP4.  joins: also what is heard there."""
    faults, facts = {}, {}
    archive = channel_of(base, channel, quality)
    script = expect(archive, ranges, transitions)
    if not any(isinstance(p, Part) for p in script):
        return {"frames": "there are none to be cut"}, facts
    try:
        out = Output(path)
    except (ValueError, KeyError) as e:
        return {"unreadable": str(e)}, facts
    facts["frames"] = len(out.ids)
    fitted = check_frames(script, out, faults)
    if len(out.pts) != len(out.ids):
        faults["unreadable"] = f"{len(out.pts)} and {len(out.ids)} pictures"
    formats = {f.get("pix_fmt") for f in out.frames}
    if len(formats) != 1:
        faults["pixel formats"] = sorted(map(str, formats))
    if clock == "zero":
        if out.words:
            faults["decoder says"] = f"{len(out.words)} lines: {out.words[0][:100]}"
        if path.endswith(".ts") and (said := check_ts.check(path)):
            faults["transport"] = said
        check_mp4(archive, script, out, faults, thorough)
    if fitted is None or "unreadable" in faults:
        return faults, facts
    check_format(archive, fitted, out, faults)
    if clock == "zero":
        check_steps(archive, script, fitted, out, faults)
        check_start(archive, script, out, faults)
        changed = check_copies(archive, script, fitted, out, faults, facts)
        # Pictures are found by their times.
        if thorough and "frame steps" not in faults:
            check_quality(archive, changed, out, faults, facts)
    check_sound(archive, script, fitted, out, faults, facts, even=clock == "zero")
    if joins:
        check_joins(archive, script, fitted, out, sound_of, faults, facts)
    return faults, facts


def prove_archive(channel):
    """What differs between an archive and what is known of it."""
    faults = {}
    for piece in channel.pieces(channel.segments):
        frames = sorted((f for s in piece for f in s.frames), key=lambda f: f.pts)
        with tempfile.NamedTemporaryFile(suffix=".ts") as file:
            file.write(b"".join(s.data for s in piece))
            file.flush()
            ids, _ = numbers(file.name)
        # A broken picture may be shown as anything.
        part = Part(channel, frames, 0)
        sure = [f.number & 0xffff for f in frames if f.number not in part.doubtful]
        if ids[:len(sure)] != sure or len(ids) > len(frames):
            faults[f"frames {frames[0].number}..{frames[-1].number}"] = f"are {len(ids)} and not {len(frames)}"
    for nth, one in enumerate(channel.runs):
        if one.pts0 is None:
            faults[f"run {nth}"] = "has no frames"
    return faults
