#!/usr/bin/env python3
"""/thumbnail: the picture of a moment under a template, to the byte as Pillow
composes it; templates of any kind, and what is none.

Environment:  CUT_ARCHIVES    a directory that keeps the archives between runs
              THUMB_COUNT     how many random compositions (100)
              THUMB_SEED      of these (1)
"""
import concurrent.futures
import io
import os
import random
import sys
import zlib

from onvideo import *  # noqa: E402
try:
    from PIL import Image  # noqa: E402
except ImportError:
    skip_all("no Pillow to compare with")

from cuttruth import channel_of  # noqa: E402
from postgres import Postgres, find_programs  # noqa: E402

base = cut_archives("bf2", "hole")
seed = int(os.environ.get("THUMB_SEED", "1"))
rnd, noise = random.Random(seed), np.random.RandomState(seed)
store = temp_dir("templates")
server = Server(base, ["--templates", store])
nowhere = Server(base)          # without templates
bf2, hole = channel_of(base, "bf2"), channel_of(base, "hole")
MOMENT = bf2.iso("3.1")


def url(crop=None, location=None, template=None, path="bf2/source", moment=MOMENT):
    more = [(n, ",".join(map(str, v)) if isinstance(v, (tuple, list)) else v) for n, v in (("timestamp", moment), ("crop", crop), ("location", location), ("template", template))]
    return f"/thumbnail/{path}.png?" + urllib.parse.urlencode([(n, v) for n, v in more if v is not None])


def ask(path, headers=None, to=server, **more):
    return to.ask(path, headers, **more)


def post(body, crop=(0, 0, 320, 180), location=(0, 0, 320, 180), **more):
    to = more.pop("to", server)
    return ask(url(crop, location, **more), method="POST", body=body, to=to)


def picture(data):
    return Image.open(io.BytesIO(data))


def encoded(image, kind="PNG", **more):
    f = io.BytesIO()
    image.save(f, kind, **more)
    return f.getvalue()


def composed(frame, crop, location, template):
    part = frame.crop(crop).resize((location[2] - location[0], location[3] - location[1]), Image.LANCZOS)
    canvas = Image.new("RGBA", template.size)
    canvas.paste(part, location)
    canvas.alpha_composite(template.convert("RGBA"))
    return canvas


def off(a, want):
    """The largest difference from what is wanted, or why there is no picture."""
    if a.status != 200:
        return a.text
    got, want = np.array(picture(a.body)).astype(int), np.array(want)
    return int(np.abs(got - want).max()) if got.shape == want.shape else (got.shape, want.shape)


def noisy(width, height):
    pixels = noise.randint(0, 256, (height, width, 4)).astype(np.uint8)
    pixels[..., 3] = np.where(noise.randint(0, 3, (height, width)) == 0, rnd.choice((0, 255)), pixels[..., 3])
    return Image.fromarray(pixels)


frame = picture(ask(f"/frame/bf2/source.png?timestamp={MOMENT}").body)
W, H = frame.size

