"""tsread.py - MPEG transport streams taken apart, for the tests.

It shares nothing with the program under test.  It trusts the stream it reads
no further than tests need: our own archives, and answers to be judged.
"""
import re

TIME_MASK = (1 << 33) - 1
VIDEO, AUDIO, ID3 = (0x1b, 0x24), (0x0f,), (0x15,)
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000,
         11025, 8000, 7350)


def _crc_table():
    for byte in range(256):
        c = byte << 24
        for _ in range(8):
            c = (c << 1 ^ 0x04c11db7 if c & 0x80000000 else c << 1) & 0xffffffff
        yield c


_CRC = tuple(_crc_table())


def crc32(data):
    """The one of PSI sections: 0 over a section with its CRC."""
    c = 0xffffffff
    for byte in data:
        c = (c << 8 & 0xffffffff) ^ _CRC[c >> 24 ^ byte]
    return c


def read_time(b):
    return ((b[0] >> 1 & 7) << 30 | b[1] << 22 | b[2] >> 1 << 15 | b[3] << 7 |
            b[4] >> 1)


def read_pcr(b):
    """In 27 MHz."""
    return ((b[0] << 25 | b[1] << 17 | b[2] << 9 | b[3] << 1 | b[4] >> 7) * 300 +
            ((b[4] & 1) << 8 | b[5]))


def unwrap(time, near):
    """The time nearest to another that has these 33 bits."""
    away = (time - near) & TIME_MASK
    return near + away - (1 << 33 if away >= 1 << 32 else 0)


class Unit:
    """The payload of one PES packet; whole: another one followed it."""
    __slots__ = ("pts", "dts", "data", "random_access")

    def __init__(self, pts, dts, random_access):
        self.pts, self.dts, self.random_access = pts, dts, random_access
        self.data = b""


class Stream:
    """Everything in a file: kinds {pid: stream type}, units {pid: [Unit]}.

    Times are unwrapped, near the one given or the first of the file.
    """

    def __init__(self, data, near=None):
        self.kinds, self.units, self.pcr_pid, self.pmt_pid = {}, {}, None, None
        building, first = {}, near
        for at in range(0, len(data) - 187, 188):
            p = data[at:at + 188]
            if p[0] != 0x47:
                continue
            pid, start, flags = (p[1] & 31) << 8 | p[2], p[1] & 0x40, p[3]
            body = 4 + (1 + p[4] if flags & 0x20 else 0)
            if not flags & 0x10 or body >= 188:
                continue
            if pid == 0 or pid == self.pmt_pid:
                if start:
                    self._table(pid, p[body + 1 + p[body]:])
                continue
            if pid not in self.kinds:
                continue
            if start:
                unit, size = self._begin(p, body, first)
                self._end(building, pid)
                building[pid] = (unit, [p[body + size:]])
                if first is None and unit.pts is not None:
                    first = unit.pts
            elif pid in building:
                building[pid][1].append(p[body:])
        for pid in list(building):
            self._end(building, pid)

    def _table(self, pid, t):
        length = (t[1] & 15) << 8 | t[2]
        if pid == 0:
            self.pmt_pid = (t[10] & 31) << 8 | t[11]
            return
        self.pcr_pid = (t[8] & 31) << 8 | t[9]
        at = 12 + ((t[10] & 15) << 8 | t[11])
        while at < length - 1:
            stream = (t[at + 1] & 31) << 8 | t[at + 2]
            self.kinds.setdefault(stream, t[at])
            self.units.setdefault(stream, [])
            at += 5 + ((t[at + 3] & 15) << 8 | t[at + 4])

    @staticmethod
    def _begin(p, body, near):
        head = p[body:]
        pts = dts = None
        if head[7] & 0x80:
            pts = dts = read_time(head[9:14])
            if head[7] & 0x40:
                dts = read_time(head[14:19])
            if near is not None:
                pts, dts = unwrap(pts, near), unwrap(dts, near)
            else:
                dts = unwrap(dts, pts)
        random_access = bool(body > 5 and p[5] & 0x40)
        return Unit(pts, dts, random_access), 9 + head[8]

    def _end(self, building, pid):
        if pid in building:
            unit, parts = building.pop(pid)
            unit.data = b"".join(parts)
            self.units[pid].append(unit)

    def pid(self, kinds):
        return next((p for p, k in self.kinds.items() if k in kinds), None)

    @property
    def video(self):
        return self.units.get(self.pid(VIDEO), [])

    @property
    def audio(self):
        """ADTS frames as (pts, bytes): a PES packet has one or more."""
        frames = []
        for unit in self.units.get(self.pid(AUDIO), []):
            at, nth = 0, 0
            while at + 7 <= len(unit.data):
                d = unit.data[at:at + 7]
                size = (d[3] & 3) << 11 | d[4] << 3 | d[5] >> 5
                if d[0] != 0xff or d[1] & 0xf6 != 0xf0 or size < 7:
                    break
                rate = RATES[d[2] >> 2 & 15]
                frames.append((unit.pts + round(nth * 1024 * 90000 / rate),
                               unit.data[at:at + size]))
                at, nth = at + size, nth + 1
        return frames


_start_code = re.compile(rb"\x00\x00\x01(?=.)", re.DOTALL)


def nals(data):
    """The NAL units of Annex B bytes, without start codes and zeros after."""
    marks = [m.end() for m in _start_code.finditer(data)] + [len(data) + 3]
    return [data[a:b - 3].rstrip(b"\0") for a, b in zip(marks, marks[1:])]


def is_idr(data):
    return any(data[m.end()] & 31 == 5 for m in _start_code.finditer(data))


def picture(data):
    """An access unit without delimiters, SEI and parameter sets: its slices."""
    return [n for n in nals(data) if n[0] & 31 in (1, 5)]


def parameter_sets(data):
    return [n for n in nals(data) if n[0] & 31 == 7]
