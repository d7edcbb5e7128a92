#!/usr/bin/env python3
"""/CHANNEL/chat.json: the messages of a range, merged over all who received them.

Cases by hand, random archives against a plain reading of the rules, and files that are merged and split all the time while they are read.

Environment:  CHAT_ARCHIVES  how many random archives (40)
              CHAT_SEED      of the first of these (1)
"""
import gzip

from harness import *

t0 = T("2026-11-07T10:00:00")
BASE = t0.replace(tzinfo=timezone.utc).timestamp()
archive = Archive()
HASH = re.compile(r"[^A-Za-z0-9_-]")


def put(channel, when, messages, name=None):
    """A file of messages; when is seconds since t0."""
    at = t0 + seconds(when)
    text = messages if isinstance(messages, bytes) else "".join(json.dumps(m, separators=(",", ":"), sort_keys=True) + "\n" for m in messages).encode()
    name = name or hashlib.sha256(text).hexdigest()[:20]
    return archive.write(f"{channel}/chat/{at:%Y-%m-%dT%H}/{at:%M:%S}-{name}.json", text)


def message(time, length=0.0, text="x", receivers=None, id=None, **more):
    return {"command": "PRIVMSG", "host": "h", "params": ["#c", text], "receivers": receivers or {}, "sender": "s", "tags": {"id": id} if id else None,
            "time": BASE + time, "time_range": length, "user": "u", **more}


def url(channel, start, end, more=""):
    return f"/{channel}/chat.json?start={iso(t0 + seconds(start))}&end={iso(t0 + seconds(end))}{more}"


# ----------------------------------------------------------- the rules, plainly

FIELDS = ("receivers", "time", "time_range")


def kind_of(m):
    return json.dumps({k: v for k, v in m.items() if k not in FIELDS}, sort_keys=True)


class Part:
    def __init__(self, m, file):
        self.time, self.range, self.receivers, self.files = m["time"], m["time_range"], dict(m["receivers"]), {file}
        self.end = self.time + self.range
        self.keys = set()

    def key(self):
        return self.end, self.time, self.range, sorted(self.receivers.items())


def join(parts, is_same=False):
    """One message of several."""
    first = parts[0]
    kept = len({(p.time, p.range) for p in parts}) == 1 if is_same else len({(p.time, p.range, tuple(sorted(p.receivers.items()))) for p in parts}) == 1
    if not kept:
        first.time, first.end = max(p.time for p in parts), min(p.end for p in parts)
        first.range = first.end - first.time
    for p in parts[1:]:
        first.files |= p.files
        for name, time in p.receivers.items():
            first.receivers[name] = min(time, first.receivers.get(name, time))
    return first


def sweep(parts, gather):
    out, left = [], sorted(parts, key=Part.key)
    while left:
        end = left[0].end
        taken = gather([p for p in left if p.time <= end])
        left = [p for p in left if p not in taken]
        out.append(join(taken))
    return out


def one_to_one(parts):
    taken, names, files = [], set(), set()
    for p in parts:
        if not names & set(p.receivers) and not files & p.files:
            taken.append(p)
            names |= set(p.receivers)
            files |= p.files
    return taken


def same_receptions(parts):
    counts = {}
    for p in sorted(parts, key=lambda p: (p.time, p.end, p.range, sorted(p.receivers.items()))):
        file, = p.files
        for what in p.receivers.items() if p.receivers else [(p.time, p.range)]:
            nth = counts[file, what] = counts.get((file, what), -1) + 1
            p.keys.add((what, nth))
    groups = []
    for p in parts:
        mine = [g for g in groups if any(p.keys & q.keys and p.time <= q.end and q.time <= p.end for q in g)]
        groups = [g for g in groups if g not in mine] + [[p] + [q for g in mine for q in g]]
    return [join(g, is_same=True) for g in groups]


def merge(files):
    """A list of messages of a list of lists of them."""
    kinds = {}
    for number, messages in enumerate(files):
        for m in messages:
            kinds.setdefault(kind_of(m), []).append(Part(m, number))
    out = []
    for kind, parts in kinds.items():
        fields = json.loads(kind)
        if (fields.get("tags") or {}).get("id"):
            merged = sweep(parts, lambda candidates: candidates)
        else:
            merged = sweep(same_receptions(parts), one_to_one)
        out += [{**fields, "receivers": p.receivers, "time": p.time, "time_range": p.range} for p in merged]
    return out


