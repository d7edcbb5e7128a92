#!/usr/bin/env python3
"""/templates, from a directory and from PostgreSQL.

A database that is slow, gone, or none at all costs a client seconds and a 503;
what else the server answers goes on meanwhile.
"""
import zlib

from harness import *
from postgres import Postgres, find_programs

ensure_built()
archive = Archive()
archive.run("chan", "source", T("2024-03-01T10:00:00"), 5)
BOXES = {"crop": [0, 0, 640, 360], "location": [10, 20, 330, 200]}
BUSY = "the template database cannot be reached; try again later"
NAMES = ["plain", "with space", "ünïcödé 日本 🎬", "o'clock \"quoted\" \\back", "'; drop table templates; --", "$1", "%s%n", "a.png", "100%", "<b>&amp;", "?#=+"]


def png(width, height):
    """The smallest PNG there is of that size, all clear."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = zlib.compress(b"".join(b"\0" + b"\0" * 4 * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


IMAGE = png(8, 4)


def path_of(name):
    return f"/templates/{urllib.parse.quote(name, safe='')}.png"


def serve(*options, workers=2, **more):
    return Direct(archive, ["--workers", workers, *options], **more)


def names_of(server):
    a = server.ask("/templates")
    return [t["name"] for t in a.json] if a.status == 200 else a


def timed(server, target="/templates"):
    began = time.monotonic()
    return server.ask(target), time.monotonic() - began


def refused(server, what, least=0.0, most=4.5):
    """A 503 within seconds, and the next at once without asking anyone."""
    a, took = timed(server)
    diag(f"{what}: {a.status} after {took:.2f} s")
    ok(a.status == 503 and a["retry-after"] and a.text == f"{BUSY} (request {a['x-request-id']})\n" and least <= took <= most, f"{what}: 503 with Retry-After in seconds", (a, took))
    a, took = timed(server, "/templates/x.png")
    ok(a.status == 503 and took < 0.5, f"{what}: and then at once", (a, took))


def ends_well(server, what):
    """The answer once the database is there again; a pause is at most 13 s."""
    begun = time.monotonic()
    wait_for(lambda: server.ask("/templates").status == 200, f"{what}: an answer again", 30, 0.1)
    diag(f"{what}: answers again after {time.monotonic() - begun:.1f} s")


def check_answers(server, what):
    """All of NAMES, as they were put."""
    a = server.ask("/templates")
    same([t["name"] for t in a.json], sorted(NAMES, key=str.encode), f"{what}: the list, by byte value")
    ok(all(t["crop"] == BOXES["crop"] and t["location"] == BOXES["location"] and t["description"] == "of " + t["name"] and t["attribution"] == "é\n\x01"
           and list(t) == ["name", "description", "attribution", "crop", "location"] for t in a.json), f"{what}: what the list says of each", a.text)
    ok(a["content-type"] == "application/json" and a["etag"], f"{what}: type and ETag", a.headers)
    same(server.ask("/templates", headers={"If-None-Match": a["etag"]}).status, 304, f"{what}: an ETag gives 304")
    same(server.ask("/templates", "HEAD").body, b"", f"{what}: HEAD")
    z = server.ask("/templates", headers={"Accept-Encoding": "gzip"})
    ok(z["content-encoding"] == "gzip" and zlib.decompress(z.body, 31) == a.body, f"{what}: gzip", z.headers)
    for name in NAMES:
        a = server.ask(path_of(name))
        ok(a.status == 200 and a.body == IMAGE and a["content-type"] == "image/png" and a["x-content-type-options"] == "nosniff", f"{what}: the image of {name}", a)
    same(server.ask(path_of("plain"), headers={"Range": "bytes=1-3"}).body, b"PNG", f"{what}: a range of an image")
    same(server.ask(path_of("plain"), headers={"If-None-Match": server.ask(path_of("plain"))["etag"]}).status, 304, f"{what}: 304 of an image")
    for target, status in (("/templates/none.png", 404), ("/templates/.png", 403), ("/templates/.x.png", 403), ("/templates/..png", 403), ("/templates/a%2Fb.png", 404),
                           ("/templates/%00.png", 400), ("/templates/%0a.png", 400), ("/templates/%FF.png", 400), ("/templates/%.png", 400), ("/templates/plain", 404),
                           ("/templates/plain.PNG", 404), ("/templates/", 404), ("/templates/a/b.png", 404), ("/templates/" + "x" * 256 + ".png", 404),
                           ("/templates/' or '1'='1.png", 404), ("/templates/plain'--.png", 404)):
        same(server.ask(target.replace(" ", "%20")).status, status, f"{what}: {target[:60]}")
    same(server.ask("/templates", "POST").status, 405, f"{what}: not by POST")
    metrics = server.ask("/metrics").text
    ok('endpoint="list_templates"' in metrics and 'endpoint="get_template"' in metrics and "clock" not in metrics, f"{what}: counted, names are no labels")


# ------------------------------------------------------------- no store
server = serve()
same([server.ask(p).status for p in ("/templates", "/templates/x.png")], [501, 501], "no store: 501")
server.stop()
for conninfo in ("nonsense", "host=x password='secret", "postgresql://a:secret@[/x"):
    status, out, err = run_program("serve", "--db", conninfo)
    ok(status == 2 and b"--db" in err and b"secret" not in err, "a connection string that is none is refused, and not repeated", err)

# ------------------------------------------------------------ a directory
folder = temp_dir("templates")


def put_file(name, about=None, image=IMAGE):
    with open(f"{folder}/{name}.json", "w") as f:
        json.dump({**BOXES, "description": "of " + name, "attribution": "é\n\x01", **(about or {})}, f)
    with open(f"{folder}/{name}.png", "wb") as f:
        f.write(image)


for name in NAMES:
    put_file(name)
server = serve("--templates", folder)
check_answers(server, "directory")
put_file("jpeg", image=b"\xff\xd8\xff\xe0 and so on")
put_file("page", image=b"<html><script>")
same([server.ask(path_of(n))["content-type"] for n in ("jpeg", "page")], ["image/jpeg", "application/octet-stream"], "directory: types by the first bytes")
put_file("bad", {"crop": [1, 2, 3]})
put_file("huge", image=b"x" * (20 * 1024 * 1024 + 1))
put_file("large", image=IMAGE + b"x" * (20 * 1024 * 1024 - len(IMAGE)))
a = server.ask(path_of("bad"))
ok(a.status == 500 and "'bad'" in a.text and folder not in a.text, "directory: a broken one is a 500 that names it, not its place", a)
a = server.ask(path_of("huge"))
ok(a.status == 413 and "20" in a.text, "directory: too large, with the limit", a)
same(len(server.ask(path_of("large")).body), 20 * 1024 * 1024, "directory: as large as may be")
ok("bad" not in names_of(server) and "'bad'" in server.log(), "directory: left out of the list, not of the log")
shutil.move(folder, folder + ".away")
a = server.ask("/templates")
ok(a.status == 503 and a["retry-after"] and folder not in a.text, "directory: gone is a 503", a)
shutil.move(folder + ".away", folder)
same(server.ask("/templates").status, 200, "directory: and back")
server.stop()
status, out, err = run_program("templates", "--templates", folder, "--cache", "none")
same([t["name"] for t in json.loads(out)][:2], sorted(NAMES, key=str.encode)[:2], "command: the list")
same(run_program("templates", NAMES[3], "--templates", folder, "--cache", "none")[1], IMAGE, "command: an image")
same([run_program("templates", *n, "--cache", "none")[0] for n in ([], ["x", "--templates", folder])], [5, 4], "command: exit status")

# ------------------------------------------ what only says it is a database
conversations = {
    "accepts and is silent": (lambda s: time.sleep(20), 2.9),
    "closes at once": (lambda s: None, 0),
    "sends garbage": (lambda s: s.sendall(random.Random(1).randbytes(100000)), 0),
    "sends an endless message": (lambda s: [s.sendall(struct.pack(">cI", b"E", 25000) + b"S" * 4000), time.sleep(20)], 0),
    "stops in the middle of a result": (lambda s: [s.sendall(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"), s.recv(1000), s.sendall(b"T\0\0\1\0\0\1"), time.sleep(20)], 2.9),
    "sends rows for ever": (lambda s: [s.sendall(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IT\0\0\0\x1a\0\1x\0" + bytes(6) + b"\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"),
                                       [s.sendall(b"D\0\0\x04\x0a\0\1\0\0\x04\0" + b"x" * 1024) for _ in range(10**9)]], 0),
    "trickles": (lambda s: [s.sendall(b"R\0\0\0\x08\0\0\0\0")] + [(s.sendall(b"N\0\0\0\x0eSINFO\0Mx\0\0"), time.sleep(0.1)) for _ in range(200)], 2.9),
}
for what, (talk, least) in conversations.items():
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(listener=listener, talk=talk):
        def one(s):
            with s:
                try:
                    s.recv(1000)
                    talk(s)
                except OSError:
                    pass
        try:
            while True:
                threading.Thread(target=one, args=[listener.accept()[0]], daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=answer, daemon=True).start()
    # Neither TLS nor GSSAPI is asked for, so that it comes to the point.
    secret = f"host=127.0.0.1 port={listener.getsockname()[1]} user=u password=secret-word sslmode=disable gssencmode=disable"
    server = serve("--db", secret, workers=1)
    refused(server, what, least)
    server.stop()
    ok("secret-word" not in server.log() and server.log().count("the template database fails") == 1, f"{what}: one line in the log, without the password", server.log())
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
server = serve("--db", "host=127.0.0.1 port=1 user=u", workers=1)
refused(server, "nobody listens")
server.stop()

# -------------------------------------------------------------- PostgreSQL
if not find_programs() or not shutil.which("psql"):
    skip("templates in PostgreSQL", "no PostgreSQL is installed (apt install postgresql)")
    finish()
pg = Postgres()


def quoted(text):
    return "U&'" + "".join(c if c.isalnum() and c.isascii() else f"\\+{ord(c):06x}" for c in text) + "'"


def put_row(name, image=None, crop="{0,0,640,360}", location="{10,20,330,200}", about=None, database="postgres"):
    image = image or f"decode('{base64.b64encode(IMAGE).decode()}', 'base64')"
    pg.psql(f"insert into templates values ({quoted(name)}, {image}, {quoted(about or 'of ' + name)}, {quoted('é' + chr(10) + chr(1))}, '{crop}', '{location}')",
            database=database)


server = serve("--db", pg.conninfo(), workers=8)
same(pg.sessions(), [], "PostgreSQL: nothing is opened before it is asked")
askers = [threading.Thread(target=server.ask, args=["/templates"]) for _ in range(64)]
for t in askers:
    t.start()
for t in askers:
    t.join()
same(names_of(server), [], "PostgreSQL: the table is made by whoever comes first")
ok("fails" not in server.log(), "PostgreSQL: and by no one else", server.log())
for name in NAMES:
    put_row(name)
check_answers(server, "PostgreSQL")
same(pg.psql("select count(*) from templates"), str(len(NAMES)), "PostgreSQL: nothing was dropped")
server.stop()
ok(wait_for(lambda: pg.sessions() == [], "sessions to end"), "PostgreSQL: stopped workers end their sessions")
ok("SERIALIZABLE" in pg.log(), "PostgreSQL: sessions are made serializable")
status, out, err = run_program("templates", "--db", pg.conninfo(), "--cache", "none")
same([t["name"] for t in json.loads(out)], sorted(NAMES, key=str.encode), "command: the list from PostgreSQL")

# Proof of it, by the database itself: a view that tells.
pg.psql("create database proof")
pg.psql("create view templates as select 'iso'::text as name, ''::bytea as image, current_setting('transaction_isolation') as description,"
        " current_setting('statement_timeout') as attribution, '{0,0,1,1}'::int[] as crop, '{0,0,1,1}'::int[] as location", database="proof")
server = serve("--db", pg.conninfo(database="proof"), workers=1)
t = server.ask("/templates").json[0]
same((t["description"], t["attribution"]), ("serializable", "3s"), "PostgreSQL: serializable, with a timeout of its own")
server.stop()

# The sequence is not undone with the transaction, so only the first fails.
pg.psql("create database retry")
pg.psql("""create sequence tries;
create function fail_first() returns text language plpgsql as $$ begin
    if nextval('tries') < 3 then raise exception 'in the way' using errcode = '40001'; end if; return 'x'; end $$;
