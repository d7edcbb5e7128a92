#!/usr/bin/env python3
"""The log: every line reads back, every request has one, with true numbers."""
import grp
import pwd
from collections import Counter

from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
archive.run("chan", "source", t0, 5, size=20000)
archive.run("chan", "source", t0 + seconds(20), 5, size=20000)
BIGS = archive.run("big", "source", t0, 30, size=1 << 20)
R = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:10"
HOLES = "start=2024-03-01T10:00:00&end=2024-03-01T10:00:30&allow_holes=true"
BIG = f"/cut/big/source.ts?type=rough&start={iso(t0)}&end={iso(t0 + seconds(60))}"
BIG_BYTES = 30 << 20
ID = r"[0-9A-Za-z._-]{1,40}"

# ------------------------------------------------------------------ a reader, strict
VALUE = r'"(?:[ !#-\[\]-~]|\\["\\]|\\x[0-9a-f]{2})*"|[!#-<>-\[\]-~]+'
FIELD = re.compile(rf'([a-z_]+)=({VALUE})(?: |$)'.encode())
COMMON = {"time": rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "level": b"debug|info|warning|error", "pid": rb"\d+", "module": b"[a-z0-9_]+"}
ACCESS = {"req": ID, "route": "[a-z_]+", "status": r"\d+", "end": "complete|broken|gone", "bytes": r"\d+", "last": r"\d+\.\d{6}", "heavy": "yes|no", "relief": "yes|no"}
LOST = {"req": ID, "route": "[a-z_]+", "bytes": r"\d+", "last": r"\d+\.\d{6}", "heavy": "yes|no", "process": r"\d+"}


def unquoted(value):
    if not value.startswith(b'"'):
        return value
    return re.sub(rb'\\(x[0-9a-f]{2}|.)', lambda m: bytes([int(m[1][1:], 16)]) if len(m[1]) == 3 else m[1], value[1:-1])


def read_line(line):
    """{key: bytes}; a string that says what is wrong with it."""
    fields, at = {}, 0
    if len(line) >= 4096:
        return f"{len(line)} bytes"
    while at < len(line):
        m = FIELD.match(line, at)
        if not m or m[1].decode() in fields:
            return f"byte {at}"
        fields[m[1].decode()] = unquoted(m[2])
        at = m.end()
    if line.endswith(b" "):
        return "a space at the end"
    if list(fields)[:4] != list(COMMON):
        return "not the fields that every line has"
    for key, pattern in COMMON.items():
        if not re.fullmatch(pattern, fields[key]):
            return key
    if fields["module"] == b"access":
        for key, pattern in (LOST if fields.get("end") == b"lost" else ACCESS).items():
            if not re.fullmatch(pattern.encode(), fields.get(key, b"")):
                return key
    elif "msg" not in fields:
        return "no msg"
    return fields


def read_log(data):
    """(all lines, what is wrong)"""
    lines = [(l, read_line(l)) for l in data.split(b"\n")[:-1]]
    faults = [(why, l) for l, why in lines if isinstance(why, str)]
    if data and not data.endswith(b"\n"):
        faults.append(("no newline at the end", data[-100:]))
    return [f for _, f in lines if isinstance(f, dict)], faults


