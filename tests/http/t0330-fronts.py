#!/usr/bin/env python3
"""Four web servers in front, one answer: what nginx's client gets, all get."""
from onvideo import *

WORDS = ("content-type", "etag", "cache-control", "content-range", "content-length", "accept-ranges", "x-holes", "x-holes-duration", "vary", "allow",
         "retry-after", "content-disposition", "content-encoding", "access-control-allow-origin", "access-control-expose-headers")
channel = "bf2"
# Others may be made beside it at the same time, and lists are compared.
base = temp_dir("base")
shutil.copytree(os.path.join(cut_archives(channel), channel), os.path.join(base, channel))
big = Archive(base)
t0 = T("2024-03-01T10:00:00")
big.run("big", "source", t0, 30, size=1 << 20)
big.run("odd name+&%\u00e9", "so{u}rce", t0, 3)
hours = sorted(os.listdir(os.path.join(base, channel, "source")))
first = sorted(n for n in os.listdir(os.path.join(base, channel, "source", hours[0])) if n.endswith(".ts"))
began = T(f"{hours[0]}:{first[0].split('-')[0]}")
BIG = f"/cut/big/source.ts?start={iso(t0)}&end={iso(t0 + seconds(60))}"
SMART = f"/cut/{channel}/source.ts?type=smart&start={iso(began + seconds(1.3))}&end={iso(began + seconds(6.7))}"
SHORT = f"/cut/{channel}/source.ts?start={iso(began + seconds(.5))}&end={iso(began + seconds(1.5))}"
LONG = f"/cut/{channel}/source.ts?type=mpegts&allow_holes=true&start={iso(began)}&end={iso(began + seconds(40))}"
FRAME = f"timestamp={iso(began + seconds(2.1))}"
ODD = urllib.parse.quote("odd name+&%\u00e9")
segment = f"/segments/{channel}/source/{hours[0]}/{urllib.parse.quote(first[0])}"
with open(os.path.join(base, channel, "source", hours[0], first[0]), "rb") as f:
    segment_bytes = f.read()


def png(megabytes):
    """A PNG of so much that does not compress."""
    import io
    from PIL import Image
    side = int((megabytes * 2**20 / 4) ** .5)
    out = io.BytesIO()
    Image.frombytes("RGBA", (side, side), random.Random(3).randbytes(side * side * 4)).save(out, "PNG", compress_level=0)
    return out.getvalue()


# (what it is, function of a server that asks)
def simple(path, **more):
    return lambda s: s.get(s.mount + path, **more)


large = png(5)
questions = {
    "the list": simple("/files"),
    "HEAD": simple("/files", method="HEAD"),
    "OPTIONS": simple("/files", method="OPTIONS"),
    "DELETE": simple("/files", method="DELETE"),
    "no such URL": simple("/nowhere"),
    "no such channel": simple("/playlist/nowhere/source.m3u8"),
    "a bad time": simple("/playlist/big/source.m3u8?start=x"),
    "a hidden name": simple("/files/.x"),
    "an encoded hidden name": simple("/files/%2Ex"),
    "an encoded slash": simple("/files/big%2Fsource"),
    "one encoded twice": simple("/files/big%252Fsource"),
    "double slashes": simple("/files//big"),
    "odd names": simple(f"/files/{ODD}"),
    "odd names in a playlist": simple(f"/playlist/{ODD}/so%7Bu%7Drce.m3u8?start=2024-03-01T10&end=2024-03-01T11"),
    "a query of 6 kB": simple("/files?x=" + "y" * 6000),
    "one of 9 kB": simple("/files?x=" + "y" * 9000),
    "If-None-Match": lambda s: s.get(s.mount + "/files", {"If-None-Match": s.get(s.mount + "/files")["etag"]}),
    "gzip": simple(f"/playlist/{channel}/source.m3u8", headers={"Accept-Encoding": "gzip"}),
    "a master playlist": simple(f"/playlist/{channel}.m3u8?start={iso(began)}&end={iso(began + seconds(9))}"),
    "a rough cut": simple(BIG + "&type=rough"),
    "HEAD of a rough cut": simple(BIG + "&type=rough", method="HEAD"),
    "a range of it": simple(BIG + "&type=rough", headers={"Range": "bytes=10000000-20000000"}),
    "a range beyond it": simple(BIG + "&type=rough", headers={"Range": "bytes=99999999999-"}),
    "holes": simple(BIG.replace("2024", "2020") + "&type=rough"),
    "a smart cut": simple(SMART),
    "HEAD of a smart cut": simple(SMART, method="HEAD"),
    "its end": simple(SMART, headers={"Range": "bytes=-5000"}),
    "a segment": simple(segment),
    "a range of a segment": simple(segment, headers={"Range": "bytes=188-375"}),
    "a deleted or absent segment": simple(segment + "x"),
    "a frame": simple(f"/frame/{channel}/source.png?{FRAME}&height=90"),
    "POST of 5 MB": simple(f"/thumbnail/{channel}/source.png?{FRAME}&crop=0,0,64,64&location=0,0,64,64", method="POST", body=large),
    "POST of 200 kB that is no picture": simple(f"/thumbnail/{channel}/source.png?{FRAME}&crop=0,0,64,64&location=0,0,64,64", method="POST", body=b"x" * 200000),
    "POST where none is taken": simple("/files", method="POST", body=b"x" * 300000),
}
# What servers that send a file themselves add or leave out, and of an error
# what they say themselves.
FREE = {"a segment": ("etag", "cache-control", "content-type", "access-control-expose-headers", "accept-ranges", "vary"),
        "a range of a segment": ("etag", "cache-control", "content-type", "access-control-expose-headers", "accept-ranges", "vary")}
