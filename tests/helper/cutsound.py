"""cutsound.py - whether the sound of a cut is even, in time, and whole.

What is heard is looked for in the sound that the archive was made from.
"""
import tempfile

import numpy as np

from cuttruth import Blend, Part

# How far sound may be from its picture, behind a join and in the first range.
SYNC_MS, SYNC_FIRST_MS = (-5.4, 16.1), 0.1
JOIN_SNR_DB = 30
FRAME, WINDOW = 1024, 2048


def alike(x, spectrum, size, energy, count):
    """How alike x is to each place of a source, given the source's spectrum."""
    c = np.fft.irfft(spectrum * np.conj(np.fft.rfft(x, size)), size)[:count]
    c /= np.sqrt((energy[len(x):] - energy[:-len(x)]).clip(1e-9) * float((x.astype(np.float64) ** 2).sum() + 1e-12))[:count]
    place = int(np.argmax(c))
    return place, float(c[place])


def powers(x):
    return np.concatenate([[0], np.cumsum(x.astype(np.float64) ** 2)])


def locate_near(x, channel, guess, reach=2000):
    """Where in the source x is, near a guess: (place, how alike)."""
    low = max(0, guess - reach)
    y = channel.sound[low:guess + reach + len(x)]
    if len(y) < len(x) + 2:
        return 0, 0.0
    size = 1 << (len(y) + len(x)).bit_length()
    place, how = alike(x, np.fft.rfft(y, size), size, powers(y), len(y) - len(x) + 1)
    return low + place, how


def locate(x, channel):
    """Where in all of the source x is."""
    if not hasattr(channel, "searched"):
        size = 1 << (len(channel.sound) + 2 * WINDOW).bit_length()
        channel.searched = np.fft.rfft(channel.sound, size), size, powers(channel.sound)
    spectrum, size, energy = channel.searched
    return alike(x, spectrum, size, energy, len(channel.sound) - len(x) + 1)


class Shown:
    """Frames that came, without a break, at one distance from the source's."""

    def __init__(self, part, found, pts, nth):
        self.run, self.nth, self.near = part.run, nth, part.near
        self.begin, self.end = pts[found[0][0]] / 90000, pts[found[-1][0]] / 90000
        self.offset = self.begin - self.run.time(found[0][1])

    def sample(self, time, rate):
        """Where in the source the sound of a moment is."""
        return self.run.sample + (time - self.offset) * rate


def shown_parts(script, fitted, out):
    """Where the picture is steady: parts, and what a clock that was not
    rewritten makes of them."""
    shown = []
    for nth, (part, found) in enumerate(zip(script, fitted)):
        if isinstance(part, Blend) or not found:
            continue
        begin = 0
        for k in range(1, len(found) + 1):
            if k < len(found):
                a, b = found[k - 1], found[k]
                if abs((out.pts[b[0]] - out.pts[a[0]]) - (b[1].pts - a[1].pts)) < 45:
                    continue
            shown.append(Shown(part, found[begin:k], out.pts, nth))
            begin = k
    return shown


def check_sound(channel, script, fitted, out, faults, facts, even=True):
    """A6 and A7: even steps, in time with the picture."""
    audio = out.audio
    if not channel.audio:
        if audio:
            faults["sound"] = "there is some"
        return
    if not audio:
        if len(out.ids) > 10:
            faults["sound"] = "none"
        return
    if even:
        step = 1024 * 90000 / channel.rate
        steps = [b["pts"] - a["pts"] for a, b in zip(audio, audio[1:])]
        # Where a frame is no whole number of ticks, ffprobe cuts the times of
        # all but the first of a PES packet short, so that the next packet's
        # may come 1.2 ticks late: as in the source itself.
        slack = 1 if step == int(step) else 1.25
        if any(abs(s - step) >= slack for s in steps):
            faults["sound steps"] = sorted({s for s in steps if abs(s - step) >= slack})[:8]
        sizes = {f["nb_samples"] for f in audio}
        if sizes != {1024}:
            faults["sound frames"] = sorted(sizes)
        begin = (audio[0]["pts"] - out.pts[0]) / 90
        end = (audio[-1]["pts"] + step - out.pts[-1] - channel.steps[1]) / 90
        # No more than a frame of sound apart; at the end also a picture, the
        # rest of which is behind the range's end, and the sync at joins.
        frame_ms = step / 90
        if not -frame_ms - 1 <= begin <= frame_ms + 1 or \
                not SYNC_MS[0] - frame_ms / 2 - channel.steps[1] / 90 <= end <= SYNC_MS[1] + frame_ms:
            faults["sound begins and ends, ms off the picture"] = [round(begin, 1), round(end, 1)]
    shown = shown_parts(script, fitted, out)
    # A transition is a gap between what is shown: there both are heard.
    margin = 0.1 + max([b.begin - a.end for a, b in zip(shown, shown[1:])], default=0)
    errors, lost, at = [], 0, 0
    for k, frame in enumerate(audio):
        window = out.pcm[at:at + WINDOW]
        at += frame["nb_samples"]
        if k % 4 or len(window) < WINDOW or frame.get("pts") is None or not shown:
            continue
        time = frame["pts"] / 90000
        near = [s for s in shown if s.begin - margin <= time <= s.end + margin] or [min(shown, key=lambda s: min(abs(s.begin - time), abs(s.end - time)))]
        # Where ranges follow each other in the source as well, both have it at
        # the same place: then it is of the one that is shown meanwhile.
        middle = time + WINDOW / 2 / channel.rate
        tried = [(*locate_near(window, channel, round(s.sample(time, channel.rate))), s) for s in near]
        place, how, of = max(tried, key=lambda t: (round(t[1], 2), t[2].begin <= middle <= t[2].end))
        if how < 0.8:
            place, how = locate(window, channel)
            of = min(near, key=lambda s: abs(s.sample(time, channel.rate) - place))
        if how < 0.8:
            lost += 1
            continue
        # The next range's sound may begin a little before its picture.
        inside = of.nth == 0 and (of is shown[-1] or time + (WINDOW + FRAME) / channel.rate <= of.end)
        errors.append(((of.sample(time, channel.rate) - place) / channel.rate * 1e3, inside))
    if errors:
        facts["sync ms"] = [round(min(e for e, _ in errors), 2), round(max(e for e, _ in errors), 2)]
        # From the earliest a whole frame must fit, whatever the rate.
        latest = max(SYNC_MS[1], SYNC_MS[0] + FRAME / channel.rate * 1e3 + 0.2)
        if any(not SYNC_MS[0] <= e <= latest for e, _ in errors):
            faults["sync ms"] = facts["sync ms"]
        first = [abs(e) for e, first in errors if first]
        if first and max(first) > SYNC_FIRST_MS:
            faults["sync in the first range, ms"] = round(max(first), 2)
    elif len(audio) > 8:
        faults["sound"] = "nothing recognised"
    blended = sum(p.high * channel.steps[1] / 90000 for p in script if isinstance(p, Blend))
    broken = sum(isinstance(p, Part) and not p.frames[-1].segment.full for p in script)
    if lost > 2 + 2 * len(script) + 4 * broken + blended * channel.rate / 4096:
        faults["sound windows not recognised"] = lost


