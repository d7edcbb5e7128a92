"""cutsweep.py - random cuts of archives, asked of a server and proved."""
import concurrent.futures
import glob
import json
import math
import os
import random
import tempfile
import urllib.parse

from cutmemo import once
from cutproof import examine
from cuttruth import channel_of, to_us

# What is not cut at all, and what does not keep the sound that it had.
REFUSED = {"hevc"}
CONVERTED = {"soundchange"}
# Where a transition's frames cannot be told beforehand.
NO_TRANSITIONS = {"vfr", "ms60", "sizechange"}
TRANSITIONS = ("fade", "wipeleft", "circleopen", "slideup", "clockwipe")
# Names overlap a little: which segment has a start there is not said.
OVERLAPPING = {"drift"}


def channels(base, names=()):
    """(channel, quality) of all archives below a directory, or those named."""
    found = [os.path.basename(f)[:-5].rsplit("-", 1) for f in sorted(glob.glob(f"{base}/.truth/*.json"))]
    return [(c, q) for c, q in found if (c in names if names else c not in REFUSED | CONVERTED)]


class Cut:
    """What is asked for; ranges in seconds, transitions as (name, seconds) or None."""

    def __init__(self, archive, ranges, kind="smart", transitions=(), allow_holes=False):
        self.archive, self.ranges, self.kind = archive, ranges, kind
        self.transitions, self.allow_holes = list(transitions), allow_holes

    def url(self, more=""):
        archive = self.archive
        pairs = [("type", self.kind)] + [("range", f"{archive.iso(s)},{archive.iso(e)}") for s, e in self.ranges]
        pairs += [("transition", f"{t[0]},{t[1]}" if t else "") for t in self.transitions]
        if self.allow_holes:
            pairs.append(("allow_holes", "true"))
        return f"/cut/{archive.channel}/{archive.quality}.ts?{urllib.parse.urlencode(pairs)}{more}"

    @property
    def holes(self):
        """How many, or None if a range has nothing at all."""
        found = [self.archive.sequence(to_us(s), to_us(e)) for s, e in self.ranges]
        return None if any(not chosen for chosen, _ in found) else sum(len(holes) for _, holes in found)

    def examine(self, path, **more):
        archive = self.archive
        with open(path, "rb") as f:
            data = f.read()
        return once(archive, [str(self), sorted(more.items())], [data], lambda: examine(
            archive.base, archive.channel, archive.quality, path, self.ranges, clock="zero" if self.kind == "smart" else "any",
            transitions=[t and t[1] for t in self.transitions], **more))

    def __str__(self):
        return f"{self.archive.channel} {self.kind} {','.join('-'.join(map(str, r)) for r in self.ranges)}" + \
            (f" {self.transitions}" if self.transitions else "") + (" allow_holes" if self.allow_holes else "")


def usable(archive, start, end):
    """Whether a range has frames, and begins where its segment is clear."""
    if not any(archive.kept(to_us(start), to_us(end))):
        return False
    if archive.channel in OVERLAPPING:
        return all(abs(s.start_us - to_us(start)) > 10000 for s in archive.segments)
    return True


def random_range(archive, rnd):
    while True:
        start = rnd.uniform(0, archive.seconds - 2.6)
        end = start + rnd.choice([rnd.uniform(0.1, 2.5), rnd.uniform(0.5, max(0.6, min(9, archive.seconds - start)))])
        if rnd.random() < 0.2:
            start = math.floor(start)
        if rnd.random() < 0.1:
            # To a frame, or a little off it.
            end = start + round((end - start) * 30) / 30 + rnd.choice([0, 0, 0.0005, -0.0005])
        pair = ("%.3f" % start, "%.3f" % min(end, archive.seconds - 0.1))
        if float(pair[1]) > float(pair[0]) and usable(archive, *pair):
            return pair


def random_cut(archive, rnd, kind="smart"):
    ranges = [random_range(archive, rnd) for _ in range(rnd.choice([1, 1, 2, 3]))]
    cut = Cut(archive, ranges, kind)
    cut.allow_holes = bool(cut.holes) or rnd.random() < 0.1
    if len(ranges) > 1 and not cut.holes and kind == "smart" and archive.channel not in NO_TRANSITIONS and rnd.random() < 0.25:
        for a, b in zip(ranges, ranges[1:]):
            longest = min(float(a[1]) - float(a[0]), float(b[1]) - float(b[0]))
            seconds = round(rnd.uniform(0.1, 1.2), 1)
            # Each range needs something left beside its transitions.
            cut.transitions.append((rnd.choice(TRANSITIONS), seconds) if 2 * seconds + 0.2 < longest else None)
    return cut


def prove(ask, cut, rnd, **more):
    """Faults of what a server says.  ask(path, headers): an object with
    status, body and [header]."""
    faults = {}
    try:
        answer = ask(cut.url(), {})
        if answer.status != 200:
            return {"request": f"{answer.status} {answer.body[:200]!r}"}, {}
        data = answer.body
        if answer["content-length"] != str(len(data)):
            faults["Content-Length"] = answer["content-length"]
        if answer["x-holes"] != str(cut.holes):
            faults["X-Holes"] = f"{answer['x-holes']} not {cut.holes}"
        first = rnd.randrange(len(data))
        last = min(len(data) - 1, first + rnd.randrange(1, 400000))
        part = ask(cut.url(), {"Range": f"bytes={first}-{last}"})
        if part.status != 206 or part.body != data[first:last + 1] or part["etag"] != answer["etag"]:
            faults["Range"] = f"bytes {first}-{last} differ (status {part.status})"
    except Exception as e:
        return {"request": f"{type(e).__name__}: {e}"}, {}
    with tempfile.NamedTemporaryFile(suffix=".ts") as file:
        file.write(data)
        file.flush()
        try:
            found, facts = cut.examine(file.name, **more)
        except Exception as e:
            found, facts = {"examining": f"{type(e).__name__}: {e}"}, {}
    return {**faults, **found}, facts


def sweep(ask, base, count, seed, kind="smart", names=(), jobs=2):
    """Yields (cut, faults, facts) of so many random cuts.

    Kinds take turns, so that few cuts see all; every fourth is looked at in
    all ways.
    """
    rnd = random.Random(seed)
    turn, cuts = [], []
    for nth in range(count):
        if not turn:
            turn = channels(base, names)
            rnd.shuffle(turn)
        cuts.append((nth, random_cut(channel_of(base, *turn.pop()), rnd, kind), random.Random(rnd.random())))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for (_, cut, _), result in zip(cuts, pool.map(lambda c: prove(ask, c[1], c[2], thorough=c[0] % 4 == 0), cuts)):
            yield cut, *result


def tell(cut, faults):
    return f"{cut}\n{json.dumps(faults)}\n{cut.url()}"
