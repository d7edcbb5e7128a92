"""cuttruth.py - what a cut of an archive must hold.

Computed from the files of an archive that make-archive wrote (tsread.py) and
from the truth that it wrote beside them.  Frames have numbers (a barcode in
the picture), and every instant of the sound is unlike any other.

Ranges are pairs of seconds from the archive's start, as numbers or text.
"""
import bisect
import functools
import glob
import json
import os
import re
import threading
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np

import tsread

SEAM_US = 10000                 # so much may be between names, or too much


def to_us(seconds):
    return int((Decimal(str(seconds)) * 1000000).to_integral_value())


def ticks(us):
    """Of 90 kHz, to the nearest."""
    return (us * 9 + 50) // 100


# ------------------------------------------------------------ what there is

class Frame:
    """A picture in the archive; order: its place in decoding order."""
    __slots__ = ("number", "pts", "dts", "idr", "data", "segment", "order", "last")

    def __init__(self, **values):
        for key, value in values.items():
            setattr(self, key, value)

    def __repr__(self):
        return f"<{self.number} at {self.pts}>"


class Run:
    """What one run of the encoder wrote; pts0: the time of its first frame."""

    def __init__(self, said):
        self.start_us, self.first = said["start_us"], said["first_frame"]
        self.fps, self.sample, self.pts0 = Fraction(said["fps"]), said["sample"], None

    @property
    def step(self):
        return Fraction(90000) / self.fps

    def number(self, pts):
        return self.first + round((pts - self.pts0) / self.step)

    def time(self, frame):
        """Seconds from its start."""
        return (frame.pts - self.pts0) / 90000


class Segment:
    def __init__(self, path, start_us):
        self.path, self.start_us = path, start_us
        _, length, self.kind, _ = os.path.basename(path).split("-", 3)
        self.length_us = to_us(length)
        self.frames, self.run, self.audio = [], None, []

    @property
    def end_us(self):
        return self.start_us + self.length_us

    @property
    def full(self):
        return self.kind == "full"

    @functools.cached_property
    def pts0(self):
        return min(f.pts for f in self.frames)

    @functools.cached_property
    def data(self):
        with open(self.path, "rb") as f:
            return f.read()


