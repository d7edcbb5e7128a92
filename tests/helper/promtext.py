"""promtext.py - the Prometheus text format 0.0.4, read more strictly than
Prometheus does: its own checker lets duplicate series and histograms that do
not add up pass.

Text("...") has series {(name, ((label, value), ...)): number}, types, helps,
and faults: what is wrong, a line each.  fell(before, after) compares two.
"""
import re

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
_PARTS = ("_bucket", "_sum", "_count")
_ESCAPES = {"n": "\n"}


class Text:
    def __init__(self, text):
        self.text, self.series, self.faults = text, {}, []
        self.types, self.helps = {}, {}
        self._families, self._family, self._buckets = [], None, {}
        if not text.endswith("\n"):
            self.faults.append("no newline at the end")
        for line in text.split("\n"):
            if line.startswith("#"):
                self._read_comment(line)
            elif line:
                self._read_sample(line)
        for name in self.types:
            self._check_family(name)

    # ------------------------------------------------------------- lines

    def _read_comment(self, line):
        m = re.fullmatch(r"# (HELP|TYPE) (\S+)(?: (.*))?", line)
        if not m:
            return                      # a comment
        what, name, rest = m.groups()
        if not _NAME.fullmatch(name):
            self.faults.append(f"not a name: {line!r}")
        table = self.helps if what == "HELP" else self.types
        if name in table:
            self.faults.append(f"{what} twice: {name}")
        if name in self._families:
            self.faults.append(f"{what} after samples: {name}")
        table[name] = rest or ""
        if what == "HELP" and not rest:
            self.faults.append(f"no help: {name}")
        if what == "HELP" and re.search(r"\\(?![\\n])", (rest or "").replace("\\\\", "")):
            self.faults.append(f"bad escape: {line!r}")
        if what == "TYPE" and rest not in _TYPES:
            self.faults.append(f"{name}: type {rest!r}")

    def _read_labels(self, text, line):
        labels, at = [], 0
        while at < len(text):
            pair = _LABEL.match(text, at)
            if not pair:
                self.faults.append(f"labels: {line!r}")
                break
            if pair[1].startswith("__"):
                self.faults.append(f"a reserved label: {line!r}")
            labels.append((pair[1], re.sub(r"\\(.)", lambda e: _ESCAPES.get(e[1], e[1]), pair[2])))
            at = pair.end()
        if len({k for k, _ in labels}) != len(labels):
            self.faults.append(f"a label twice: {line!r}")
        return labels

    def _read_sample(self, line):
        m = _SAMPLE.fullmatch(line)
        if not m:
            self.faults.append(f"not a sample: {line!r}")
            return
        labels = self._read_labels(m[2] or "", line)
        if m[4]:
            self.faults.append(f"a time of its own: {line!r}")
        try:
            value = float(m[3])
        except ValueError:
            self.faults.append(f"not a number: {line!r}")
            return
        key = (m[1], tuple(sorted(labels)))
        if key in self.series:
            self.faults.append(f"series twice: {line!r}")
        self.series[key] = value
        self._note_family(m[1], labels, value)

    def _note_family(self, name, labels, value):
        family = self.family(name)
        if family not in self.types:
            self.faults.append(f"no TYPE before {name}")
        if family not in self.helps:
            self.faults.append(f"no HELP before {name}")
        if family != self._family and family in self._families:
            self.faults.append(f"{family} is not in one piece")
        if family != self._family:
            self._families.append(family)
        self._family = family
        kind = self.types.get(family)
        if "le" in dict(labels) and not (kind == "histogram" and name == family + "_bucket"):
            self.faults.append(f"{name} has a label le")
        if kind == "histogram":
            self._note_histogram(family, name[len(family):], labels, value)

    def _note_histogram(self, family, part, labels, value):
        rest = tuple(sorted(p for p in labels if p[0] != "le"))
        group = self._buckets.setdefault(family, {}).setdefault(rest, {"_bucket": []})
        if part == "_bucket":
            le = dict(labels).get("le", "")
            try:
                group[part].append((float(le), value))
            except ValueError:
                self.faults.append(f"{family}: le is {le!r}")
        elif part in _PARTS:
            group[part] = value
        else:
            self.faults.append(f"{family}: a histogram with a sample of its own name")

    def family(self, name):
        for part in _PARTS:
            if name.endswith(part) and self.types.get(name[:-len(part)]) == "histogram":
                return name[:-len(part)]
        return name

    # ---------------------------------------------------------- families

    def _check_family(self, name):
        kind = self.types[name]
        if kind == "histogram":
            for rest, group in self._buckets.get(name, {}).items():
                self._check_histogram(f"{name}{dict(rest)}", group)
            bounds = {tuple(le for le, _ in g["_bucket"]) for g in self._buckets.get(name, {}).values()}
            if len(bounds) > 1:
                self.faults.append(f"{name}: series with different buckets")
            return
        if kind == "counter" and not name.endswith("_total"):
            self.faults.append(f"{name}: a counter is named ..._total")
        if kind == "gauge" and name.endswith(("_total", *_PARTS)):
            self.faults.append(f"{name}: no name for a gauge")
        if kind == "counter":
            for (series, _), value in self.series.items():
                if series == name and not value >= 0:
                    self.faults.append(f"{name}: a counter of {value}")

    def _check_histogram(self, where, group):
        buckets = group["_bucket"]
        bounds = [le for le, _ in buckets]
        values = [value for _, value in buckets]
        if bounds != sorted(set(bounds)):
            self.faults.append(f"{where}: buckets are not in order")
        if values != sorted(values):
            self.faults.append(f"{where}: buckets are not cumulative")
        if not bounds or max(bounds) != float("inf"):
            self.faults.append(f"{where}: no +Inf bucket")
        elif dict(buckets)[float("inf")] != group.get("_count"):
            self.faults.append(f"{where}: +Inf is not the count")
        if "_sum" not in group:
            self.faults.append(f"{where}: no sum")

    # ------------------------------------------------------------ asking

    def get(self, name, **labels):
        """The sum of all series of that name that have these labels."""
        want = set(labels.items())
        found = [v for (n, pairs), v in self.series.items() if n == name and want <= set(pairs)]
        return sum(found) if found else None

    def names(self):
        return {name for name, _ in self.series}

    def label_values(self, name, label):
        return {dict(pairs).get(label) for n, pairs in self.series if n == name}


def fell(before, after):
    """Counters that are smaller than they were, or gone."""
    out = []
    for (name, labels), value in before.series.items():
        if before.types.get(before.family(name)) not in ("counter", "histogram"):
            continue
        now = after.series.get((name, labels))
        if now is None or now < value:
            out.append(f"{name}{dict(labels)}: {value} -> {now}")
    return out
