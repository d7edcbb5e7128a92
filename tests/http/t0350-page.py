#!/usr/bin/env python3
"""The web page: files of --www and nothing else, with what keeps strangers out."""
import gzip

from harness import *

POLICY = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin"}
SCRIPT = "text/javascript; charset=utf-8"
archive = Archive()
t0 = T("2024-03-01T10:00:00")
archive.run("www", "source", t0, 3)
archive.write("www/chat/2024-03-01T10/00:00-x.json", b'{"command": "PING", "time": 1709287201.0, "time_range": 0.0}\n')
for name in ("a.html", "a.js", "a.css", "a.svg", "a.mjs", "a.txt", "a.webp"):
    archive.write("extras/" + name, b"<script>alert(1)</script>")

# ------------------------------------------------------------------ a page
outside = temp_dir("outside")
with open(os.path.join(outside, "secret"), "w") as f:
    f.write("what nobody sees")
www = temp_dir("www")
TYPES = {"js/app.js": SCRIPT, "js/deep/er.mjs": SCRIPT, "page.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml", "favicon.ico": "image/x-icon",
         "page.webmanifest": "application/manifest+json", "font.woff2": "font/woff2", "lib/hls.LICENSE": "text/plain; charset=utf-8", "picture.png": "image/png",
         "data.json": "application/json", "other.html": "text/html; charset=utf-8", "what.is-this": "application/octet-stream", "no-ending": "application/octet-stream",
         "odd name+&%é.js": SCRIPT, "empty.css": "text/css; charset=utf-8", "chat.json": "application/json"}
INDEX = b"<!DOCTYPE html><title>page</title>" + b"<p>of the test" * 300