class Channel:
    """An archive and what is known of it."""

    def __init__(self, base, channel, quality="source"):
        self.base, self.channel, self.quality = base, channel, quality
        with open(f"{base}/.truth/{channel}-{quality}.json") as f:
            truth = json.load(f)
        self.start = datetime.fromisoformat(truth["start"])
        self.seconds, self.rate = truth["seconds"], truth["rate"]
        self.sound_path = f"{base}/.truth/{channel}-{quality}.f32"
        self.audio = truth.get("audio", True) and not os.path.exists(self.sound_path[:-4] + ".silent")
        self.runs = [Run(said) for said in truth.get("runs") or
                     [{"start_us": 0, "first_frame": truth["first_frame"], "fps": truth["fps"], "sample": 0}]]
        self.segments = self._read_names(f"{base}/{channel}/{quality}")
        self._read_segments()

    def _read_names(self, folder):
        best = {}
        for path in glob.glob(f"{glob.escape(folder)}/*/*.ts"):
            hour, name = path.split("/")[-2:]
            m = re.fullmatch(r"(\d\d:\d\d)(\.\d{1,6})?-[0-9.]+-(full|suspect|partial)-[\w-]+\.ts", name)
            if not m:
                continue
            at = datetime.fromisoformat(f"{hour[:11]}{hour[11:]}:{m[1]}") + timedelta(microseconds=to_us(m[2] or "0"))
            segment = Segment(path, (at - self.start) // timedelta(microseconds=1))
            rank = (segment.kind == "full", segment.kind == "suspect", segment.length_us, os.path.getsize(path))
            if segment.start_us not in best or best[segment.start_us][0] < rank:
                best[segment.start_us] = rank, segment
        return [best[start][1] for start in sorted(best)]

    def _read_segments(self):
        starts = [r.start_us for r in self.runs]
        near, order, before = None, 0, None
        for segment in self.segments:
            # Names may be some milliseconds off.
            segment.run = self.runs[max(0, bisect.bisect(starts, segment.start_us + SEAM_US) - 1)]
            if before is not segment.run:
                near = None
            before = segment.run
            stream = tsread.Stream(segment.data, near)
            units = stream.video
            if not units:
                continue
            near = units[-1].pts
            if segment.run.pts0 is None:
                segment.run.pts0 = min(u.pts for u in units)
            for nth, unit in enumerate(units):
                segment.frames.append(Frame(number=segment.run.number(unit.pts), pts=unit.pts, dts=unit.dts, idr=tsread.is_idr(unit.data),
                                            data=unit.data, segment=segment, order=order, last=nth == len(units) - 1))
                order += 1
            segment.audio = stream.audio
        self.segments = [s for s in self.segments if s.frames]

    @functools.cached_property
    def by_number(self):
        return {f.number: f for s in self.segments for f in s.frames}

    @functools.cached_property
    def sound(self):
        return np.fromfile(self.sound_path, np.float32)

    @functools.cached_property
    def steps(self):
        """The smallest, the most common and the largest step between frames."""
        found = []
        for piece in self.pieces(self.segments):
            times = sorted(f.pts for s in piece if s.full for f in s.frames)
            found += [b - a for a, b in zip(times, times[1:])]
        return min(found), max(set(found), key=found.count), max(found)

    @functools.cached_property
    def unbroken(self):
        """{segment: those that come before and after it without a break}."""
        return {s: set(piece) for piece in self.pieces(self.segments) for s in piece}

    @functools.cached_property
    def even(self):
        """Whether all frames are equally far apart."""
        low, _, high = self.steps
        return high - low <= 1

    def iso(self, seconds):
        return (self.start + timedelta(microseconds=to_us(seconds))).isoformat(timespec="microseconds")

    def sequence(self, start_us, end_us):
        """The segments of a range, and where there are holes: {index}."""
        chosen, holes, end = [], set(), start_us
        covering = [s for s in self.segments if s.start_us <= start_us < s.end_us]
        todo = [s for s in self.segments if start_us < s.start_us < end_us]
        if covering:
            chosen.append(covering[-1])
            end = covering[-1].end_us
        for segment in todo:
            if chosen and segment.start_us < end - SEAM_US:
                continue
            if segment.start_us > end + SEAM_US or (chosen and not chosen[-1].full):
                holes.add(len(chosen))
            chosen.append(segment)
            end = segment.end_us
        # A range may begin or end inside a seam.
        if holes and min(holes) == 0 and any(s.full and start_us - SEAM_US <= s.end_us <= start_us for s in self.segments) \
                and chosen[0].start_us - start_us <= SEAM_US:
            holes.discard(0)
        follows = any(0 <= s.start_us - end <= SEAM_US for s in self.segments)
        if not chosen or not chosen[-1].full or (end < end_us and not follows):
            holes.add(len(chosen))
        return chosen, holes

    @staticmethod
    def pieces(segments, holes=()):
        """Segments grouped so that inside a group time stamps run on."""
        groups = []
        for nth, segment in enumerate(segments):
            joined = False
            if groups and nth not in holes:
                before = groups[-1][-1]
                named = segment.start_us - before.start_us
                joined = (before.full and before.run is segment.run and
                          abs(segment.pts0 - before.pts0 - ticks(named)) <= 45000)
            if joined:
                groups[-1].append(segment)
            else:
                groups.append([segment])
        return groups

    def kept(self, start_us, end_us):
        """The frames of a range, as lists that join where segments do not.

        A frame counts if its time is at least the start and less than the
        end, to a tick; the first segment's name says what the start means,
        the last one's what the end means.
        """
        segments, holes = self.sequence(start_us, end_us)
        if not segments:
            return []
        low = segments[0].pts0 + ticks(start_us - segments[0].start_us) - 1
        high = segments[-1].pts0 + ticks(end_us - segments[-1].start_us) - 1
        lists = []
        for piece in self.pieces(segments, holes):
            frames = [f for s in piece for f in s.frames
                      if (s is not segments[0] or f.pts >= low) and (s is not segments[-1] or f.pts < high)]
            if frames:
                lists.append(sorted(frames, key=lambda f: f.pts))
        return lists

    def picture(self, start_us):
        """The frame that a cut from a moment begins with; None in a hole."""
        for length in (100000, 1000000):
            lists, (chosen, holes) = self.kept(start_us, start_us + length), self.sequence(start_us, start_us + length)
            if lists and 0 not in holes and (len(lists) == 1 or lists[0][0].segment is chosen[0]):
                return lists[0][0]
        return None

    def doubtful(self, frame):
        """Whether a frame may be missing: at the end of a broken segment.

        The last access unit of a segment that is not whole may itself be cut
        short, and nothing says whether it is; what is shown after it goes too.
        """
        if frame.segment.full:
            return False
        broken = [f for f in frame.segment.frames if f.last][0]
        numbers = {f.number for f in frame.segment.frames}
        missing = next((n for n in range(min(numbers), max(numbers) + 2) if n not in numbers or n == broken.number))
        return frame.number >= missing

    def holes(self, ranges):
        """Whether any of the ranges has one."""
        return any(self.sequence(to_us(s), to_us(e))[1] for s, e in ranges)


# ---------------------------------------------------------- what is expected

class Part:
    """Frames without a break; range: the number of the range they are of."""

    def __init__(self, channel, frames, nth):
        self.frames, self.range, self.run = frames, nth, frames[0].segment.run
        self.near = channel.unbroken[frames[0].segment]
        self.doubtful = {f.number for f in frames if channel.doubtful(f)}


class Blend:
    """The frames of a transition, of which only the count is known."""

    def __init__(self, channel, first, second):
        self.low, self.high = min(first, second), max(first, second)
        if not channel.even:
            # Blended at even steps; who knows how many.
            self.low, self.high = 1, 2 * self.high + 2


def expect(channel, ranges, transitions=()):
    """Parts and blends, in order.  transitions: seconds or None, by join."""
    script = []
    for nth, (start, end) in enumerate(ranges):
        start_us, end_us = to_us(start), to_us(end)
        before = transitions[nth - 1] if 0 < nth <= len(transitions) else None
        after = transitions[nth] if nth < len(transitions) and nth < len(ranges) - 1 else None
        count = sum(map(len, channel.kept(start_us, end_us)))
        lists = channel.kept(start_us + to_us(before or 0), end_us - to_us(after or 0))
        if before:
            taken = count - sum(map(len, channel.kept(start_us + to_us(before), end_us)))
            script[-1] = Blend(channel, script[-1], taken)
        script += [Part(channel, frames, nth) for frames in lists]
        if after:
            script.append(count - sum(map(len, channel.kept(start_us, end_us - to_us(after)))))
    return script


def to_encode(channel, part):
    """The numbers of a part's frames that cannot be copied.

    From its first frame to the next IDR picture; and at its end those behind
    the longest beginning of the last GOP, in decoding order, that is closed
    in the order of display.
    """
    frames = part.frames
    run = part.run
    low, high = frames[0].pts, frames[-1].pts
    stream = [f for s in channel.segments if s.run is run for f in s.frames]
    heads = [f for f in frames if f.idr]
    if not heads:
        return {f.number for f in frames}
    encoded = {f.number for f in frames if f.pts < heads[0].pts}
    near = channel.unbroken[heads[-1].segment]
    gop = [f for f in stream if f.order >= heads[-1].order and f.segment in near]
    gop = gop[:next((n for n, f in enumerate(gop) if n and f.idr), len(gop))]
    closed = 0
    latest = None
    for n, frame in enumerate(gop):
        if frame.pts > high:
            break
        latest = frame.pts if latest is None else max(latest, frame.pts)
        if all(f.pts > latest for f in gop[n + 1:]):
            closed = n + 1
    copied = {f.number for f in gop[:closed]}
    return encoded | {f.number for f in frames if f.pts >= heads[-1].pts and f.number not in copied and f.pts >= low}


@functools.cache
def _channel_of(*key):
    return Channel(*key)


_lock = threading.Lock()


def channel_of(base, channel, quality="source"):
    """The same Channel each time."""
    with _lock:
        return _channel_of(os.path.abspath(base), channel, quality)