def content_of(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def log_of(server):
    return content_of(server.log_path if isinstance(server, Direct) else os.path.join(server.dir, "restreamer.log"))


def events(server):
    return read_log(log_of(server))[0]


def accesses(server, id=None):
    found = [e for e in events(server) if e["module"] == b"access"]
    return [e for e in found if e["req"] == id.encode()] if id else found


def access_of(server, id):
    """The access line of an answer: there a moment after the last byte."""
    return wait_for(lambda: accesses(server, id), f"the line of {id}")[0]


def check_log_lines(server, what):
    found, faults = read_log(log_of(server))
    ok(found and not faults, f"{what}: all {len(found)} lines are read", faults[:5])
    twice = [k for k, n in Counter(e["req"] for e in found if e["module"] == b"access").items() if n > 1]
    same(twice, [], f"{what}: no request has two access lines")
    return found


def number(line, key):
    return float(line[key])


# ------------------------------------------------------------------ through nginx
server = Server(archive, ["--workers", "3", "--heavy-max", "8"],
                extra="location /dead/ { fastcgi_pass unix:/nonexistent; }\n")
etag = server.get(f"/cut/chan/source.ts?type=rough&{R}")["etag"]
segment = os.listdir(os.path.join(archive.path, "chan/source/2024-03-01T10"))[0]
asked = (   # path, method, headers, status, route, more of the line
    ("/files", "GET", {}, 200, "list_channels", {"heavy": "no"}),
    ("/files", "HEAD", {}, 200, "list_channels", {}),
    ("/files", "OPTIONS", {}, 204, "list_channels", {}),
    ("/files", "DELETE", {}, 405, "none|list_channels", {"error": "METHOD"}),
    ("/nothing/here", "GET", {}, 404, "none", {"error": "NOTFOUND"}),
    ("/files/.x", "GET", {}, 403, "none|list_qualities", {"error": "FORBIDDEN"}),
    ("/playlist/chan/source.m3u8?start=x", "GET", {}, 400, "generate_media_playlist", {"error": "INPUT"}),
    (f"/playlist/chan/source.m3u8?{HOLES.replace('&allow_holes=true', '')}", "GET", {}, 200, "generate_media_playlist", {"holes": "1"}),
    (f"/playlist/chan/source.m3u8?{R}", "GET", {"Accept-Encoding": "gzip"}, 200, "generate_media_playlist", {"holes": "0"}),
    (f"/files/big/source/2024-03-01T10", "GET", {"Accept-Encoding": "gzip"}, 200, "list_segments", {}),
    (f"/cut/chan/source.ts?type=rough&{R}", "GET", {}, 200, "cut", {"heavy": "yes", "relief": "no", "type": "rough", "holes": "0"}),
    (f"/cut/chan/source.ts?type=rough&{R}", "HEAD", {}, 200, "cut", {"type": "rough"}),
    (f"/cut/chan/source.ts?type=rough&{R}", "GET", {"Range": "bytes=100-199"}, 206, "cut", {}),
    (f"/cut/chan/source.ts?type=rough&{R}", "GET", {"Range": "bytes=9999999-"}, 416, "cut", {"error": "RANGE"}),
    (f"/cut/chan/source.ts?type=rough&{R}", "GET", {"If-None-Match": etag}, 304, "cut", {}),
    (f"/cut/chan/source.ts?type=rough&{HOLES}", "GET", {}, 200, "cut", {"holes": "1"}),
    ("/cut/chan/source.ts?type=rough&start=2030-01-01&end=2030-01-02", "GET", {}, 406, "cut", {"error": "HOLES", "type": "rough"}),
    ("/generate_videos/chan/source", "POST", {}, 403, "generate_videos", {"error": "FORBIDDEN"}),
    ("/metrics", "GET", {}, 200, "metrics", {}),
    (BIG, "GET", {}, 200, "cut", {"heavy": "yes"}),
)
ids = []
for path, method, headers, status, route, more in asked:
    a = server.get(path, headers, method, body=b"{}" if method == "POST" else None)
    what = f"{method} {path[:40]} {status}"
    like(a["x-request-id"], f"^{ID}$", f"{what}: an id in the answer")
    ids.append(a["x-request-id"])
    line = access_of(server, ids[-1])
    got = (a.status, int(line["status"]), line["method"].decode(), line["uri"].decode(), line["client"], line["end"], int(line["bytes"]))
    same(got, (status, status, method, path, b"127.0.0.1", b"complete", len(a.body)), f"{what}: the line has its numbers")
    ok(re.fullmatch(route, line["route"].decode()), f"{what}: route={route}", line["route"])
    same({k: line.get(k, b"").decode() for k in more}, more, f"{what}: {more}")
    same("error" in line, status >= 400, f"{what}: an error where there was one")
    ok(0 < number(line, "first") <= number(line, "last"), f"{what}: first <= last", line)
same(len(set(ids)), len(ids), "all ids differ")
like(server.get("/files")["access-control-expose-headers"], "X-Request-Id", "pages of another origin may read the id")

# nginx answers alone: its header, its log, and of ours no line.
a = server.get(f"/segments/chan/source/2024-03-01T10/{segment}")
same((a.status, access_of(server, a["x-request-id"] or "none")["bytes"]), (200, b"0"), "what nginx sends has the id, and we sent no byte")
alone = []
for path, status, text in (("/../x", 403, ""), ("/dead/x", 502, " (request {})")):
    a = server.raw_get(path)
    like(a["x-request-id"], f"^{ID}$", f"{path}: nginx's own {status} has an id")
    ok(a.status == status and a.text.endswith(text.format(a["x-request-id"]) + "\n") and a.body.count(b"\n") == 1, f"{path}: one line of text", a)
    alone.append(a["x-request-id"])
a = server.raw_get("/files", "POST", headers=f"Content-Length: {21 << 20}\r\n")
like(a["x-request-id"], f"^{ID}$", "nginx's own 413 has an id")
alone.append(a["x-request-id"])

# Slow, gone, broken.
slow = SlowClient(server, BIG)
head = slow.read_head()
began = time.monotonic()
wait_for(lambda: time.monotonic() > began + 0.5, "a slow client")
same(accesses(server, head["x-request-id"]), [], "a slow client: no line before its end")
held = time.monotonic() - began
same(len(slow.read_all().body), BIG_BYTES, "a slow client gets all")
line = access_of(server, head["x-request-id"])
ok(line["end"] == b"complete" and int(line["bytes"]) == BIG_BYTES and number(line, "last") >= held and number(line, "first") <= number(line, "last") - held,
   "a slow client's last byte is late, its first is not", (line, held))

gone = SlowClient(server, BIG)
head = gone.read_head()
gone.close()
line = access_of(server, head["x-request-id"])
ok(line["end"] == b"gone" and line["status"] == b"200" and 0 < int(line["bytes"]) < BIG_BYTES and line["error"] == b"GONE", "a client that left: end=gone", line)

copy = archive.run("short", "source", t0, 30, size=1 << 20)
cut = SlowClient(server, BIG.replace("big", "short"))
head = cut.read_head()
os.truncate(copy[-1], 100)
body = cut.read_all().body
line = access_of(server, head["x-request-id"])
ok(line["end"] == b"broken" and line["status"] == b"200" and len(body) <= int(line["bytes"]) + 65536 < BIG_BYTES + 65536 and line["error"] == b"CORRUPT",
   "an answer that broke: end=broken", (line, len(body)))
said = [e for e in events(server) if e.get("req") == head["x-request-id"].encode() and e["module"] != b"access"]
ok(len(said) == 1 and said[0]["level"] == b"error" and b"while it was sent" in said[0]["msg"] and said[0]["pid"] == line["pid"], "and its failure is said once, with its id", said)

def only_helper():
    """The process of a cut, once those of cuts before it are gone."""
    return wait_for(lambda: len(h := server.helpers()) == 1 and h, "one heavy process")[0]


# One whose map was truncated ends by itself, and says how far it came.
bus = SlowClient(server, BIG)
head = bus.read_head()
os.kill(only_helper(), signal.SIGBUS)
got = len(bus.read_all().body)
line = access_of(server, head["x-request-id"])
ok((line["end"], line["error"], line["status"]) == (b"broken", b"CORRUPT", b"200") and got <= int(line["bytes"]) + 65536 < BIG_BYTES, "SIGBUS: end=broken", (line, got))
ok(any(e.get("req") == line["req"] and b"truncated" in e.get("msg", b"") for e in events(server)), "SIGBUS: and why")

def broken():
    return server.metrics().get("restreamer_answers_broken_total")


def lost_line(what, id, pid):
    line = wait_for(lambda: server.get("/files") and accesses(server, id), f"{what}: the line of {id}")
    same([(e.get("end"), e.get("uri"), e.get("route"), e.get("heavy"), e.get("process")) for e in line], [(b"lost", BIG.encode(), b"cut", b"yes", str(pid).encode())],
         f"{what}: its line says that it was lost")


# A heavy process that is killed: nothing is said to be complete.
was = broken()
killed = SlowClient(server, BIG)
head = killed.read_head()
pid = only_helper()
os.kill(pid, signal.SIGKILL)
killed.read_all()
dead = f"heavy process {pid} died of signal 9".encode()
wait_for(lambda: server.get("/files") and any(e.get("msg") == dead for e in events(server)), "the word of a death", 20)
lost = accesses(server, head["x-request-id"])
same([(e.get("end"), e.get("uri"), e.get("route"), e.get("heavy"), e.get("process")) for e in lost], [(b"lost", BIG.encode(), b"cut", b"yes", str(pid).encode())],
     "a killed process: its death is said, and which answer was lost")
same([e for e in lost if "status" in e], [], "without an end that it had not")
same(broken(), was + 1, "and it is counted among the broken ones")

# One that is stopped over the console, which takes TERM.
stopped = SlowClient(server, BIG)
head = stopped.read_head()
pid = only_helper()
same(run_program("ctl", "--socket", os.path.join(server.dir, "control.sock"), "stop", pid)[0], 0, "ctl stop")
stopped.read_all()
lost_line("ctl stop", head["x-request-id"], pid)
same(broken(), was + 2, "ctl stop: and it is counted")

everything = check_log_lines(server, "of all this")
ours = Counter(e["req"].decode() for e in everything if e["module"] == b"access")
theirs = Counter(l.rsplit(" ", 1)[1] for l in server.log("nginx-access.log").splitlines())
expected = Counter(theirs)
for i in alone:
    expected[i] -= 1
same(+(ours - expected) + +(expected - ours), Counter(), "each line in nginx's log has one in ours")
server.stop()

# ------------------------------------------------------------------ ids and evil, without a server in front
d = Direct(archive, ["--workers", "2"])
RANDOM = "[0-9a-f]{16}"
for name, params, want in (("none", {}, RANDOM), ("the front's", {"REQUEST_ID": "front-1"}, "front-1"), ("the client's", {"HTTP_X_REQUEST_ID": "Client.2_x"}, r"Client\.2_x"),
                           ("both", {"REQUEST_ID": "front-3", "HTTP_X_REQUEST_ID": "client-3"}, "front-3"), ("40 characters", {"REQUEST_ID": "a" * 40}, "a{40}"),
                           ("41 characters", {"REQUEST_ID": "a" * 41}, RANDOM), ("a space", {"REQUEST_ID": "a b"}, RANDOM),
                           ("a line", {"HTTP_X_REQUEST_ID": "a\r\nX-Evil: 1"}, RANDOM), ("a quote", {"REQUEST_ID": 'a"'}, RANDOM), ("bytes", {"REQUEST_ID": b"\xff\x1b[0m"}, RANDOM),
                           ("a bad one of the front", {"REQUEST_ID": "=", "HTTP_X_REQUEST_ID": "client-4"}, "client-4")):
    a = d.ask("/files", params=params)
    ok(re.fullmatch(want, a["x-request-id"] or "") and not a["x-evil"], f"an id: {name}", a)
    same(len(accesses(d, a["x-request-id"])), 1, f"an id: {name}: is on the line before the client has its answer")

evil = [b"/files/" + x for x in (b'"', b'" level=error msg="x', b"a\nlevel=error pid=1 module=x msg=forged", b"\r\n", b"\x1b[31mred\x1b[0m", b"\x07\x08\x7f", b"\\", b"\\x0a",
                                 b"\xc3\xa9", b"\xff\xfe\x80", b"\xc2\x9b31m", b"%0a%22%1b", b" a=b ", b"a", b"=", b"\xe2\x80\xa8", bytes(range(1, 256)))]
evil += [b"", b"x", b'"', b"/files?" + b"&".join(b"a" for _ in range(1500)), b"/" + b"\x01" * 8000, b"/" + b"x" * 8191, b"/" + b'"' * 20000, b"/files/" + b"\n" * 3000]
before = len(events(d))
for n, uri in enumerate(evil):
    d.ask(uri, params={"REQUEST_ID": f"evil-{n}", "REMOTE_ADDR": b'1"\n\x1b' + uri[:200], "REQUEST_METHOD": b"G" + uri[:100]})
    line = accesses(d, f"evil-{n}")
    got = line[0]["uri"] if len(line) == 1 else None
    ok(got is not None and (got == uri or len(uri) > 700 and line[0].get("cut") == b"true" and uri.startswith(got) and len(got) >= 700),
       f"an evil URI: {uri[:30]}", (line, uri))
same(len(events(d)), before + len(evil), "each has given one line, and no more")
ok(b"forged" not in {e.get("msg") for e in events(d)}, "none was forged")
ok(all(32 <= c < 127 or c == 10 for c in log_of(d)), "nothing but printable ASCII")

# Who waits for the end of the record has the line's times in his own.
began = time.monotonic()
a = d.ask(BIG)
took = time.monotonic() - began
line = access_of(d, a["x-request-id"])
ok(0 < number(line, "first") <= number(line, "last") <= took, "first <= last <= what the client saw", (line, took))

# A client that leaves before the header: the workers sleep meanwhile.
for pid in d.workers():
    os.kill(pid, signal.SIGSTOP)
s = fcgi_connect(d.address)
s.sendall(fcgi_request("/files", params={"REQUEST_ID": "left"}))
s.close()
for pid in d.workers():
    os.kill(pid, signal.SIGCONT)
line = access_of(d, "left")
ok((line["status"], line["end"], line["bytes"]) == (b"499", b"gone", b"0") and "first" not in line, "a client that left before the header: 499", line)

# Handed over in mid-answer: one line, of the process that ends it.
big = archive.put("chan", "source", t0 + seconds(600), size=20 << 20)
s = fcgi_connect(d.address)
s.sendall(fcgi_request("/segments" + big[len(archive.path):], params={"REQUEST_ID": "relief"}))
pid = wait_for(d.helpers, "another process")[0]
out = fcgi_read(s)
line = access_of(d, "relief")
same((line["heavy"], line["relief"], line["end"], line["bytes"], line["pid"]), (b"yes", b"yes", b"complete", str(20 << 20).encode(), str(pid).encode()), "handed over in mid-answer")
check_log_lines(d, "ids and evil")
d.stop()

# Ended because the server ends: the master tells of it before it goes.
d = Direct(archive, ["--workers", "1", "--stop-timeout", "1"])
s = fcgi_connect(d.address)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
s.sendall(fcgi_request(BIG, params={"REQUEST_ID": "late"}))
pid = wait_for(d.helpers, "a heavy process")[0]
d.stop()
lost = accesses(d, "late")
same([(e["end"], e.get("process")) for e in lost], [(b"lost", str(pid).encode())], "--stop-timeout: the line of what it ended")
s.close()

# Refused for want of a place.
d = Direct(archive, ["--workers", "1", "--heavy-max", "1"])
s = fcgi_connect(d.address)
s.sendall(fcgi_request(BIG))
wait_for(d.helpers, "a heavy process")
a = d.ask(BIG, params={"REQUEST_ID": "refused"})
ok(a.status == 503 and a.text.endswith(" (request refused)\n"), "503: the id is at the end of its line", a)
line = access_of(d, "refused")
same((line["status"], line["error"], line["heavy"], int(line["bytes"])), (b"503", b"BUSY", b"no", len(a.body)), "503: its line")
s.close()
d.stop()

# ------------------------------------------------------------------ what repeats itself
templates = temp_dir("templates")
for name, data in (("bad.png", b"x"), ("bad.json", b"{")):
    with open(os.path.join(templates, name), "wb") as f:
        f.write(data)
d = Direct(archive, ["--workers", "1", "--templates", templates])
ASKED = 40
answers = [d.ask("/templates/bad.png") for _ in range(ASKED)]
same({a.status for a in answers}, {500}, "an error at each request")
counted = Metrics(d.ask("/metrics").text)
total = sum(v for (n, labels), v in counted.series.items() if n == "log_count_total" and dict(labels).get("level") == "error")
same(total, ASKED, "all are counted")
lines = [e for e in events(d) if e["level"] == b"error"]
ok(10 <= len(lines) < ASKED, "not all are written", len(lines))
d.stop()
lines = [e for e in events(d) if e["level"] == b"error"]
same(sum(1 + int(e.get("repeated", 0)) for e in lines), ASKED, "but told: the lines and the numbers on them are all there were")
same(len([e for e in accesses(d) if e["status"] == b"500"]), ASKED, "every request has its access line")
check_log_lines(d, "repeats")

# ------------------------------------------------------------------ levels
for options, nr in ((["--log-level", "warning"], 0), (["--access-log", "off"], 0), (["--access-log", "on"], 1)):
    d = Direct(archive, options)
    d.ask("/files", params={"REQUEST_ID": "one"})
    same(len(accesses(d, "one")), nr, f"{' '.join(options)}: {nr} access lines")
    d.stop()
    check = read_log(log_of(d))[1]
    same(check, [], f"{' '.join(options)}: all is read")
d = Direct(archive, ["--log-level", "debug"])
d.ask(BIG, params={"REQUEST_ID": "plan"})
said = [e["msg"] for e in events(d) if e.get("req") == b"plan" and e["level"] == b"debug"]
ok(b"the cut has 30 segments of 1 ranges, 0 holes" in said and any(b"built the index" in m for m in said) and any(b"goes on with it" in m for m in said),
   "--log-level debug: what was decided, under the id of its request", said)
d.stop()
check_log_lines(d, "--log-level debug")
status, out, err = run_program("serve", "--base", archive.path, "--access-log", "maybe")
ok(status == 2 and b"--access-log" in err, "--access-log maybe: refused", err)

# ------------------------------------------------------------------ rotation
folder = temp_dir("logs")
os.chmod(folder, 0o777)
path = os.path.join(folder, "log")
files, sizes = [], {}
server = Server(archive, ["--workers", "3", "--heavy-max", "6", "--log", path])
wait_for(lambda: len(server.workers()) == 3, "three workers")


def rotate(send):
    """As logrotate does; returns when lines are in the new file."""
    old = f"{path}.{len(files)}"
    os.rename(path, old)
    files.append(old)
    send()
    wait_for(lambda: content_of(path).count(b"module=access") > 10, "lines in the new file")
    sizes[old] = os.path.getsize(old)


def holders():
    """What the master and the workers have open of the logs."""
    found = set()
    for pid in [server.master] + server.workers():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except FileNotFoundError:
                pass
    return {f for f in found if f.startswith(path)}


def ask():
    a = server.get("/files")
    return a.status, a["x-request-id"]


cuts = [SlowClient(server, BIG) for _ in range(4)]
heads = [c.read_head() for c in cuts]
load = [Background(ask) for _ in range(3)]
for _ in range(4):
    rotate(lambda: os.kill(server.master, signal.SIGUSR1))
ok(True, "USR1 opens the log again")
same(len(server.helpers()), 4, "four cuts are under way")
bodies = [len(c.read_all().body) for c in cuts]
same(bodies, [BIG_BYTES] * 4, "and get all of theirs")
results = [r for b in load for r in b.end()]
bad = [r for r in results if r[0] != 200]
ok(len(results) > 50 and not bad, "under load", (len(results), bad[:5]))
wait_for(lambda: all(h["x-request-id"].encode() in content_of(path) for h in heads), "the lines of the cuts in the newest file")
ok(True, "the cuts end in the newest file")
same({f: os.path.getsize(f) for f in files}, sizes, "nobody wrote to an old file")
found, faults = read_log(b"".join(content_of(f) for f in files + [path]))
same(faults, [], "rotation: every line is whole")
seen = Counter(e["req"].decode() for e in found if e["module"] == b"access")
lost = [i for i in [i for _, i in results] + [h["x-request-id"] for h in heads] if seen[i] != 1]
same(lost, [], f"rotation: of {len(results) + 4} requests each has one line")

old = f"{path}.idle"
os.rename(path, old)
os.kill(server.master, signal.SIGUSR1)
wait_for(lambda: holders() == {path}, "all to let go of the old file")
ok(True, "those that have nothing to say let go of the old file, too")

# What deploy/logrotate does, but for its places, its user and how it says USR1.
logrotate = shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
if logrotate:
    with open(os.path.join(ROOT, "deploy", "logrotate")) as f:
        config = f.read()
    user = pwd.getpwuid(os.stat(path).st_uid).pw_name
    for was, now in (("/var/log/restreamer/restreamer.log", path), ("0640 restreamer adm", f"0640 {user} {grp.getgrgid(os.stat(path).st_gid).gr_name}"),
                     ("systemctl kill --kill-who=main --signal=USR1 restreamer.service", f"kill -USR1 {server.master}")):
        ok(was in config, f"logrotate: {was}")
        config = config.replace(was, now)
    os.chmod(folder, 0o755)
    with open(path + ".conf", "w") as f:
        f.write(config)
    p = subprocess.run([logrotate, "--force", "--state", path + ".state", path + ".conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    same((p.returncode, p.stdout), (0, b""), "logrotate: runs")
    last = server.get("/files")["x-request-id"]
    wait_for(lambda: last.encode() in content_of(path), "a line in the new file")
    ok(b"module=access" in content_of(path + ".1") and last.encode() not in content_of(path + ".1"), "logrotate: the old file is beside it")
    os.chmod(folder, 0o777)
else:
    skip("logrotate: the configuration in deploy", "no logrotate")

# What cannot be opened again is gone on with.
wait_for(lambda: holders() == {path}, "all to have the new file")
old = f"{path}.kept"
os.rename(path, old)
os.mkdir(path)
size = os.path.getsize(old)
os.kill(server.master, signal.SIGUSR1)
wait_for(lambda: b"cannot open the log again" in content_of(old)[size:], "the word of it")
last = [server.get("/files")["x-request-id"] for _ in range(20)]
wait_for(lambda: all(i.encode() in content_of(old)[size:] for i in last), "lines in the old file")
same(content_of(old).count(b"cannot open the log again"), 1, "a log that cannot be opened again: said once, and gone on with")
os.rmdir(path)
os.kill(server.master, signal.SIGUSR1)
wait_for(lambda: os.path.isfile(path), "the log")
last = server.get("/files")["x-request-id"]
wait_for(lambda: last.encode() in content_of(path), "a line in it")
ok(True, "and opened as soon as it can be")
server.stop()

d = Direct(archive, ["--workers", "0", "--log", path + ".alone"])
os.rename(path + ".alone", path + ".moved")
os.kill(d.master, signal.SIGUSR1)
wait_for(lambda: os.path.exists(path + ".alone"), "the log to be opened again")
d.ask("/files", params={"REQUEST_ID": "alone"})
ok(b"req=alone" in content_of(path + ".alone"), "--workers 0: USR1 too")
d.stop()
finish()
