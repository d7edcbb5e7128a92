#!/usr/bin/env python3
"""Three machines over one archive behind one nginx: each knows its hours, any may be lost."""
from harness import *

ensure_built()
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
IP = shutil.which("ip", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
TAG = f"r{os.getpid() % 100000}"
NET = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"


def ip(*words, check=True):
    return subprocess.run([IP, *words], check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


if not NGINX or not IP:
    skip_all("there is no nginx or no ip")
if ip("netns", "add", TAG + "t", check=False).returncode or ip("link", "add", TAG, "type", "bridge", check=False).returncode:
    ip("netns", "del", TAG + "t", check=False)
    skip_all("network namespaces may not be made here")
ip("netns", "del", TAG + "t")
at_end(lambda: ip("link", "del", TAG, check=False))
ip("addr", "add", f"{NET}.1/24", "dev", TAG)
ip("link", "set", TAG, "up")

archive = Archive()
HOURS, QUALITIES = 24, ("source", "720p")
day = T("2024-03-01T00:00:00")
for quality in QUALITIES:
    for h in range(HOURS):
        archive.run("chan", quality, day + timedelta(hours=h), 20, size=3000)
archive.age(2.5)


class Node:
    """A machine of its own: a network namespace, a cache, restreamer."""

    def __init__(self, number):
        self.name, self.host, self.cache = f"{TAG}n{number}", f"{NET}.{10 + number}", temp_dir("cache")
        ip("netns", "add", self.name)
        at_end(lambda: ip("netns", "del", self.name, check=False))
        ip("link", "add", f"{TAG}v{number}", "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", f"{TAG}v{number}", "master", TAG, "up")
        ip("-n", self.name, "addr", "add", f"{self.host}/24", "dev", "eth0")
        ip("-n", self.name, "link", "set", "eth0", "up")
        ip("-n", self.name, "link", "set", "lo", "up")
        self.start()
        at_end(lambda: self.end(signal.SIGTERM))

    def start(self):
        self.log = open(os.path.join(temp_dir("node"), "log"), "wb")
        self.process = subprocess.Popen([IP, "netns", "exec", self.name, PROGRAM, "serve", "--base", archive.path, "--cache", self.cache,
                                         "--listen", f"{self.host}:9000", "--workers", "2"], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        wait_for(self.answers, "a node")

    def answers(self):
        try:
            return fastcgi((self.host, 9000), "/healthz", "GET", None, b"", 5, None, False).status == 200
        except OSError:
            return False

    def metrics(self):
        return Metrics(fastcgi((self.host, 9000), "/metrics", "GET", None, b"", PATIENCE, None, False).text)

    def kill(self):
        for pid in descendants(self.process.pid) + [self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(PATIENCE)

    def end(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)


nodes = [Node(i) for i in range(3)]
run = temp_dir("front")
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
with open(os.path.join(ROOT, "deploy", "nginx-cluster.conf")) as f:
    conf = "".join(l for l in f if not l.startswith("#"))
conf = conf.replace("fastcgi_cache_valid 200 1m", "fastcgi_cache_valid 200 1s")
conf = conf.replace("@RUN@", run).replace("@PORT@", str(port)).replace("@USER@", "user root;" if os.getuid() == 0 else "")
conf = conf.replace("@NODES@", "\n".join(f"server {n.host}:9000 max_fails=1 fail_timeout=2s;" for n in nodes))
with open(os.path.join(run, "nginx.conf"), "w") as f:
    f.write(conf)
front = subprocess.Popen([NGINX, "-p", run, "-c", os.path.join(run, "nginx.conf"), "-e", os.path.join(run, "nginx-error.log")], stdin=subprocess.DEVNULL)
at_end(lambda: (front.terminate(), front.wait(PATIENCE)))


def get(path, headers=None, method="GET"):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        c.request(method, path, headers=headers or {})
        r = c.getresponse()
        return Answer(r.status, r.getheaders(), r.read())
    finally:
        c.close()


def up():
    try:
        return get("/healthz").status == 200
    except OSError:
        return False


wait_for(up, "the front")
ranges = [f"/playlist/chan/{q}.m3u8?start={iso(day + timedelta(hours=h))}&end={iso(day + timedelta(hours=h, seconds=40))}" for q in QUALITIES for h in range(HOURS)]
want = {path: get(path).body for path in ranges}
ok(all(b.count(b"#EXTINF") == 20 for b in want.values()), "every hour has its playlist, whichever node answers")

# ---------------------------------------------------- each hour has one home
FIELDS = ("hits", "mapped", "relisted", "rebuilds")


def tell(what, since=None):
    """Hit rates of all nodes together, and how much each did."""
    now = {n: {f: n.metrics().get(f"restreamer_index_{f}_total") for f in FIELDS} for n in nodes if n.answers()}
    if since is not None:
        done = {n: {f: v[f] - since.get(n, {}).get(f, 0) for f in FIELDS} for n, v in now.items()}
        looked = sum(sum(v.values()) for v in done.values())
        diag(f"{what}: {sum(v['hits'] for v in done.values()) / max(looked, 1):.1%} of {looked:.0f} hours from memory; "
             + ", ".join(f"{n.host}: {sum(v.values()):.0f} looked at, {v['rebuilds']:.0f} built" for n, v in done.items()))
        return now, done
    return now, None


start, _ = tell("at first")
for path in ranges * 4:
    get(path)
warm, done = tell("warm", start)
with open(os.path.join(run, "nginx-access.log")) as f:
    lines = [re.search(r'"GET (/playlist/\S+) HTTP/1.1" 200 \d+ (\S+) - ', l) for l in f]
homes = {}
for m in filter(None, lines):
    homes.setdefault(m[1], set()).add(m[2])
same({len(n) for n in homes.values()}, {1}, "each hour has one node")
shares = [sum(h == {f"{n.host}:9000"} for h in homes.values()) for n in nodes]
ok(len(homes) == len(ranges) and min(shares) >= len(ranges) / 10, "and all nodes have some", shares)
ok(sum(v["rebuilds"] for v in done.values()) == 0, "none is built again", done)

# ------------------------------------------------------------- what is cached
name = sorted(n for n in os.listdir(os.path.join(archive.path, "chan/source/2024-03-01T05")) if n.endswith(".ts"))[3]
path = "/segments/chan/source/2024-03-01T05/" + urllib.parse.quote(name)
data = content([os.path.join(archive.path, "chan/source/2024-03-01T05", name)])
got = [get(path) for _ in range(3)]
same([(a.status, a.body == data, a["x-cache"]) for a in got], [(200, True, "MISS"), (200, True, "HIT"), (200, True, "HIT")], "a segment is fetched once")
same(get(path, {"Range": "bytes=100-199"}).body, data[100:200], "a range of it comes out of the cache")
same(get(path, {"If-None-Match": got[1]["etag"]}).status, 304, "and who has it already is told so")
same((get(path, method="HEAD").status, get(path).body == data), (200, True), "a HEAD does not get into a GET's way")
wait_for(lambda: get(path)["x-cache"] == "REVALIDATED", "it to be asked for again")
ok(get(path).body == data, "later a node is asked whether it is still there")
tomb = os.path.join(archive.path, "chan/source/2024-03-01T05", name[:-3] + ".tombstone")
archive.write(os.path.relpath(tomb, archive.path))
try:
    ok(wait_for(lambda: get(path).status == 404, "the deletion to be seen", 20), "and one that was deleted is gone")
finally:
    os.unlink(tomb)
cut = f"/cut/chan/source.ts?type=rough&start={iso(day)}&end={iso(day + seconds(40))}"
a = get(cut)
same((a.status, get(cut, {"If-None-Match": a["etag"]}).status), (200, 304), "a cut is known by its tag, through the front")
same(get("/files/nowhere").json, [], "what does not exist")


# --------------------------------------------------------------- under load
def ask(turn=[0]):
    turn[0] += 1
    path = ranges[turn[0] * 7 % len(ranges)]
    try:
        a = get(path)
        return a.status == 200 and a.body == want[path] or (path, a.status, a.body[:100])
    except (OSError, http.client.HTTPException) as e:
        return path, repr(e)


def under_load(what, happens, may_fail):
    before, _ = tell("")
    load = [Background(ask) for _ in range(4)]
    wait_for(lambda: sum(len(b.results) for b in load) > 200, "some load")
    happens()
    some = sum(len(b.results) for b in load)
    wait_for(lambda: sum(len(b.results) for b in load) > some + 600, "more of it")
    results = [r for b in load for r in b.end()]
    failed = [r for r in results if r is not True]
    ok(len(failed) <= may_fail, f"{what}: of {len(results)} requests at most {may_fail} fail", failed[:5])
    tell(what, before)


under_load("a node is killed", nodes[0].kill, 4)
under_load("while it is away", lambda: None, 0)
under_load("it comes back", nodes[0].start, 0)
under_load("another is drained", lambda: same(nodes[1].end(signal.SIGQUIT), 0, "it ends well"), 0)
wait_for(lambda: get(ranges[0]).status == 200, "an answer")
same({get(p).body == want[p] for p in ranges}, {True}, "and two nodes tell what three told")
finish()
