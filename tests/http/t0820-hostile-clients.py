#!/usr/bin/env python3
"""Whoever speaks to the socket, and whatever they say: the next is answered.

These speak FastCGI themselves, as a broken web server would, or one that is
not a web server at all.
"""
from harness import *

import collections
import resource

archive = Archive()
start = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", start, 30, size=200000)
whole = content(paths)
CUT = ("/cut/chan/source.ts?type=rough&start=2024-03-01T10:00"
       "&end=2024-03-01T10:01")
PLAYLIST = ("/playlist/chan/source.m3u8?start=2024-03-01T10:00"
            "&end=2024-03-01T10:01")
random_ = random.Random(5)

server = Direct(archive, ["--workers", "3", "--heavy-max", "4",
                          "--read-timeout", "2", "--light-timeout", "4"])
request = fcgi_request("/files", "GET", {"RANGE": "bytes=0-1"})
ABORT = fcgi_record(2)


def speak(data, timeout=1.0):
    """Sends bytes, half-closes, and takes what comes."""
    s = fcgi_connect(server.address, timeout)
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while s.recv(65536):
            pass
    except OSError:
        pass
    s.close()


def is_well(what, workers):
    same((server.ask("/files").json, server.workers()), (["chan"], workers),
         f"{what}: the next is answered, and no worker died")


def slots():
    return Metrics(server.ask("/metrics").text).get(
        "restreamer_heavy_slots_used")


