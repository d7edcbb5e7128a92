#!/usr/bin/env python3
"""restreamer ctl: commands to a running server, and where its time goes."""
import contextlib

from harness import *

archive = Archive()
t0 = T("2024-03-01T10:00:00")
archive.run("chan", "source", t0, 100, size=20000)
big = archive.run("big", "source", t0, 40, size=1 << 20)
BIG = f"/cut/big/source.ts?type=rough&start={iso(t0)}&end={iso(t0 + seconds(80))}"
LIST = "/playlist/chan/source.m3u8?start=2024-03-01T10:00:00&end=2024-03-01T10:03:00"
has_video = have_video()
if has_video:
    make_video(archive.path, "vid")
VID = "start=2026-11-07T00:00:00&end=2026-11-07T00:00:20"
FULL = f"/cut/vid/source.ts?type=mpegts&crf=18&{VID}"
server = Server(archive, ["--workers", "3", "--profile", "50"])
CONTROL = os.path.join(server.dir, "control.sock")


def ctl(*words, path=CONTROL, **more):
    """(exit status, what it printed, what it said on standard error)."""
    status, out, said = run_program("ctl", "--socket", path, *words, **more)
    return status, out.decode(), said.decode()


def answer(*words, **more):
    status, out, said = ctl(*words, **more)
    if status:
        ok(False, f"ctl {' '.join(words)}", (status, out, said))
    return out


def status_of(**more):
    return json.loads(answer("status", "--json", **more))


def requests(**more):
    return json.loads(answer("requests", "--json", **more))


def console_pid(master):
    return [p for p in children(master) if name_of(p) == "restreamer-ctl"]


def call(data, path=CONTROL, end=False):
    """Sends bytes as they are; all that comes back."""
    with fcgi_connect(path) as s:
        out = b""
        try:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
        except OSError:         # it may have answered and closed already
            pass
        try:
            while chunk := s.recv(65536):
                out += chunk
        except ConnectionResetError:
            pass
        return out


# ---------------------------------------------------------------- commands
mode = os.stat(CONTROL).st_mode
same(mode & 0o7777, 0o600, "the socket is for its owner alone")
like(answer("help"), r"recycle PID\|all", "help")
same(run_program("ctl", "help")[0], 0, "help without a server")
for words in (["-h"], ["--help"], ["stop", "--help"], ["--socket", "none", "-h"]):
    status, out, said = run_program("ctl", *words)
    ok(status == 0 and out.startswith(b"restreamer ctl --socket PATH COMMAND") and b"recycle PID|all" in out and not said, f"ctl {' '.join(words)}: help", (status, out, said))
status, out, said = run_program("ctl", "help", "status")
ok(status == 0 and out.startswith(b"  status [--json]\n") and b"recycle" not in out, "help of one command", (status, out, said))
for words in (["help", "me"], ["help", "status", "stop"]):
    status, out, said = run_program("ctl", *words)
    ok(status == 2 and out == b"" and b"no command" in said, f"ctl {' '.join(words)}: refused", (status, out, said))