def put(path, data, top=None):
    path = os.path.join(top or www, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.rename(path + ".new", path)
    return path


def content_of(name):
    return b"" if name.startswith("empty") else name.encode() * 200


put("index.html", INDEX)
for name in TYPES:
    put(name, content_of(name))
LIMIT = 4 * 2**20
put("limit.js", b"x" * LIMIT)
put("beyond.js", b"x" * (LIMIT + 1))
put(".hidden", b"hidden")
put("js/.git/config", b"hidden")
os.symlink(outside, os.path.join(www, "way-out"))
os.symlink(os.path.join(outside, "secret"), os.path.join(www, "out.js"))
os.symlink("../" * 9 + "etc/passwd", os.path.join(www, "up.js"))
os.symlink("/proc/self", os.path.join(www, "proc"))
os.symlink("loop.js", os.path.join(www, "loop.js"))
os.symlink("nowhere.js", os.path.join(www, "dangling.js"))
os.symlink("js/app.js", os.path.join(www, "within.js"))
os.mkfifo(os.path.join(www, "pipe.js"))
with socket.socket(socket.AF_UNIX) as s:
    s.bind(os.path.join(www, "socket.js"))

server = Server(archive, ["--www", www])


def tag(a):
    return a["etag"].removeprefix("W/")


def check_policy(a, what):
    csp = dict(part.strip().partition(" ")[::2] for part in (a["content-security-policy"] or "").split(";"))
    same({k: csp.get(k) for k in ("default-src", "script-src", "style-src", "connect-src", "worker-src", "frame-ancestors", "base-uri", "form-action")},
         {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'", "worker-src": "'self'", "frame-ancestors": "'self'",
          "base-uri": "'none'", "form-action": "'none'"}, f"{what}: nothing runs or loads but from here")
    ok(not re.search(r"unsafe|\*|https?:", a["content-security-policy"] or ""), f"{what}: without exception", a["content-security-policy"])
    same({k: a[k] for k in POLICY}, POLICY, f"{what}: and what else keeps others out")


a = server.get("/")
same((a.status, a.body, a["content-type"], a["cache-control"], a["vary"]), (200, INDEX, "text/html; charset=utf-8", "no-cache", "Accept-Encoding"), "/ is index.html")
check_policy(a, "/")
same(server.get("/www/index.html").body, INDEX, "and so is /www/index.html")
same(server.get("/?x=1&y=%20").body, INDEX, "/ with arguments of the page's own")
for name, kind in TYPES.items():
    a = server.get("/www/" + urllib.parse.quote(name))
    if name == "chat.json":
        ok(a.status == 400 and "start" in a.text, "/www/chat.json is the chat of the channel www", a)
        continue
    same((a.status, a["content-type"], a.body), (200, kind, content_of(name)), f"{name}: whole, as {kind}")
    same({k: a[k] for k in POLICY}, POLICY, f"{name}: with the policy")
check_policy(server.get("/www/js/app.js"), "a script")
same([m["command"] for m in server.get(f"/www/chat.json?start={iso(t0)}&end={iso(t0 + seconds(9))}").json], ["PING"], "a channel www has its chat")
same(server.get("/playlist/www/source.m3u8").status, 200, "and its playlist")
same(server.get("/www/within.js").body, content_of("js/app.js"), "a link within www is followed")

# ------------------------------------------------------- as all answers are
a = server.get("/")
same(tag(server.get("/")), tag(a), "the ETag stays")
for form in (a["etag"], "W/" + a["etag"], '"x", ' + a["etag"], "*"):
    b = server.get("/", {"If-None-Match": form})
    same((b.status, b.body, b["etag"]), (304, b"", a["etag"]), f"If-None-Match {form}: 304")
    same({k: b[k] for k in POLICY}, POLICY, "which has the policy as well")
same(server.get("/", {"If-None-Match": '"x"'}).status, 200, "another ETag: 200")
z = server.get("/", {"Accept-Encoding": "gzip"})
same((z["content-encoding"], gzip.decompress(z.body)), ("gzip", INDEX), "gzip")
same(server.get("/", {"Accept-Encoding": "gzip", "If-None-Match": z["etag"]}).status, 304, "which has an ETag of its own")
ok(tag(z) != tag(a) and len(z.body) < len(INDEX), "and is smaller")
same(server.get("/www/js/app.js", {"Accept-Encoding": "gzip"})["content-encoding"], "gzip", "scripts are compressed")
same(server.get("/www/picture.png", {"Accept-Encoding": "gzip"})["content-encoding"], None, "pictures are not")
h = server.head("/")
same((h.status, h.body, h["content-length"], h["etag"], h["content-type"]), (200, b"", str(len(INDEX)), a["etag"], a["content-type"]), "HEAD")
p = server.get("/www/js/app.js", {"Range": "bytes=3-7"})
same((p.status, p.body, p["content-range"]), (206, content_of("js/app.js")[3:8], f"bytes 3-7/{len(content_of('js/app.js'))}"), "a range")
same(server.get("/", method="OPTIONS")["allow"], "GET, HEAD, OPTIONS", "OPTIONS")
same((server.get("/", method="POST", body=b"x").status, server.get("/www/js/app.js", method="DELETE").status), (405, 405), "nothing is taken")
put("js/app.js", b"export const changed = 1;\n")
b = server.get("/www/js/app.js", {"If-None-Match": p["etag"]})
same((b.status, b.body), (200, b"export const changed = 1;\n"), "a file that is replaced is another at once")
a = server.get("/www/limit.js")
same((a.status, len(a.body)), (200, LIMIT), "4 MB is sent")
same(server.get("/www/beyond.js").status, 413, "a byte more is not")

# -------------------------------------------------------------- and no more
for path in ("/www", "/www/", "/www/js", "/www/js/", "/www/absent.js", "/www/index.html/", "/www/index.html/x", "/www//index.html", "/index.html", "/js/app.js",
             "/www/way-out", "/www/way-out/secret", "/www/out.js", "/www/up.js", "/www/proc/self/environ", "/www/proc/environ", "/www/loop.js", "/www/dangling.js",
             "/www/pipe.js", "/www/socket.js", "/www/js%2Fapp.js", "/www/" + "x" * 300, "/www/" + "x/" * 60 + "x", "//", "/WWW/index.html"):
    a = server.get(path)
    ok(a.status == 404 and a.text.count("\n") == 1 and "nobody sees" not in a.text and www not in a.text, f"{path[:40]}: 404", a)
for path in ("/www/.hidden", "/www/js/.git/config", "/www/..", "/www/../www/index.html", "/www/%2e%2e/x", "/www/js/..%2f..%2f.hidden", "/www/.%2e/.%2e/etc/passwd"):
    ok(server.get(path).status == 403, f"{path}: 403", server.get(path))
for path in ("/www/a%00b", "/www/index.html%00.js", "/www/%ff%fe", "/www/a%0d%0ab", "/www/%zz"):
    ok(server.raw_get(path).status in (400, 404), f"{path}: refused", server.raw_get(path))
for name in ("html", "js", "css", "svg", "mjs"):
    same(server.get(f"/segments/extras/a.{name}")["content-type"], "application/octet-stream", f"/segments: of the archive no {name} runs where the page is")
same((server.get("/segments/extras/a.txt")["content-type"], server.get("/segments/extras/a.webp")["content-type"]), ("text/plain; charset=utf-8", "image/webp"),
     "/segments: other types are as they are")
m = server.metrics()
ok(m.get("http_request_latency_get_page_count", endpoint="get_page", method="GET", status="200") > 10, "the metrics have get_page")
server.stop()

# ----------------------------------------------------------- another in its place
d = Direct(archive, ["--www", www, "--workers", "2"])
same(d.ask("/").body, INDEX, "without a front server")
before = set(d.workers())
os.rename(www, www + ".old")
at_end(lambda: shutil.rmtree(www + ".old", ignore_errors=True))
a = d.ask("/")
same((a.status, "--www" in a.text), (501, True), "while it is away: 501")
same(d.ask("/www/js/app.js").status, 501, "and for what it is made of")
same(set(d.workers()), before, "nobody is replaced for that")
put("index.html", b"new")
same([d.ask("/").body for _ in range(6)], [b"new"] * 6, "another directory in its place is served at once")
same(d.ask("/www/js/app.js").status, 404, "and nothing of the old one")
d.stop()
shutil.rmtree(www)
os.rename(www + ".old", www)

for what, options, more in (("--www none", ["--www", "none"], {}), ("an absent --www", ["--www", www + "/absent"], {}), ("a --www that is a file", ["--www", www + "/index.html"], {}),
                            ("the environment", [], {"env": {"RESTREAMER_WWW": "none"}})):
    d = Direct(archive, options, **more)
    a = d.ask("/")
    ok(a.status == 501 and re.fullmatch(r"[^\n]*--www DIR[^\n]*\n", a.text), f"{what}: / is a 501 that names the option", a)
    same(d.ask("/www/js/app.js").status, 501, f"{what}: the rest as well")
    same(d.ask("/files").status, 200, f"{what}: all else is answered")
    d.stop()
d = Direct(archive, ["--www", os.path.relpath(www), "--unconfined"])
same(d.ask("/").body, INDEX, "a relative --www")
same([d.ask("/www/" + p).status for p in ("way-out/secret", "out.js", "up.js", "proc/environ", "loop.js", "pipe.js")], [404] * 6, "nothing leads out, confined or not")
d.stop()
if os.getuid() == 0:
    jail = temp_dir("jail")
    shutil.copytree(archive.path, jail + "/archive")
    put("www/index.html", b"in the jail", jail)
    os.makedirs(jail + "/cache")
    d = Direct("/archive", ["--www", "/www", "--chroot", jail, "--user", "nobody", "--cache", "/cache"])
    same((d.ask("/").body, d.ask("/files").json), (b"in the jail", ["extras", "www"]), "--chroot and --user: paths are inside")
    d.stop()
else:
    skip("--chroot and --user: paths are inside", "not root")

# ---------------------------------------------- below a mount, behind all four
for web in WEB_SERVERS:
    server = Server(archive, ["--www", www], web=web)
    a, s = server.get("/"), server.get("/www/lib/hls.LICENSE")
    same((a.status, a.body, s.status, s.body), (200, INDEX, 200, content_of("lib/hls.LICENSE")), f"{web}: the page")
    check_policy(a, web)
    same(server.get("/", {"If-None-Match": a["etag"]}).status, 304, f"{web}: 304")
    z = server.get("/", {"Accept-Encoding": "gzip"})
    same((z["content-encoding"], gzip.decompress(z.body)), ("gzip", INDEX), f"{web}: gzip")
    h = server.head("/")
    same((h.status, h.body, h["etag"]), (200, b"", a["etag"]), f"{web}: HEAD")
    same([server.raw_get(p).status in (400, 403, 404) for p in ("/www/../../etc/passwd", "/www/..%2f..%2fetc%2fpasswd", "/www/way-out/secret", "/www/.hidden")], [True] * 4,
         f"{web}: nothing else")
    server.stop()
    server = Server(archive, ["--www", www, "--prefix", "/archive/of-streams"], web=web)
    for path, to in (("/archive/of-streams", "/archive/of-streams/"), ("/archive/of-streams?start=now&x=%20%22", "/archive/of-streams/?start=now&x=%20%22")):
        a = server.get(path)
        same((a.status, re.sub(r"^http://[^/]*", "", a["location"] or ""), a.body), (308, to, b""), f"{web}: {path} leads behind the slash")
    ok(server.get("/archive/of-streams?" + "x" * 6000).status in (308, 413, 414), f"{web}: a query too long to be said again")
    same(server.head("/archive/of-streams").status, 308, f"{web}: HEAD of it")
    same([server.get("/archive/of-streams" + p).body for p in ("/", "/?x=1", "/www/index.html")], [INDEX] * 3, f"{web}: below a prefix")
    same([server.get(p).status for p in ("/", "/archive", "/archive/", "/archive/of-streamsx", "/www/index.html", "/archive/of-streams//")], [404] * 6, f"{web}: and nowhere else")
    same(server.get("/archive/of-streams", method="POST", body=b"x").status, 405, f"{web}: POST there")
    server.stop()
finish()