def in_order(messages):
    return sorted(messages, key=lambda m: (m["time"], m["time_range"], json.dumps(m, sort_keys=True)))


def touching(messages, start, end):
    return [m for m in messages if m["time"] < BASE + end and m["time"] + m["time_range"] >= BASE + start]


def random_files(seed):
    rnd = random.Random(seed)
    nodes = [f"node{i}" for i in range(rnd.randint(1, 4))]
    files = [[] for _ in nodes]
    now = 30.0
    for i in range(rnd.randint(1, 40)):
        now += rnd.choice((0, .5, 3, 20))
        known = rnd.random() < .5
        text, id = (f"message {i}", f"id{i}") if known else (f"JOIN {rnd.randrange(2)}", None)
        for n, node in enumerate(nodes):
            if rnd.random() < .8:
                before, after = rnd.random() * 4, rnd.random() * 4
                time = now - (0 if known else before)
                files[n].append(message(time, .001 if known else before + after, text, {node: BASE + now + rnd.random()} if rnd.random() < .95 else None, id))
    if seed % 3 == 0:
        files.append(in_order(merge(rnd.sample(files, rnd.randint(1, len(files))))))
    if seed % 4 == 0:
        files.append(list(rnd.choice(files)))
    return files, rnd


random_archives = []
first_seed = int(os.environ.get("CHAT_SEED", "1"))
for seed in range(first_seed, first_seed + int(os.environ.get("CHAT_ARCHIVES", "40"))):
    files, rnd = random_files(seed)
    for nth, messages in enumerate(files):
        put(f"random{seed}", rnd.randrange(60), messages, f"{rnd.getrandbits(64):x}-{nth}")
    random_archives.append((seed, files))

# ------------------------------------------------------------------- the archive

a = message(10.5, 3, "a", {"n1": 1.5})
late = message(100, 0, "late", {"n1": 1.25}, "L")
put("chan", 0, [a, late])
put("chan", 0, [message(11, 9, "a", {"n2": 2.5})])
put("chan", 180, [message(180, 1, "at 180")])
put("chan", 3599, [message(3599, 5, "over the hour")])
put("chan", 3600, [message(3601, 0, "next hour")])
put("bad", 0, [message(1, text="good")])
broken = put("bad", 0, json.dumps(message(2)).encode() + b'\n{"command":"PRIV', "broken")
put("bad", 0, b"\xff\xfe\n", "noise")
put("bad", 0, b"", "empty")
archive.write("bad/chat/2026-11-07T10/what is this.json", b"{}")
archive.write("bad/chat/2026-11-07T10/.hidden.json", b"{}")
archive.write("bad/chat/2026-11-07T10/00:01-x.ts", b"{}")
os.mkdir(os.path.join(archive.path, "bad/chat/2026-11-07T10/00:02-directory.json"))
os.mkfifo(os.path.join(archive.path, "bad/chat/2026-11-07T10/00:03-fifo.json"))
os.symlink("/etc/passwd", os.path.join(archive.path, "bad/chat/2026-11-07T10/00:04-outside.json"))
os.symlink(os.path.join("../../..", os.path.relpath(put("chan", 7100, [message(20, text="linked")]), archive.path)), os.path.join(archive.path, "bad/chat/2026-11-07T10/00:05-inside.json"))
archive.run("silent", "source", t0, 2)
for channel, lines in (("little", 3000), ("much", 6000)):      # some 200 and 400 kB
    put(channel, 0, [{"receivers": {f"r{i % 1000}": i}, "time": BASE, "time_range": 500 + i / 1e5} for i in range(lines)])
put("files", 0, [message(1)])
conflicts = [message(1, 0, "one", {"n1": 1.0}, "I"), message(1, 0, "two", {"n2": 1.0}, "I"), message(5, 0, "one", {"n1": 5.0}, "I")]
put("conflict", 0, conflicts[:1] + conflicts[2:])
put("conflict", 0, conflicts[1:2])
server = Server(archive, ["--workers", "2"])