status, out, said = run_program("ctl", "status", "--socket")
ok(status == 2 and b"option '--socket' needs a value" in said, "ctl status --socket", (status, out, said))
same(json.loads(answer("--json", "status"))["workers"], 3, "an option before the command")
same(run_program("ctl", "status", env={"RESTREAMER_SOCKET": CONTROL})[0], 0, "the socket from the environment")
text = answer("status")
like(text, r"^restreamer \d\S*, up [\d.]+ \w+, serving '/\S+', log level info\n3 workers, \d idle; 0 of 32 heavy slots", "status")
same(len(re.findall(r"^worker +\d+ +\d+ +\w+", text, re.M)), 3, "a line for each worker")
s = status_of()
same(sorted(p["pid"] for p in s["processes"]), server.workers(), "the processes that there are")
same((s["master"], s["workers"], s["heavy"], s["log_level"]), (server.master, 3, 0, "info"), "status as JSON")
ok(all(p["resident_bytes"] > 1 << 20 for p in s["processes"]), "with what they take", s)
same(requests(), [], "no request is in flight")
same(answer("requests"), "no requests\n", "and says so")
like(answer("status", "--json"), r'"uptime":\d+\.\d{6},', "seconds have six digits behind the point")
served = sum(p["served"] for p in s["processes"])
same(server.get(LIST).status, 200, "a request")
wait_for(lambda: sum(p["served"] for p in status_of()["processes"]) > served, "it to be counted")
ok(True, "is counted by its worker")
server.get(LIST)
text = answer("index")
like(text, r"hours +\d+ files, [\d.]+ of 2048 MB", "index tells of the cache directory")
counters = server.metrics()
hits = re.search(r"^ +(\d+) +[\d.]+ % from memory$", answer("index"), re.M)
same(int(hits[1]) if hits else None, counters.get("restreamer_index_hits_total"), "and the counters of /metrics")

for words, want in ((["nonsense"], 2), (["status", "x"], 2), (["requests", "--now"], 2), (["stop"], 2), (["stop", "1"], 4), (["stop", "0"], 4), (["stop", "-1"], 4),
                    (["stop", str(server.master)], 4), (["recycle"], 2), (["recycle", str(os.getpid())], 4), (["log-level", "loud"], 2), (["profile"], 2), (["profile", "0"], 2),
                    (["profile", "1", "5000"], 2), (["x" * 2000], None), (["a b"], 2), (["status\n"], 2), (["\x1b[31m"], 2), ([], 2)):
    status, out, said = ctl(*words)
    ok(status == want if want else status != 0, f"ctl {short(words, 60)}: {want}", (status, out, said))
    ok(out == "" and said.count("\n") == 1 and "\x1b" not in said, "one line says why", (out, said))
same(ctl("status", path=os.path.join(server.dir, "none"))[0], 4, "no such socket: 4")
same(run_program("ctl", "status", env={"RESTREAMER_SOCKET": ""})[0], 2, "no socket at all: 2")
same(ctl("status", path="/" + "x" * 200)[0], 2, "a path that is too long: 2")
same(status_of()["workers"], 3, "after all of that it answers")

# ---------------------------------------------------- requests in flight
slow = SlowClient(server, BIG + "&download=slow.ts", "X-Nothing: 1\r\n")
slow.read_head()
row = wait_for(lambda: next((r for r in requests() if r["role"] == "heavy"), None), "the slow cut")
same((row["endpoint"], row["method"], row["client"], row["length"]), ("cut", "GET", "127.0.0.1", len(content(big))), "a request in flight")
ok(row["uri"].startswith("/cut/big/source.ts?"), "with its URI", row)
like(row["id"], r"^[A-Za-z0-9._-]+$", "and its id")
same([row["pid"]], server.helpers(), "and its process")
ok(0 < row["sent"] < row["length"], "and what is sent of it", row)
like(answer("requests"), rf"^id +pid +state .*\n{re.escape(row['id'])} +{row['pid']} heavy +[\d.]+ s cut +GET +127\.0\.0\.1 +\d+ +{row['length']} +[\d.]+  /cut/big/\S+\n$",
     "the same as text, under a heading")
like(answer("status"), rf"heavy +0 +{row['pid']} heavy .* cut +GET +{re.escape(row['id'])} /cut/big", "and in the status")
long = SlowClient(server, "/cut/big/source.ts?type=rough&" + "x=" + "y" * 3000 + "&" + BIG.partition("rough&")[2])
long.read_head()
ok(all(len(r["uri"]) < 300 for r in requests()), "long URIs are cut")
long.close()
same(ctl("recycle", str(row["pid"]))[0], 2, "a heavy process cannot be recycled")
same(ctl("stop", str(row["pid"]))[0], 0, "stop ends it")
a = slow.read_all()
ok(len(a.body) < row["length"], "the client sees a broken answer", len(a.body))
wait_for(lambda: not [r for r in requests() if r["pid"] == row["pid"]], "its slot to be free")
same(ctl("stop", str(row["pid"]))[0], 4, "it is no process of ours any more")
idle = next(p["pid"] for p in status_of()["processes"] if p["state"] == "idle")
same(ctl("stop", str(idle))[0], 2, "a worker without a request is not stopped")
ok(is_alive(idle), "and is there")