# What http.client would not send, and what may come of it: some servers refuse
# by themselves what restreamer would.
RAW = {"an absolute URI": ("http://xMOUNT/files", {200}), "bad percent-encoding": ("MOUNT/files/%zz", {400}),
       "an encoded NUL": ("MOUNT/files/%00", {400, 404}), "an encoded line feed": ("MOUNT/files/a%0ab", {400}),
       "bad UTF-8": ("MOUNT/files/%ff%fe", {400}), "above the root": ("/../../etc/passwd", {400, 403, 404}),
       "above the root, encoded": ("MOUNT/files/..%2f..%2f..%2fetc%2fpasswd", {403})}


def gist(name, a, mount):
    """What must be the same everywhere."""
    words = {k: v for k, v in a.headers.items() if k in WORDS and k not in FREE.get(name, ())}
    if "content-type" in words:     # Apache writes it in small letters
        words["content-type"] = words["content-type"].lower()
    body = a.body.replace(mount.encode() + b"/", b"/") if mount and b"#EXTM3U" in a.body[:20] else a.body
    # An error's length, and that of a HEAD, may be left out or in.
    if a.status in (204, 304) or not a.body:
        words.pop("content-length", None)
    if mount:
        for k in ("etag", "content-length"):
            words.pop(k, None)
    return a.status, words, len(body), hashlib.sha256(body).hexdigest(), a.whole


def killed(server, path, text):
    """A worker dies in mid-answer: nobody takes what came for the whole."""
    client = SlowClient(server, server.mount + path)
    head = client.read_head()
    if head.status != 200:
        return ok(False, f"{text}: it began", head)
    victims = server.helpers() or server.workers()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    a = client.read_all()
    client.close()
    length = a["content-length"]
    if length is not None:
        return ok(len(a.body) < int(length), f"{text}: fewer bytes come than were said", (len(a.body), length, len(victims)))
    return ok(a["transfer-encoding"] == "chunked" and not a.body.endswith(b"0\r\n\r\n"),
              f"{text}: the end of the chunks does not come", (a.headers, a.body[-40:]))


reference = {}
for web in WEB_SERVERS:
    for mount in ("", "/archive/of streams".replace(" ", "-")):
        server = Server(base, ["--prefix", mount] if mount else [], web=web)
        server.mount = mount
        for name, ask in questions.items():
            got = gist(name, wait_for(lambda: (a := ask(server)).status != 503 and a, "a slot"), mount)
            want = reference.setdefault((name, bool(mount)), got)
            same(got, want, f"{web}{mount}: {name}: as of nginx")
        for name, (target, statuses) in RAW.items():
            a = server.raw_get(target.replace("MOUNT", mount))
            ok(a.status in statuses, f"{web}{mount}: {name}: one of {statuses}", a)
            ok(a.status < 400 or b"<" not in a.body and a.body.count(b"\n") == 1 and a["access-control-allow-origin"] == "*",
               f"{web}{mount}: {name}: a line of text if it is an error", a)
        if mount:
            server.stop()
            continue
        same(gist("a segment", server.get(segment), "")[3], hashlib.sha256(segment_bytes).hexdigest(), f"{web}: a segment is the file")
        same(server.get("/files", method="POST", body=b"x" * (21 << 20)).status, 413, f"{web}: a body of 21 MB: 413")
        # A download that was broken off goes on.
        target = os.path.join(temp_dir("resume"), "cut.ts")
        whole = server.ask(SMART).body
        with open(target, "wb") as f:
            f.write(whole[:len(whole) // 3])
        p = subprocess.run(["curl", "-sS", "-C", "-", "-o", target, f"http://127.0.0.1:{server.port}{SMART}"], timeout=PATIENCE)
        with open(target, "rb") as f:
            ok(p.returncode == 0 and f.read() == whole, f"{web}: curl -C - resumes a smart cut", p.returncode)
        # Whatever has no length elsewhere.
        for kind in ("mpegts", "webm"):
            a = server.ask(f"{SHORT}&type={kind}")
            ok(a.status == 200 and a.whole and len(a.body) > 1000, f"{web}: type={kind} comes whole", (a.status, len(a.body)))
        a = server.ask(f"{SMART}&stream=true")
        ok(a.status == 200 and a.whole and a.body == whole, f"{web}: stream=true has the same bytes", (a.status, len(a.body), len(whole)))
        a = server.ask(f"/cut/{channel}/source.mkv?start={iso(began)}&end={iso(began + seconds(4))}")
        ok(a.status == 200 and a.whole and a.body[:4] == b"\x1aE\xdf\xa3", f"{web}: .mkv comes whole", (a.status, len(a.body)))
        killed(server, BIG + "&type=rough", f"{web}: a worker dies in a cut with a length")
        wait_for(lambda: server.get("/files").status == 200, "answers after the kill")
        killed(server, LONG, f"{web}: in one without")
        wait_for(lambda: server.get("/files").status == 200, "answers after the kill")
        # One stream after the other, more than there are workers.
        clients = [SlowClient(server, BIG + "&type=rough") for _ in range(6)]
        same({c.read_head().status for c in clients}, {200}, f"{web}: six slow cuts begin")
        same(server.get("/files").status, 200, f"{web}: and a list is answered beside them")
        for c in clients:
            c.close()
        server.stop()
finish()