def texts(answer):
    return [m["params"][1] for m in answer.json]


def merges(metrics):
    return metrics.get("merge_messages_latency_count", error="")


# -------------------------------------------------------------------- the contract

r = server.get(url("chan", 0, 60))
same((r.status, r["content-type"], r["cache-control"]), (200, "application/json", "no-cache"), "200, JSON, to be asked for again")
same(r.json, [{**a, "time": BASE + 11, "time_range": 2.5, "receivers": {"n1": 1.5, "n2": 2.5}}], "two receivers' message is one: the ranges' intersection, both receivers")
same(r["x-holes"], None, "nothing is said of holes")
h = server.head(url("chan", 0, 60))
same((h.status, h["etag"], h["content-length"], h.body), (200, r["etag"], str(len(r.body)), b""), "HEAD has the same headers")
same(server.get(url("chan", 0, 60), {"Range": "bytes=1-10"}).body, r.body[1:11], "a part of it")
for start, end, want in ((0, 11, []), (0, 11.000001, ["a"]), (13.5, 20, ["a"]), (13.500001, 20, []), (99, 100, []), (100, 101, ["late"]), (100.000001, 101, [])):
    same(texts(server.get(url("chan", start, end))), want, f"{start} to {end}: {want}")
same(texts(server.get(url("chan", 118, 121))), [], "from 118 s on files of 0 s are still read, but nothing touches")
same(texts(server.get(url("chan", 120.5, 180))), [], "a file of just the end is read, and what begins then is not of it")
put("edges", 0, [message(600, text="far")])
for start, end, want in ((119.999999, 700, ["far"]), (120, 700, [])):
    same(texts(server.get(url("edges", start, end))), want, f"a file of 120 s before {start}: {want}")
put("edges2", 600, [message(0, text="early")])
for start, end, want in ((0, 540.000001, ["early"]), (0, 540, [])):
    same(texts(server.get(url("edges2", start, end))), want, f"a file of 60 s after {end}: {want}")
same(texts(server.get(url("chan", 3590, 3610))), ["over the hour", "next hour"], "over the end of an hour")
same(texts(server.get(url("chan", 3 * 3600, 4 * 3600))), [], "hours that are not there: an empty list")
same(server.get(url("files", 0, 60)).json, server.get("/files/chat.json").json, "/files/chat.json stays a list of qualities")

etag = r["etag"]
c = server.get(url("chan", 0, 60), {"If-None-Match": etag})
same((c.status, c.body), (304, b""), "If-None-Match: 304")
ok(server.get(url("chan", 0, 61))["etag"] != etag and server.get(url("chan", 1, 60))["etag"] != etag, "another range, another tag")
put("chan", 1, [message(30, text="new")])
c = server.get(url("chan", 0, 60), {"If-None-Match": etag})
same((c.status, texts(c)), (200, ["a", "new"]), "a file more: 200, with it")
z = server.get(url("random1", 0, 900), {"Accept-Encoding": "gzip"})
same((z["content-encoding"], z["vary"]), ("gzip", "Accept-Encoding"), "compressed for those who take it")
same(gzip.decompress(z.body), server.get(url("random1", 0, 900)).body, "and the same")
before = server.metrics()
c = server.get(url("random1", 0, 900), {"Accept-Encoding": "gzip", "If-None-Match": z["etag"]})
same((c.status, c["etag"]), (304, z["etag"]), "304 for the compressed form")
same(merges(server.metrics()), merges(before), "for which nothing is merged")

for path, status, words in (
        ("/chan/chat.json", 400, "start"), (url("chan", 0, 1).replace("start", "begin"), 400, "start"), (url("chan", 0, 1).replace("end", "stop"), 400, "end"),
        (url("chan", 5, 5), 400, "after start"), (url("chan", 5, 4), 400, "after start"), (url("chan", 0, 7200.000001), 400, "2 hours"), (url("none", 0, 7201), 400, "2 hours"),
        (url("none", 0, 1), 404, "none"), (url("silent", 0, 1), 404, "silent"), (url(".chan", 0, 1), 403, "hidden"), ("/none/chat.json", 400, "start"),
        (url("a%2Fb", 0, 1), 404, ""), (url("chan", 0, 1).replace("chat.json", "chat.txt"), 404, "URL")):
    e = server.get(path)
    ok(e.status == status and words in e.text and len(e.lines) == 1, f"{path}: {status}, {words}", e)