# ------------------------------------------------- what is heard at a join

# An encoder hears no further than this; there is no knowing where in a frame
# two sources are faded.
AROUND = 5 * FRAME
KNOT = 64


def decoded(channel, segments, decode):
    """The decoded sound of segments, and where in the truth it begins."""
    with tempfile.NamedTemporaryFile(suffix=".ts") as file:
        file.write(b"".join(s.data for s in segments))
        file.flush()
        pcm = decode(file.name)
    run = segments[0].run
    guess = run.sample + round((segments[0].audio[0][0] - run.pts0) / 90000 * channel.rate)
    middle = len(pcm) // 2
    place, how = locate_near(pcm[middle:middle + WINDOW], channel, guess + middle)
    return pcm, place - middle if how > 0.9 else None


def faded(x, a, b):
    """The nearest to x that a and b give when one is faded into the other:
    piecewise linear weights that sum to 1."""
    count = len(x) // KNOT + 1
    at = np.arange(len(x)) / KNOT
    weights = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(count)[None, :]))
    knots = np.linalg.lstsq(weights * (a - b)[:, None], x - b, rcond=None)[0].clip(0, 1)
    w = weights @ knots
    return w * a + (1 - w) * b


def check_joins(channel, script, fitted, out, decode, faults, facts):
    """A8: at a join there is what fading one range into the next gives.

    Only of use where decoding is exact: AAC-LC without noise substitution.
    decode(path): the samples of a file.
    """
    if not out.audio:
        return
    shown = shown_parts(script, fitted, out)
    begin = out.audio[0]["pts"] / 90000
    worst = []
    for one, next_one in zip(shown, shown[1:]):
        join = round((next_one.begin - begin) * channel.rate)
        sides = []
        for of, edge in ((one, join - AROUND - WINDOW), (next_one, join + AROUND)):
            window = out.pcm[edge:edge + WINDOW] if edge >= 0 else out.pcm[:0]
            middle = begin + edge / channel.rate
            if len(window) < WINDOW or not of.begin <= middle <= of.end - WINDOW / channel.rate:
                break
            place, how = locate_near(window, channel, round(of.sample(middle, channel.rate)))
            segments = [s for s in channel.segments if s in of.near]
            pcm, first = decoded(channel, segments, decode)
            if how < 0.9 or first is None:
                break
            # From samples of the answer to those of the decoded source.
            shift = place - edge - first
            if join - AROUND + shift < 0 or join + AROUND + shift > len(pcm):
                break
            sides.append(pcm[join - AROUND + shift:join + AROUND + shift].astype(np.float64))
        if len(sides) < 2:
            continue                        # too short, or at an end of the archive
        x = out.pcm[join - AROUND:join + AROUND].astype(np.float64)
        ideal = faded(x, *sides)
        ratios = []
        for at in range(AROUND - 3 * FRAME, AROUND + 3 * FRAME, FRAME):
            signal, error = np.sum(ideal[at:at + FRAME] ** 2), np.sum((x - ideal)[at:at + FRAME] ** 2)
            ratios.append(10 * np.log10(signal / max(error, signal * 1e-10)))
        worst.append(round(float(min(ratios)), 1))
    facts["joins dB"] = worst
    if worst and min(worst) < JOIN_SNR_DB:
        faults["sound at joins, dB"] = worst
