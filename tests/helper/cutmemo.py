"""cutmemo.py - proofs that were made before.

Most of the time of a proof is ffmpeg's.  The build with sanitizers is to give
the very bytes of the other one, and then their proof stands.  What was proved
is kept below the archives, BASE/.proofs, and counts only for the same bytes, as
the answer to the same question, of the same archive, by the same tools: any
change to a file beside this one, or to the test, and all is proved anew.
Faults are never kept.
"""
import functools
import glob
import hashlib
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


@functools.lru_cache(maxsize=None)
def _tools():
    """What the proofs are made with."""
    digest = hashlib.sha256()
    for path in sorted(glob.glob(HERE + "/*")) + [os.path.abspath(sys.argv[0])]:
        if os.path.isfile(path):
            with open(path, "rb") as f:
                digest.update(f.read())
    return digest.hexdigest()


@functools.lru_cache(maxsize=None)
def _archive(channel):
    """What a Channel is: its truth, and the names of its segments, which have a hash of what is in them."""
    with open(f"{channel.base}/.truth/{channel.channel}-{channel.quality}.json") as f:
        return f.read(), [(s.path, os.path.getsize(s.path)) for s in channel.segments]


def once(channel, question, contents, prove):
    """prove()'s (faults, facts), or those of the same before.  question: words
    and numbers; contents: the bytes that are proved."""
    words = repr((_tools(), _archive(channel), question, [hashlib.sha256(c).hexdigest() for c in contents]))
    folder = os.path.join(channel.base, ".proofs")
    path = os.path.join(folder, hashlib.sha256(words.encode()).hexdigest())
    try:
        with open(path) as f:
            return {}, json.load(f)
    except FileNotFoundError:
        pass
    faults, facts = prove()
    if not faults:
        os.makedirs(folder, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as f:
            json.dump(facts, f, default=lambda number: number.item())
        os.rename(f.name, path)
    return faults, facts