same(server.get(url("chan", 0, 7200)).status, 200, "two hours are answered")
p = server.get(url("chan", 0, 1), method="POST")
same((p.status, p["allow"]), (405, "GET, HEAD, OPTIONS"), "POST: 405")

# ------------------------------------------------------------- what is no chat

before = server.metrics()
for turn in range(6):
    same(texts(server.get(url("bad", 0, 60))), ["good", "linked"], "files that are not whole are ignored, names that are none, and links that lead out")
after = server.metrics()
same(after.get("restreamer_chat_files_ignored_total") - before.get("restreamer_chat_files_ignored_total"), 12, "two files, six times")
same(after.get("restreamer_index_names_ignored_total") - before.get("restreamer_index_names_ignored_total"), 6, "six names, once")
same([server.log().count(text) for text in ("broken.json' is ignored: line 2", "noise.json' is ignored: line 1", "names in the chat of 'bad'")], [1, 1, 1], "each is logged once")
put("bad", 0, [message(3, text="half \ud800"), message(3, text="half \udc00")], "half")
before = server.metrics()
for name in ("00:06-x.json.temp", "00:07-x.json.1234.tmp", ".temp"):
    archive.write(f"bad/chat/2026-11-07T10/{name}", b"{")
same(texts(server.get(url("bad", 0, 60))), ["good", "linked"], "nor is half a surrogate pair text, and what is still written is nothing yet")
after = server.metrics()
same((after.get("restreamer_index_names_ignored_total") - before.get("restreamer_index_names_ignored_total"), server.log().count("names in the chat of 'bad'")), (0, 1), "nothing is said of it")
ok("half.json' is ignored: line 1: half a character" in server.log(), "but of the other")
archive.write("bad/chat/2026-11-07T10/00:08-x.jsonl", b"{")
texts(server.get(url("bad", 0, 60)))
same((server.metrics().get("restreamer_index_names_ignored_total") - before.get("restreamer_index_names_ignored_total"), server.log().count("1 names in the chat of 'bad'")), (1, 1), "another name is said alone")
os.unlink(broken)
put("bad", 0, [message(2, text="mended")], "broken")
same(texts(server.get(url("bad", 0, 60))), ["good", "mended", "linked"], "a file that is whole now is used")

before = server.metrics()
same(in_order(server.get(url("conflict", 0, 60)).json), in_order(conflicts), "of one id, but another text or apart: all are kept")
after = server.metrics()
same(after.get("restreamer_chat_conflicts_total") - before.get("restreamer_chat_conflicts_total"), 2, "and two are counted")
same(merges(after) - merges(before), 1, "the work is measured")
same(wait_for(lambda: server.metrics().get("http_request_latency_get_chat_messages_count", channel="conflict", method="GET", status="200"), "the request in the metrics"), 1, "and the request")

started = server.metrics().get("restreamer_heavy_started_total")
for channel, lines, heavy in (("little", 3000, 0), ("much", 6000, 1)):
    same(len(server.get(url(channel, 0, 60)).json), lines, f"{lines} equal messages of one file: all of them")
    same(server.metrics().get("restreamer_heavy_started_total") - started, heavy, "in a process of its own, unless they are few")

# ------------------------------------------------------------------ random ones

for seed, files in random_archives:
    want = merge(files)
    for start, end in ((0, 3600), (40, 90)):
        got = server.get(url(f"random{seed}", start, end)).json
        if start == 40:     # the files of all are read
            want = touching(want, start, end)
        if not same(in_order(got), in_order(want), f"archive {seed}, {start} to {end}: as the rules say"):
            diag(f"CHAT_SEED={seed} CHAT_ARCHIVES=1")
    ok(got == sorted(got, key=lambda m: (m["time"], m["time_range"])), f"archive {seed}: in order")

# --------------------------------------------------------------- the command