# A light request that has not even arrived.
with fcgi_connect(server.socket_path) as s:
    s.sendall(fcgi_request("/files")[:20])
    row = wait_for(lambda: next((r for r in requests() if r["state"] == "reading"), None), "the reader")
    same((row["endpoint"], row["uri"], row["id"]), (None, None, None), "what is still arriving has no name")
    same(ctl("stop", str(row["pid"]))[0], 0, "a worker is stopped in mid-request")
    same(s.recv(100), b"", "its connection ends")
wait_for(lambda: status_of()["workers"] == 3, "another worker")

# --------------------------------------------------------------- log level
same(answer("log-level"), "info\n", "the log level")
answer("log-level", "error")
same(status_of()["log_level"], "error", "is set")
os.kill(server.master, signal.SIGHUP)
before = server.workers()
wait_for(lambda: len(server.workers()) == 3 and not set(before) & set(server.workers()), "new workers")
ok("replacing the workers" not in server.log(), "and followed by the master")
answer("log-level", "info")
os.kill(server.master, signal.SIGHUP)
wait_for(lambda: "replacing the workers" in server.log(), "the line")
like(server.log(), r"level=info .*msg=\"the log level is 'info'\"", "and back; both are in the log")
wait_for(lambda: status_of()["workers"] == 3, "the workers")

# ----------------------------------------------------------------- recycle
load = [Background(lambda: server.get(LIST).status) for _ in range(4)]
for i in range(5):
    before = set(server.workers())
    same(ctl("recycle", "all")[0], 0, "recycle all")
    wait_for(lambda: len(server.workers()) == 3 and not before & set(server.workers()), "other workers")
one = server.workers()[0]
same(ctl("recycle", str(one))[0], 0, "recycle one")
wait_for(lambda: one not in server.workers() and len(server.workers()) == 3, "another worker")
statuses = [s for b in load for s in b.end()]
same(set(statuses), {200}, f"all {len(statuses)} requests meanwhile are answered")