# ------------------------------------------------------------------ as Pillow does
def interval(size):
    start = rnd.randint(-size // 2 - 2, size + 1)
    return start, start + rnd.choice((rnd.randint(1, 5), rnd.randint(1, size * 3 // 2 + 2), size))


def boxed(width, height):
    (left, right), (top, bottom) = interval(width), interval(height)
    return left, top, right, bottom


wrong = []
count = int(os.environ.get("THUMB_COUNT", "100"))
for nth in range(count):
    template = noisy(rnd.choice((rnd.randint(1, 9), rnd.randint(1, 400))), rnd.choice((rnd.randint(1, 9), rnd.randint(1, 300))))
    crop = (0, 0, W, H) if nth % 5 == 0 else boxed(W, H)
    location = boxed(*template.size)
    if nth % 7 == 0:
        location = (location[0], location[1], location[0] + crop[2] - crop[0], location[1] + crop[3] - crop[1])
    difference = off(post(encoded(template), crop, location), composed(frame, crop, location, template))
    if difference:
        wrong.append((template.size, crop, location, difference))
ok(not wrong, f"{count} random compositions are Pillow's to the byte", wrong)
for crop, location, size in (((0, 0, W, H), (0, 0, 1280, 720), (1280, 720)), ((10, 10, 11, 11), (-4000, -4000, 4192, 4192), (64, 64)), ((-4096, -4096, 4096, 4096), (0, 0, 64, 64), (64, 64))):
    began = time.monotonic()
    a = post(encoded(Image.new("RGBA", size, (9, 8, 7, 100))), crop, location)
    ok(a.status == 200 and picture(a.body).size == size and time.monotonic() - began < 5, f"{crop} to {location} is quick", time.monotonic() - began)

# ------------------------------------------------------------------ templates of any kind
def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, colour, rows, *chunks, interlaced=0):
    return b"".join((b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))


def random_png(depth, colour, interlaced):
    """Of a mode; filters of all kinds."""
    width, height = rnd.randint(1, 40), rnd.randint(1, 40)
    samples, chunks, rows = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour], [], b""
    for left, top, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)) if interlaced else ((0, 0, 1, 1),):
        size = (len(range(left, width, dx)) * samples * depth + 7) // 8
        rows += b"".join(bytes([rnd.randrange(5)]) + rnd.randbytes(size) for _ in range(top, height, dy) if size)
    if colour == 3:
        chunks = [chunk(b"PLTE", rnd.randbytes(3 << depth)), chunk(b"tRNS", rnd.randbytes(rnd.randint(1, 1 << depth)))]
    # A clear colour of few bits, or of 16, is where Pillow errs.
    elif (depth, colour) == (8, 0):
        chunks = [chunk(b"tRNS", struct.pack(">H", rnd.randrange(256)))]
    elif (depth, colour) == (8, 2):
        chunks = [chunk(b"tRNS", struct.pack(">3H", *rows[1:4]))]
    return png(width, height, depth, colour, rows, *chunks, interlaced=interlaced)


def as_rgba(image):
    """Pillow clips grey of 16 bits; we take the high byte, as it does of colours."""
    if image.mode == "I":
        image = Image.fromarray((np.array(image) >> 8).astype(np.uint8))
    return image.convert("RGBA")


FULL = (0, 0, W, H)
wrong = []
modes = [(d, c) for c, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))) for d in depths]
for depth, colour in modes:
    for interlaced in (0, 1):
        data = random_png(depth, colour, interlaced)
        difference = off(post(data, FULL, (0, 0, 20, 30)), composed(frame, FULL, (0, 0, 20, 30), as_rgba(picture(data))))
        if difference:
            wrong.append((depth, colour, interlaced, difference))
ok(not wrong, f"PNG of {len(modes)} modes, as they are and interlaced", wrong)
art = noisy(60, 50)
for mode, limit in (("RGB", 0), ("L", 0), ("CMYK", 1)):
    for progressive in (False, True):
        data = encoded(art.convert("RGB").convert(mode), "JPEG", progressive=progressive)
        difference = off(post(data, FULL, (0, 0, 9, 9)), composed(frame, FULL, (0, 0, 9, 9), picture(data)))
        ok(isinstance(difference, int) and difference <= limit, f"JPEG {mode}{', progressive' * progressive}", difference)
data = encoded(art)
same(off(post(data + b"what is behind" * 99, FULL, (0, 0, 9, 9)), composed(frame, FULL, (0, 0, 9, 9), art)), 0, "what follows a PNG does not matter")
large = noisy(1400, 900)
data = encoded(large, compress_level=0)
ok(len(data) > 5000000, "a template of 5 MB", len(data))
same(off(post(data, FULL, (0, 0, 1400, 900)), composed(frame, FULL, (0, 0, 1400, 900), large)), 0, "is taken")

# ------------------------------------------------------------------ what is none
def refused(body, pattern, what, status=400, **more):
    began = time.monotonic()
    a = post(body, **more)
    took = time.monotonic() - began
    same((a.status, a.body.count(b"\n")), (status, 1), f"{what}: {status} and a line")
    like(a.text, pattern, "that says why")
    ok(took < 2, "soon", took)