create view templates as select fail_first() as name, 'x'::bytea as image, ''::text as description, ''::text as attribution,
    '{0,0,1,1}'::int[] as crop, '{0,0,1,1}'::int[] as location""", database="retry")
server = serve("--db", pg.conninfo(database="retry"), workers=1)
same(names_of(server), ["x"], "PostgreSQL: a serialization failure is tried again")
ok("fails" not in server.log(), "PostgreSQL: without a word in the log", server.log())
server.stop()

# ---------------------------------------------------------------- rights
pg.psql("create role reader login; grant select on templates to reader; create role nobody login; create database empty; revoke create on schema public from public")
server = serve("--db", pg.conninfo("reader"), workers=1)
same(len(names_of(server)), len(NAMES), "a role that may only read, reads")
server.stop()
server = serve("--db", pg.conninfo("nobody"), workers=1)
refused(server, "a role without rights")
ok("permission denied" in server.log() and "permission" not in server.ask("/templates").text, "a role without rights: the log says why, not the answer")
server.stop()
server = serve("--db", pg.conninfo("reader", "empty"), workers=1)
refused(server, "a role that may not make the table")
server.stop()

# ------------------------------------------------------------ hostile rows
pg.psql("create database hostile")
server = serve("--db", pg.conninfo(database="hostile"), workers=1)
names_of(server)
session = pg.sessions(database="hostile")
rows = {"three": {"crop": "{1,2,3}"}, "five": {"location": "{1,2,3,4,5}"}, "none": {"crop": "{}"}, "null in it": {"crop": "{0,0,1,NULL}"}, "two dimensions": {"crop": "{{0,0},{1,1}}"},
        "row of a matrix": {"crop": "{{0,0,1,1}}"}, "inside out": {"crop": "{5,5,1,1}"}, "far": {"location": "{0,0,2147483647,1}"}, "farther": {"location": "{-2147483648,0,1,1}"},
        "wide": {"crop": "{0,0,8193,1}"}, "talkative": {"about": "x" * 5000}, "x" * 256: {}}
for name, what in rows.items():
    put_row(name, database="hostile", **what)
for name, image in (("empty", "''"), ("too large", "convert_to(repeat('x', 30000000), 'UTF8')"), ("limit", "convert_to(repeat('x', 20971520), 'UTF8')")):
    put_row(name, image, database="hostile")
put_row("bounds", crop="[2:5]={0,0,1,1}", database="hostile")
put_row("", database="hostile")
put_row("a/b", database="hostile")
same(names_of(server), ["a/b", "bounds", "empty", "limit", "too large"], "hostile rows are left out of the list")
ok("13 of 18 templates are left out" in server.log(), "hostile rows: counted in the log", server.log())
for name in rows:
    if len(name) < 256:
        a = server.ask(path_of(name))
        ok(a.status == 500 and f"'{name}'" in a.text, f"hostile row: {name}", a)
same([server.ask(path_of(n)).status for n in ("empty", "too large", "x" * 256)], [500, 413, 404], "images: empty, too large; a name too long")
same(len(server.ask(path_of("limit")).body), 20971520, "an image as large as may be")
same(pg.sessions(database="hostile"), session, "none of that ended the session")
pg.psql("drop table templates", database="hostile")
same(names_of(server), [], "a table that was dropped is made again")
pg.psql("drop table templates; create table templates (name text, image text, description text, attribution text, crop int8[], location int[])", database="hostile")
same(server.ask("/templates").status, 500, "another table of that name is a 500")
pg.psql("drop table templates; create table templates (name varchar, image bytea, description text, attribution varchar(9), crop int[], location int[]); insert into templates values"
        "('nulls', 'x', null, null, '{0,0,1,1}', '{0,0,1,1}'), ('no image', null, '', '', '{0,0,1,1}', '{0,0,1,1}'), ('no box', 'x', '', '', null, null), (null, 'x', '', '', null, null)",
        database="hostile")
same(names_of(server), ["no image", "nulls"], "a table made by another: NULLs")
same([server.ask(path_of(n)).status for n in ("nulls", "no image", "no box")], [200, 500, 500], "a table made by another: images")
server.stop()
pg.psql("create database latin encoding 'LATIN1' template template0 locale 'C'")
server = serve("--db", pg.conninfo(database="latin"), workers=1)
same((names_of(server), server.ask(path_of("日本")).status, server.ask("/templates").status), ([], 404, 200), "a name that the database's encoding does not have is not there")
put_row("é", database="latin")
same((names_of(server), server.ask(path_of("é")).status), (["é"], 200), "text of another encoding")
server.stop()

# ------------------------------------------------------- lost connections
server = serve("--db", pg.conninfo(), workers=1)
same(len(names_of(server)), len(NAMES), "one worker, one session")
session = pg.sessions()
same(len(session), 1, "one session")
for target in ("/frame/chan/source.png?timestamp=2024-03-01T10:00:01", "/cut/chan/source.ts?start=2024-03-01T10:00:00&end=2024-03-01T10:00:04&type=rough"):
    server.ask(target)
    wait_for(lambda: not server.helpers(), "heavy processes to end")
same((len(names_of(server)), pg.sessions()), (len(NAMES), session), "a heavy process that ends leaves the session alone")
pg.psql(f"select pg_terminate_backend({session[0]})")
wait_for(lambda: not pg.sessions(), "the session to end")
same(len(names_of(server)), len(NAMES), "a session that was ended is made anew within the request")
ok(pg.sessions() != session and "fails" not in server.log(), "it is another, and nothing failed")
for how in ("INT", "QUIT"):
    pg.stop(how)
    pg.start()
    same(len(names_of(server)), len(NAMES), f"the database restarted ({how}): the same request connects again")
pg.stop()
refused(server, "stopped")
pg.start()
ends_well(server, "stopped")
ok(server.log().count("database fails") == 1 and server.log().count("answers again") == 1, "one line when it fails, one when it is back", server.log())
server.stop()

# ------------------------------------------------------------------ locked
server = serve("--db", pg.conninfo(), workers=2)
names_of(server)
locker = subprocess.Popen(["psql", "-XAtq", pg.conninfo()], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
at_end(locker.kill)
locker.stdin.write(b"begin; lock table templates in access exclusive mode; select 'locked';\n")
locker.stdin.flush()
locker.stdout.readline()
others = Background(lambda: timed(server, "/files/chan")[1])
refused_all = [timed(server) for _ in range(4)]
diag("locked: " + ", ".join(f"{a.status} {t:.2f} s" for a, t in refused_all))
ok(all(a.status == 503 and a["retry-after"] and t < 4.5 for a, t in refused_all), "a locked table: 503 in seconds", refused_all)
ok(sum(t > 1 for _, t in refused_all) <= 2, "a locked table: each worker waits once, then not for a while")
took = others.end()
diag(f"meanwhile {len(took)} others, the slowest {max(took):.3f} s")
ok(all(isinstance(t, float) for t in took) and percentile(took, 0.9) < 0.5 and len(took) > 20, "a locked table: others are answered meanwhile", took[:20])
wait_for(lambda: not pg.psql("select 1 from pg_locks where not granted"), "those who wait to be gone", 10)
ok(True, "a locked table: nobody waits in the database any more")
locker.communicate(b"rollback;\n")
ends_well(server, "locked")
server.stop()
finish()