status, out, err = run_program("chat", "chan", "--base", archive.path, "--cache", "none", "--start", "2026-11-07T10:00:00", "--end", "2026-11-07T12:01:00+00:01")
same((status, out, err), (0, server.get(url("chan", 0, 7200)).body, b""), "the command writes the same")
target = os.path.join(temp_dir("out"), "chat.json")
status, out, err = run_program("chat", "chan", "--base", archive.path, "--cache", "none", "--start", iso(t0), "--end", iso(t0 + seconds(60)), "-o", target)
same((status, content([target])), (0, server.get(url("chan", 0, 60)).body), "-o")
for args, words in ((["chan"], b"start"), (["chan", "--start", "@1"], b"end"), ([], b"usage"), (["chan", "source"], b"usage"), ([".chan"], b"hidden"),
                    (["none", "--start", "@1", "--end", "@2"], b"none"), (["chan", "--start", "@1", "--end", "@7202"], b"2 hours"), (["files", "--start", "@1", "--end", "@2"], b"--start")):
    status, out, err = run_program("chat", *args, "--base", archive.path, "--cache", "none")
    ok(status != 0 and words in err and not out, f"chat {args}: {words.decode()}", err)
status, out, err = run_program("chat", "chan", "--base", archive.path, "--cache", "none", "--max-chat-hours", "3", "--start", iso(t0), "--end", iso(t0 + seconds(3 * 3600)))
same(status, 0, "--max-chat-hours")

# ------------------------------------------------------- rewritten all the time

rnd = random.Random(2)
live = {}       # path: messages
truth = []
for minute in range(56, 64):
    lines = [message(minute * 60 + i * 2, 1, f"{minute}-{i}", {"n1": minute * 60 + i + .5}, f"{minute}-{i}" if i % 2 else None) for i in range(20)]
    live[put("live", minute * 60, lines)] = lines
    truth += lines
truth = in_order(truth)


def rewrite():
    """Merges two files to one, or parts one, which may be of the other hour; what was is deleted when what will be is there."""
    old = rnd.sample(sorted(live), min(len(live), rnd.choice((1, 2, 2, 3))))
    lines = [m for path in old for m in live[path]]
    rnd.shuffle(lines)
    parts = [lines[i::n] for n in [rnd.choice((1, 2, 3))] for i in range(n)]
    new = {}
    for part in parts:
        at = t0 + seconds(rnd.randrange(56 * 60, 64 * 60))
        folder = os.path.join(archive.path, f"live/chat/{at:%Y-%m-%dT%H}")
        name = f"{at:%M:%S}-{rnd.getrandbits(64):x}.json"
        with open(os.path.join(folder, ".temp"), "w") as f:
            f.write("".join(json.dumps(m) + "\n" for m in part))
        os.rename(os.path.join(folder, ".temp"), os.path.join(folder, name))
        new[os.path.join(folder, name)] = part
    for path in old:
        os.unlink(path)
        del live[path]
    live.update(new)


def look():
    r = server.get(url("live", 56 * 60, 64 * 60))
    return r.status if r.status != 200 else r.json


before = server.metrics()
readers = [Background(look) for _ in range(3)]
until = time.monotonic() + 8
rewrites = 0
while time.monotonic() < until:
    rewrite()
    rewrites += 1
    time.sleep(rnd.choice((0, 0, .001, .005)))
answers = [a for reader in readers for a in reader.end()]
whole = [a for a in answers if isinstance(a, list)]
diag(f"{rewrites} rewrites, {len(answers)} answers, {len(whole)} with 200, retries: {server.metrics().get('restreamer_chat_retries_total') - before.get('restreamer_chat_retries_total'):.0f}")
ok(rewrites > 20 and len(whole) > 20, "there was something to see", (rewrites, len(answers), [a for a in answers if not isinstance(a, list)][:5]))
same({a for a in answers if not isinstance(a, list)} - {503}, set(), "an answer, or that the chat is being rewritten")
wrong = [a for a in whole if in_order(a) != truth]
same(len(wrong), 0, "no message was missing or double in any")
same(in_order(server.get(url("live", 56 * 60, 64 * 60)).json), truth, "and at the end")
finish()