small = encoded(art)
jpeg = encoded(art.convert("RGB"), "JPEG")
refused(b"", "no template", "no body")
refused(b"garbage", "neither PNG nor JPEG", "garbage")
refused(encoded(art.convert("P"), "GIF"), "neither PNG nor JPEG", "a GIF")
refused(encoded(art.convert("RGB"), "BMP"), "neither PNG nor JPEG", "a BMP")
refused(encoded(art, save_all=True, append_images=[noisy(60, 50)]), "animated", "an animated PNG")
for data, name in ((small, "PNG"), (jpeg, "JPEG")):
    for size in (len(data) - 1, len(data) // 2, 30):
        refused(data[:size], f"{name} (is cut off|has too little)", f"a {name} cut off at {size}")
refused(small[:200] + bytes([small[200] ^ 1]) + small[201:], "checksum", "a changed byte")
refused(png(30000, 30000, 8, 6, bytes(100 * 1000 * 1000)), "30000x30000 pixels; at most 4096", "a bomb that says so")
refused(png(4096, 1, 8, 6, bytes(1)), "too little", "less than it says")
packer = zlib.compressobj(9)
begin, again = (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
bomb = b"".join((b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 6, 0, 0, 0)), chunk(b"IDAT", begin + again * 3000), chunk(b"IEND", b"")))
diag(f"3 GB in {len(bomb)} bytes")
refused(bomb, "too much", "a bomb that does not")
a = post(bytes(21 * 1024 * 1024))
same((a.status, a.body.count(b"\n"), a["content-type"], a["access-control-allow-origin"]), (413, 1, "text/plain; charset=utf-8", "*"), "more than --max-body-mb")
header = jpeg.index(b"\xff\xc0")
refused(jpeg[:header + 5] + b"\xff\xff\xff\xff" + jpeg[header + 9:], "65535x65535 pixels", "a large JPEG")
wrong = []
for nth in range(60):
    data = bytearray(jpeg)
    for _ in range(rnd.randint(1, 20)):
        data[rnd.randrange(2, len(data))] = rnd.randrange(256)
    a = post(bytes(data), FULL, (0, 0, 9, 9))
    if a.status not in (200, 400) or (a.status == 400 and a.body.count(b"\n") != 1):
        wrong.append((a.status, a.text[:100]))
ok(not wrong, "damaged JPEG: a picture or a line", wrong)

# ------------------------------------------------------------------ wrong arguments
for query, pattern in (({"crop": None}, "crop: is required"), ({"location": None}, "location: is required"), ({"moment": None}, "timestamp: is required"), ({"moment": "x"}, "timestamp: "),
                       ({"crop": ""}, "crop: .*LEFT,TOP,RIGHT,BOTTOM"), ({"crop": "1,2,3"}, "crop: "), ({"crop": "a,b,c,d"}, "crop: "), ({"location": "0,0,1e3,5"}, "location: "),
                       ({"crop": "100,100,50,50"}, "crop: .*no inside"), ({"location": "10,10,10,20"}, "location: .*no inside"), ({"location": "0,0,9000,1"}, "location: .*at most 8192"),
                       ({"crop": "0,0,99999999999,1"}, "crop: ")):
    refused(small, "^" + pattern, str(query), **query)
refused(small, "crop: ", "arguments go before the archive", crop="x", path="nope/source")
refused(b"garbage", "neither", "and so does the template", path="nope/source")
refused(small, "", "no such channel", status=404, path="nope/source")
refused(small, "contains holes", "in a hole", status=406, path="hole/source", moment=hole.iso("10"))
for method in ("PUT", "DELETE"):
    a = ask(url(FULL, FULL), method=method)
    same((a.status, a["allow"]), (405, "GET, HEAD, POST, OPTIONS"), method)

# ------------------------------------------------------------------ templates by name
def put_template(name, data, crop, location):
    for ending, content_ in (("png", data), ("json", json.dumps({"crop": crop, "location": location}).encode())):
        with open(os.path.join(store, f"{name}.{ending}"), "wb") as f:
            f.write(content_)


own = (5, 6, 105, 90), (3, 2, 50, 40)
put_template("some template", small, *own)
put_template("broken", small[:-5], *own)
for crop, location in ((None, None), (FULL, None), (None, (-5, -5, 99, 99)), (FULL, (0, 0, 60, 50))):
    a = ask(url(crop, location, "some template"))
    same(off(a, composed(frame, crop or own[0], location or own[1], art)), 0, f"a template of the store, crop {crop}, location {location}")
    same(post(small, crop or own[0], location or own[1]).body == a.body, True, "the same bytes as by POST")