def slow_cut():
    s = fcgi_connect(server.address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(fcgi_request(CUT))
    return s


# --------------------------------------------------------------- half and bad

workers = wait_for(lambda: len(server.workers()) == 3 and server.workers(),
                   "all workers")
for i in range(50):
    speak(b"")
is_well("nothing", workers)
for i in range(100):
    speak(random_.randbytes(random_.randrange(1, 200)))
is_well("noise", workers)
for n in range(len(request)):
    speak(request[:n])
is_well("a request that ends anywhere", workers)
for at in (0, 16, len(request) - 16, len(request) - 8, len(request)):
    speak(request[:at] + ABORT + request[at:])
is_well("ABORT_REQUEST anywhere", workers)
# Not in the bytes that say how long a name or a value is: libfcgi ends the
# process when those are absurd.
data = request.index(b"REQUEST_METHOD") + 14
for i in range(200):
    broken = bytearray(request)
    at = random_.choice([*range(16), data, data + 1, data + 2])
    broken[at] = random_.randrange(256)
    speak(bytes(broken), 0.3)
is_well("a byte changed in a header", workers)

# ---------------------------------------------------------------- much of it

a = server.ask("/files", params={f"X{i}": "y" * 1000 for i in range(3000)})
same(a.json, ["chan"], "three megabytes of parameters")
same(server.ask("/files?" + "a" * 100000).status, 413, "a query of 100 kB")
same(server.ask("/" + "a/" * 4000).status, 404, "a path of 4000 parts")

# -------------------------------------------------------------------- bodies

for method, target, size, length, want in (
        ("POST", "/files", 100000, "5", 405),
        ("POST", "/nope", 3000000, None, 404),
        ("GET", "/files", 100, "100000", 200),
        ("GET", "/files", 0, "99999", 200),
        ("GET", "/files", 0, "-1", 200),
        ("GET", "/files", 0, "junk", 200),
        ("OPTIONS", "/files", 100000, None, 204),
        ("PUT", "/.x", 70000, None, 403)):
    a = server.ask(target, method, None, b"x" * size,
                   params={"CONTENT_LENGTH": length} if length else None)
    same((a.status, a.whole), (want, True),
         f"{method} {target} with {size} bytes that are said to be {length}")
is_well("bodies", workers)

# ---------------------------------------------------- those who say no more

silent = [fcgi_connect(server.address) for _ in workers]
for s in silent:
    s.sendall(request[:20])
same(server.ask("/files", timeout=20).status, 200,
     "as many silent ones as workers: after the timeout the next is answered")
for s in silent:
    s.close()
wait_for(lambda: len(server.workers()) == 3, "all workers")

# ------------------------------------------------------- those who leave, or
#                                                         take nothing

for i in range(40):
    s = slow_cut()
    s.recv(random_.randrange(1, 100000))
    s.close()
wait_for(lambda: slots() == 0, "places to become free")
same(server.ask(CUT).body == whole, True, "40 left in the midst of a cut")
held = [slow_cut() for _ in range(8)]
wait_for(lambda: slots() == 4, "all places to be taken")
a = server.ask(CUT)
same((a.status, a["retry-after"]), (503, "5"),
     "when all places are taken by those who take nothing: 503")
same(server.ask(PLAYLIST).status, 200, "and light requests are answered")
for s in held:
    s.close()
wait_for(lambda: slots() == 0, "places to become free")

# ------------------------------------------------------------ and are killed

for what, victims in (
        ("heavy processes", lambda: [h for w in server.workers()
                                     for h in children(w)]),
        ("workers", server.workers)):
    held = [slow_cut() for _ in range(4)]
    wait_for(lambda: slots() == 4, "all places to be taken")
    for pid in victims():
        os.kill(pid, signal.SIGKILL)
    if what == "workers":
        wait_for(lambda: len(server.workers()) == 3, "all workers")
        same(slots(), 4, "cuts go on when their workers are killed")
        bodies = [fcgi_read(s) for s in held]
        same({(out.partition(b"\r\n\r\n")[2] == whole, ended)
              for out, _, ended in bodies}, {(True, True)}, "to the end")
    else:
        same({fcgi_read(s)[2] for s in held}, {False},
             "a killed cut does not look complete")
    for s in held:
        s.close()
    wait_for(lambda: slots() == 0, f"the places of killed {what}")
wait_for(lambda: len(server.workers()) == 3, "all workers")


# ----------------------------------------------------- signals, while busy

def busy(target, count, storm):
    """Statuses of requests made during a storm of signals."""
    running = [Background(lambda: target.ask(PLAYLIST).status)
               for _ in range(count)]
    storm()
    return collections.Counter(
        repr(r) for b in running for r in b.end())


def storm_of(pids, numbers):
    def storm():
        until = time.monotonic() + 3
        while time.monotonic() < until:
            for pid in pids():
                for number in numbers:
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
            time.sleep(0.0005)
    return storm


seen = busy(server, 4, storm_of(server.workers, (
    signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2)))
same(set(seen), {"200"}, "a storm of signals at busy workers fails nobody")
alone = Direct(archive, ["--workers", "0"])
seen = busy(alone, 4, storm_of(lambda: [alone.master], (
    signal.SIGCHLD, signal.SIGUSR1)))
same(set(seen), {"200"}, "nor at one without a master")
same(alone.ask(CUT).body == whole, True, "which also cuts")
same(alone.stop(), 0, "and stops when told to")
health = Background(lambda: server.ask("/healthz").status)
busy(server, 8, lambda: time.sleep(1))
same(set(health.end()), {200}, "a server that is busy is well")

# ------------------------------------------------------ nothing left to open

one = Direct(archive, ["--workers", "1"])
worker = wait_for(one.workers, "the worker")[0]
limit = resource.prlimit(worker, resource.RLIMIT_NOFILE)
resource.prlimit(worker, resource.RLIMIT_NOFILE, (3, limit[1]))
waiting = Background(lambda: one.ask("/files").json)
wait_for(lambda: one.log().count("cannot accept a request") >= 2,
         "two attempts to accept")
ok(one.log().count("cannot accept a request") < 5,
   "without descriptors a worker waits, and says so", one.log()[-1000:])
resource.prlimit(worker, resource.RLIMIT_NOFILE, limit)
wait_for(lambda: waiting.results, "the answer")
same((waiting.end()[0], one.workers()), (["chan"], [worker]),
     "and answers when there are some again")

# ------------------------------------------- a master killed, and the next

held = slow_cut()
held.recv(100)
workers = server.workers()
heavy = [h for w in workers for h in children(w)]
os.kill(server.master, signal.SIGKILL)
server.process.wait()
wait_for(lambda: not any(map(is_alive, workers)), "the workers to end")
ok(heavy and all(map(is_alive, heavy)), "a heavy process outlives its master")
following = Direct(archive, ["--workers", "2"],
                   listen=["--listen", "unix:" + server.address], ready=False)
following.address = server.address
following.wait_ready()
same(following.ask("/files").json, ["chan"],
     "and the next master begins beside it")
held.close()

# --------------------------------------------------- what is not a socket

path = os.path.join(temp_dir(), "file")
with open(path, "w") as f:
    f.write("precious")
status, _, _ = run_program("serve", "--base", archive.path,
                           "--listen", "unix:" + path)
with open(path) as f:
    same((status != 0, f.read()), (True, "precious"),
         "a file where the socket should be is not replaced")
finish()