# ------------------------------------------------------------ who may come
def as_nobody(what):
    """Runs a function as another user, in a process of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            said = repr(what())
        except Exception as e:
            said = type(e).__name__
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        said = f.read()
    os.waitpid(pid, 0)
    return said


if os.geteuid() == 0:
    same(as_nobody(lambda: call(b"status\n")), "PermissionError", "another user cannot connect")
    os.chmod(CONTROL, 0o666)
    like(as_nobody(lambda: call(b"status\n")), r"^b'\\x003 .*not for this user\\n'$", "nor is he answered where he can")
    os.chmod(CONTROL, 0o600)
else:
    skip("other users are refused", "only root can be another one")

# ------------------------------------------------------- hostile and silent
rnd = random.Random(1)
for data, end in ((b"\n", False), (b"\0\n", False), (b"status\0x\n", False), (b"x" * 5000, False), (rnd.randbytes(100) + b"\n", False), (rnd.randbytes(100000), True),
                  (b"", True), (b"stat", True), (b"log-level \xff\x1b[2J\n", False), (b"status " * 200 + b"\n", False), (b" " * 1000 + b"\n", False)):
    out = call(data, end=end)
    ok(out == b"" or re.fullmatch(rb"\0[1-9] [ -~]+\n", out), f"{short(data, 40)} is refused in a line", out)
same(call(b"log-level\nstatus\n")[:5], b"info\n", "only the first line is a command")
same(call(b"log-level\n", end=True), b"info\n\x000 \n", "who has no more to say is answered")
same(status_of()["workers"], 3, "after all of that it answers")
results = []


def one_of_many():
    results.append(call(b"status\n"))


crowd = [threading.Thread(target=one_of_many) for _ in range(50)]
for t in crowd:
    t.start()
for t in crowd:
    t.join()
good = [r for r in results if re.search(rb"\x000 \n$", r)]
busy = [r for r in results if re.fullmatch(rb"\x007 .*\n", r)]
same(len(good) + len(busy), 50, "50 at once: each is answered, or told that there are too many")
ok(len(good) >= 8, f"{len(good)} are answered", len(good))
wait_for(lambda: ctl("status")[0] == 0, "room")
silent = [fcgi_connect(CONTROL) for _ in range(20)]
ends = [s.recv(1000) for s in silent]
same(sorted({e[1:2] for e in ends}), [b"2", b"7"], "those that say nothing are told so, and those that are too many")
same(sum(e[1:2] == b"2" for e in ends), 8, "eight are waited for")
for s in silent:
    s.close()
wait_for(lambda: ctl("status")[0] == 0, "room")
ok(True, "then there is room again")

# ------------------------------------------------------ the process is killed
old, = console_pid(server.master)
workers = server.workers()
os.kill(old, signal.SIGKILL)
wait_for(lambda: ctl("status")[0] == 0 and console_pid(server.master) not in ([], [old]), "another one")
same(server.workers(), workers, "it comes back, and nothing else has changed")

# ------------------------------------------------------------------ profile
if has_video:
    def cut():
        return server.ask(FULL, timeout=300)

    first = cut()
    same(first.status, 200, "a whole cut")
    flame = "flamegraph_total"
    began, was = time.monotonic(), server.metrics()
    load = Background(lambda: cut().body == first.body)
    status, folded, said = ctl("profile", "4", "199", timeout=120)
    same(status, 0, "a profile of it")
    like(said, r"\d+ samples at 199 Hz", "says how much it is")
    lines = [line.rpartition(" ") for line in folded.splitlines()]
    total = sum(int(n) for _, _, n in lines)
    ok(total > 50, f"{total} samples in {len(lines)} stacks", said)
    ok(all(re.fullmatch(r"(worker|heavy);[a-z_-]+;[^; ]+(;[^; ]+)*", stack) and int(n) > 0 for stack, _, n in lines), "in the form of folded stacks", folded[:500])
    of_cut = sum(int(n) for stack, _, n in lines if stack.startswith("heavy;cut;"))
    ok(of_cut > total / 2, "most are of the cut", (of_cut, total))
    ok(any("fullcut_stream" in stack for stack, _, _ in lines), "it names our functions", folded[:2000])
    ok(any("libx264" in stack or "avcodec_" in stack for stack, _, _ in lines), "and those of FFmpeg", folded[:2000])
    ok(any(len({stack.split(";")[2] for stack, _, _ in lines}) > 0 and "fullcut_stream" not in stack for stack, _, _ in lines), "and threads that are not ours")
    ok(not any("on_sample" in stack or "backtrace" in stack for stack, _, _ in lines), "but not itself")
    # Two at once: the second is refused, the first goes on.
    def begin_long():
        return subprocess.Popen([PROGRAM, "ctl", "--socket", CONTROL, "profile", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    p = begin_long()
    while ctl("profile", "1")[0] != 7:
        if p.poll() is not None:        # it was the second
            p.communicate()
            p = begin_long()
    ok(True, "of two at a time the second is refused")
    p.terminate()
    p.communicate()
    wait_for(lambda: ctl("profile", "1")[0] == 0, "it to end")
    ok(True, "one whose client leaves is over")
    # What is counted all the time.
    m = wait_for(lambda: (m := server.metrics()).get(flame) and m.get(flame) > (was.get(flame) or 0) + .5 and any("fullcut" in s for s in m.label_values(flame, "stack")) and m,
                 "seconds of functions")
    took = time.monotonic() - began
    same(m.faults, [], "--profile: flamegraph_total without fault")
    ok(m.get(flame) - (was.get(flame) or 0) < 2 * took * os.cpu_count(), "seconds of processors, not disturbed by the console's", (m.get(flame), took))
    same(fell(was, m), [], "and never smaller")
    prof = next(p for p in children(server.master) if name_of(p) == "restreamer-prof")
    os.kill(prof, signal.SIGKILL)
    wait_for(lambda: [p for p in children(server.master) if name_of(p) == "restreamer-prof" and p != prof], "another profiler")
    after = wait_for(lambda: (a := server.metrics()).get(flame) > m.get(flame) + .2 and a, "it to count")
    same(fell(m, after), [], "nor when the profiler was killed")
    same(set(load.end()), {True}, "all cuts meanwhile have the same bytes")
else:
    skip("profiles", "no ffmpeg or numpy")


# -------------------------------------------------------- a storm of signals
class Storm:
    """SIGPROF at every thread of workers and heavy processes, from a process of
    its own, each 2,000 times a second if this machine can do it."""
    NUMBER = {"x86_64": 297, "aarch64": 240}.get(os.uname().machine)

    def __init__(self, master):
        self.read, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        signal.alarm(0)
        _stop = []
        signal.signal(signal.SIGTERM, lambda *_: _stop.append(1))
        libc = ctypes.CDLL(None)
        info = struct.pack("iiiiiiq", signal.SIGPROF, 0, -1, 0, os.getpid(), os.getuid(), 0).ljust(128, b"\0")
        rounds = sent = 0
        began = now = time.monotonic()
        looked = listed = 0
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -15)
        except OSError:
            pass
        while not _stop:
            now = time.monotonic()
            if now > looked + .3:
                processes, looked = workers_of(master) + helpers_of(master), now
            if now > listed + .05:
                targets, listed = self.threads(processes), now
            for pid, tid in targets:
                sent += libc.syscall(self.NUMBER, pid, tid, int(signal.SIGPROF), info) == 0
            rounds += 1
            time.sleep(max(0, began + rounds / 2000 - time.monotonic()))
        os.write(write, json.dumps([rounds / (now - began), sent / (now - began)]).encode())
        os._exit(0)

    @staticmethod
    def threads(processes):
        found = []
        for pid in processes:
            try:
                found += [(pid, int(tid)) for tid in os.listdir(f"/proc/{pid}/task")]
            except OSError:
                pass
        return found

    def end(self):
        """Rounds and signals a second."""
        os.kill(self.pid, signal.SIGTERM)
        with os.fdopen(self.read) as f:
            rates = json.loads(f.read())
        os.waitpid(self.pid, 0)
        return rates


if Storm.NUMBER:
    WHOLE = "/cut/vid/source.ts?type=mpegts&start=2026-11-07T00:00:05.3&end=2026-11-07T00:00:06.7"
    asked = [(LIST, "GET", None), (BIG, "GET", None), ("/files/chan/source/2024-03-01T10", "GET", None),
             ("/generate_videos/chan/source", "POST", b" " * 3000000 + b"{}")]
    if has_video:
        asked += [(f"/cut/vid/source.ts?type=smart&start=2026-11-07T00:00:0{i}.3&end=2026-11-07T00:00:12.7", "GET", None) for i in range(3)]
        asked += [(f"/waveform/vid/source.png?{VID}", "GET", None), (f"/frame/vid/source.png?timestamp=2026-11-07T00:00:05.1", "GET", None), (WHOLE, "GET", None)]
    want = {a: server.ask(a[0], method=a[1], body=a[2]) for a in asked}
    errors = {a: b.status for a, b in want.items() if b.status != 200 and a[1] == "GET"}
    same(errors, {}, "all that is asked in a storm can be answered")
    profile = subprocess.Popen([PROGRAM, "ctl", "--socket", CONTROL, "profile", "600", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    storm = Storm(server.master)
    until, lock, turn = time.monotonic() + 6, threading.Lock(), iter(range(10**9))
    alone, nobody = threading.Lock(), contextlib.nullcontext()

    def in_storm():
        with lock:
            a = asked[next(turn) % len(asked)]
        # Of whole cuts there is only one at a time.
        with alone if a[0] == WHOLE else nobody:
            b = server.ask(a[0], method=a[1], body=a[2], timeout=300)
        return a[0][:40], b.status == want[a].status and b.whole and b.body == want[a].body

    load = [Background(in_storm) for _ in range(3)]
    time.sleep(max(0, until - time.monotonic()))
    results = [r for b in load for r in b.end()]
    rounds, sent = storm.end()
    diag(f"{rounds:.0f} rounds and {sent:.0f} signals a second; {len(results)} requests")
    ok(sent > 1000, "there was a storm", sent)
    same([r for r in results if isinstance(r, Exception) or not r[1]][:5], [], "in a storm of SIGPROF no request fails, and all bytes are the same")
    profile.terminate()
    profile.wait()
else:
    skip("a storm of signals", "the number of a system call is not known here")

# -------------------------------------------------------- a server of its own
path = os.path.join(temp_dir("control"), "sock")
direct = Direct(archive, ["--workers", "2", "--control", path])
same(len(status_of(path=path)["processes"]), 2, "--control: another server, another socket")
second = subprocess.run([PROGRAM, "serve", "--base", archive.path, "--cache", "none", "--listen", "unix:" + path + "2", "--control", path],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
ok(second.returncode == 1 and b"lock" in second.stderr, "a second one does not take it", second)
everyone = [direct.master] + descendants(direct.master)
for pid in everyone:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
direct.process.wait()
ok(os.path.exists(path), "a crash leaves the socket")
same(ctl("status", path=path)[0], 1, "where nobody answers: 1")
direct = Direct(archive, ["--workers", "2", "--control", path])
same(status_of(path=path)["workers"], 2, "the next one takes it over")
alone = Direct(archive, ["--workers", "0", "--control", path + "0", "--profile", "19"])
ok(not os.path.exists(path + "0"), "without a master there is none")
same(alone.ask("/files").status, 200, "and all else is as it was")
alone.stop()

# -------------------------------------------------------------------- drain
with fcgi_connect(direct.address) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    s.sendall(fcgi_request(BIG))
    wait_for(lambda: [r for r in requests(path=path) if r["role"] == "heavy"], "the slow cut")
    drain = subprocess.Popen([PROGRAM, "ctl", "--socket", path, "drain"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    like(drain.stdout.readline(), r"^\d requests? in flight", "drain says what is left")
    wait_for(lambda: not direct.workers(), "the workers to end")
    ok(drain.poll() is None, "and waits")
    same(len(requests(path=path)), 1, "the console answers until the end")
    out, _, ended = fcgi_read(s)
    ok(ended and out.partition(b"\r\n\r\n")[2] == content(big), "the request in flight is answered whole")
out, said = drain.communicate(timeout=PATIENCE)
ok(drain.returncode == 0 and out.endswith(b"all requests have been answered\n"), "drain says when all is over", (drain.returncode, out, said))
same(direct.process.wait(PATIENCE), 0, "and the server has ended")
ok(not os.path.exists(path), "its socket is gone")
wait_for(lambda: not [p for p in everyone if is_alive(p)], "all processes to end")
direct = Direct(archive, ["--workers", "2", "--control", path])
same(ctl("drain", "--now", path=path)[0], 0, "drain --now does not wait")
same(direct.process.wait(PATIENCE), 0, "and drains")
finish()