plain = url(template="some template")
a = ask(plain)
same((a["content-type"], a["cache-control"]), ("image/png", "no-cache"), "its type, and that it is to be asked for again")
same(ask(plain, {"If-None-Match": a["etag"]}).status, 304, "if it changed")
head = ask(plain, method="HEAD")
same((head.status, head["content-length"], head["etag"], head.body), (200, str(len(a.body)), a["etag"], b""), "HEAD")
others = [ask(u)["etag"] for u in (url(FULL, None, "some template"), url(None, FULL, "some template"), url(None, None, "some template", moment=bf2.iso("5")))]
put_template("some template", encoded(noisy(60, 50)), *own)
others.append(ask(plain, {"If-None-Match": a["etag"]})["etag"])
ok(len({a["etag"], *others}) == 5, "of what differs the ETag differs", others)
b = post(small, *own)
same((b["etag"], b["cache-control"]), (None, "no-store"), "what was posted for is kept nowhere")
for query, status, pattern in (({"template": "nope"}, 404, "nope"), ({}, 400, "template: is required"), ({"template": ""}, 400, "template: is empty"), ({"template": "../x"}, 404, ""),
                               ({"template": "broken"}, 500, "template 'broken' is broken: the PNG is cut off"), ({"template": "nope", "crop": "x"}, 400, "crop: "),
                               ({"template": "some template", "path": "nope/source"}, 404, "")):
    a = ask(url(**query))
    same((a.status, a.body.count(b"\n")), (status, 1), f"{query}: {status} and a line")
    like(a.text, pattern, "that says why")
a = ask(url(template="some template", path="hole/source", moment=hole.iso("10")))
same(a.status, 406, "in a hole")
a = ask(url(template="x"), to=nowhere)
same((a.status, a.body.count(b"\n")), (501, 1), "without a store")
same(post(small, *own, to=nowhere).body == b.body, True, "where one can post all the same")

# ------------------------------------------------------------------ from a database
if find_programs():
    pg = Postgres()
    by_db = Server(base, ["--db", pg.conninfo(), "--workers", "1"])
    same(ask(plain, to=by_db).status, 404, "a database without templates")
    pg.psql("insert into templates values ('some template', decode('%s', 'base64'), '', '', '{%s}', '{%s}')" % (base64.b64encode(small).decode(), *(",".join(map(str, box)) for box in own)))
    sessions = pg.sessions()
    for crop, location in ((None, None), (FULL, None), (None, (-5, -5, 99, 99))):
        a = ask(url(crop, location, "some template"), to=by_db)
        same((a.status, a.body == post(small, crop or own[0], location or own[1]).body), (200, True), f"from PostgreSQL, crop {crop}, location {location}: as by POST")
    wait_for(lambda: not by_db.helpers(), "the processes to end")
    same((len(sessions), pg.sessions()), (1, sessions), "the session is the worker's, and stays")
    pg.stop()
    a = by_db.get(plain)
    same((a.status, a["retry-after"] is not None, a.body.count(b"\n")), (503, True, 1), "a database that is gone: 503, and when to try again")
    same(post(small, *own, to=by_db).status, 200, "a POST needs none")
    by_db.stop()
else:
    skip("templates from PostgreSQL", "it is not installed")

# ------------------------------------------------------------------ many at once, and offline
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(lambda n: ask(url(template="some template")).body if n % 2 else post(small, *own).body, range(40)))
same((len(set(answers[::2])), len(set(answers[1::2])), answers[0] == b.body), (1, 1, True), "forty at once")
out = os.path.join(work := temp_dir("work"), "x.png")
common = ("thumbnail", "bf2", "source", "--base", base, "--cache", "none", "--timestamp", MOMENT)
status, _, said = run_program(*common, "--templates", store, "--template", "some template", "--location", "-3,-3,40,40", "-o", out)
same((status, said, content([out]) == ask(url(None, (-3, -3, 40, 40), "some template")).body), (0, b"", True), "restreamer thumbnail --template: the same bytes")
with open(os.path.join(work, "in"), "wb+") as f:
    f.write(small)
    f.seek(0)
    status, got, said = run_program(*common, "--crop", ",".join(map(str, own[0])), "--location", ",".join(map(str, own[1])), stdin=f)
same((status, said, got == b.body), (0, b"", True), "restreamer thumbnail < FILE: the same bytes")
same(run_program(*common, "--templates", store, "--template", "nope")[0], 4, "offline, an unknown template: exit 4")
same(run_program(*common, "--template", "x")[0], 5, "no store: exit 5")
same(run_program(*common, "--crop", "0,0,1,1")[0], 2, "no location: exit 2")
text = server.metrics().text
for name in ("get_thumbnail_named_template", "get_thumbnail_uploaded_template"):
    like(text, rf'endpoint="{name}"', f"metrics of {name}")
like(text, r"extract_frame_latency_count", "and of the work")
finish()
