#!/usr/bin/env python3
"""What "make install" brings: a shared host where we are not root, and a site for nginx."""
import grp
import pwd

from harness import *

ensure_built()
MODULES = "/usr/lib/apache2/modules"
home = os.path.join(temp_dir("homes"), "ann")
os.makedirs(home)
p = subprocess.run(["make", "-C", BUILD, "install", f"prefix={home}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
same(p.returncode, 0, "make install prefix=$HOME")
share = os.path.join(home, "share", "restreamer")
same(sorted(os.listdir(home)), ["bin", "lib", "share"], "nothing is outside of the prefix's usual directories")


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()




def files_below(top):
    return {os.path.relpath(os.path.join(d, f), top) for d, _, names in os.walk(top) for f in names}


page = files_below(os.path.join(share, "www"))
same(page, {f for f in files_below(os.path.join(ROOT, "www")) if not re.search(r"(^|/)\.|~$", f)}, "all of the web page")
ok("index.html" in page and all(content([os.path.join(share, "www", f)]) == content([os.path.join(ROOT, "www", f)]) for f in page), "as it is")
same({os.stat(os.path.join(share, "www", f)).st_mode & 0o777 for f in page}, {0o644}, "for all to read")

# ------------------------------------------------------------------ a service
unit = read(home, "lib", "systemd", "system", "restreamer.service")
ok(f"ExecStart={home}/bin/restreamer serve\n" in unit and "@bindir" not in unit, "the service runs what was installed")
if shutil.which("systemd-analyze"):
    work = temp_dir("units")
    with open(os.path.join(work, "restreamer.service"), "w") as f:
        f.write(re.sub("^Documentation=.*\n", "", unit, flags=re.M))
    p = subprocess.run(["systemd-analyze", "verify", "--man=no", os.path.join(work, "restreamer.service")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    same([l for l in p.stdout.splitlines() if "restreamer" in l], [], "systemd has nothing to say against it")
else:
    skip("systemd has nothing to say against it", "there is no systemd-analyze")
named = {m[1] for m in re.finditer(r"^#?(?:Environment=)?(RESTREAMER_\w+)=", unit + read(ROOT, "deploy", "systemd", "default"), re.M)}
status, out, err = run_program("serve", "--help")
options = {"RESTREAMER_" + n.upper().replace("-", "_") for n in re.findall(r"^  --([a-z-]+) ", out.decode(), re.M)}
ok(len(named) > 4 and named <= options, "it sets only options that there are", named - options)

# ------------------------------------------------------------ a site for nginx
nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
if nginx:
    work = temp_dir("site")
    with open(os.path.join(work, "nginx.conf"), "w") as f:
        f.write(f"pid {work}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n" +
                "".join(f"{k}_temp_path {work}/{k};\n" for k in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")) + f"include {share}/nginx-site.conf;\n}}\n")
    p = subprocess.run([nginx, "-t", "-p", work, "-c", os.path.join(work, "nginx.conf"), "-e", os.path.join(work, "log")], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
    ok(p.returncode == 0, "nginx takes the site as it is", p.stdout)
    site = read(share, "nginx-site.conf")
    ok("@" not in site and "unix:/run/restreamer/socket;" in site and "/var/lib/restreamer/" in site, "its paths are those of the service", site)
else:
    skip("nginx takes the site as it is", "there is no nginx")

# -------------------------------------------------------------- a shared host
apache = shutil.which("apache2", path=os.environ["PATH"] + ":/usr/sbin")
if not apache or not os.path.exists(f"{MODULES}/mod_fcgid.so"):
    skip("a shared host", "there is no Apache with mod_fcgid")
    finish()
archive = Archive(os.path.join(home, "archive"))
t0 = T("2024-03-01T10:00:00")
paths = archive.run("chan", "source", t0, 10, size=300000)
place = os.path.join(home, "public_html", "archive")
os.makedirs(place)
script = read(share, "shared-hosting", "restreamer.fcgi").replace("PREFIX=/~$(id -un)/archive", "PREFIX=/~ann/archive")
with open(os.path.join(place, "restreamer.fcgi"), "w") as f:
    f.write(script)
os.chmod(os.path.join(place, "restreamer.fcgi"), 0o755)
shutil.copy(os.path.join(share, "shared-hosting", "htaccess"), os.path.join(place, ".htaccess"))
with open(os.path.join(home, "public_html", "page.txt"), "w") as f:
    f.write("a page beside it\n")

# All of it as somebody who is nobody, Apache included: as the host's own Apache
# would be who runs the script as its owner.
user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
run = os.path.join(temp_dir("apache"))
os.makedirs(os.path.join(run, "fcgid"))
for top in (home, run):
    for d, _, files in os.walk(top):
        for path in [d] + [os.path.join(d, f) for f in files]:
            os.chown(path, user.pw_uid, user.pw_gid)
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
modules = ("mpm_event", "authz_core", "alias", "mime", "rewrite", "userdir", "fcgid")
with open(os.path.join(run, "apache.conf"), "w") as f:
    f.write("\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in modules) + f"""
ServerRoot {run}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {run}/pid
DefaultRuntimeDir {run}
ErrorLog {run}/error.log
TypesConfig /dev/null
DocumentRoot {run}
FcgidIPCDir {run}/fcgid
FcgidProcessTableFile {run}/fcgid/shm
FcgidInitialEnv HOME {home}
UserDir {os.path.dirname(home)}/*/public_html
<Directory {os.path.dirname(home)}>
    AllowOverride All
    Options FollowSymLinks ExecCGI
    Require all granted
</Directory>
""")


def become():
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


with open(os.path.join(run, "out"), "wb") as out:
    server = subprocess.Popen([apache, "-D", "FOREGROUND", "-f", os.path.join(run, "apache.conf")], stdout=out, stderr=out, preexec_fn=become, cwd="/",
                              env={"PATH": os.environ["PATH"]})
at_end(lambda: (server.terminate(), server.wait(PATIENCE)))


def ask(path, method="GET", headers=None, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        c.request(method, "/~ann" + path, body, headers or {})
        r = c.getresponse()
        return Answer(r.status, r.getheaders(), r.read())
    finally:
        c.close()


def answers():
    try:
        return ask("/page.txt").status == 200
    except OSError:
        return False


wait_for(answers, "Apache")
a = ask("/archive/files")
same((a.status, a.json), (200, ["chan"]), "below ~ann/archive: the list")
if a.status != 200:
    diag(read(run, "error.log") + read(run, "out"))
    finish()
same(ask("/archive/").body, content([os.path.join(share, "www", "index.html")]), "the web page")
same(ask("/page.txt").text, "a page beside it\n", "what is beside it is Apache's")
R = f"start={iso(t0)}&end={iso(t0 + seconds(20))}"
a = ask(f"/archive/playlist/chan/source.m3u8?{R}")
uris = [l for l in a.lines if l and not l.startswith("#")]
ok(a.status == 200 and len(uris) == 10 and all(u.startswith("/~ann/archive/segments/") for u in uris), "a playlist leads back below it", uris[:2])
same(ask(uris[3].removeprefix("/~ann")).body, content([paths[3]]), "and a segment is there")
a = ask(f"/archive/cut/chan/source.ts?type=rough&{R}", headers={"Range": "bytes=1000000-1999999"})
same((a.status, a.body), (206, content(paths)[1000000:2000000]), "a range of a cut")
same(ask("/archive/files", "HEAD")["content-type"], "application/json", "HEAD")
same(ask("/archive/restreamer.fcgi").status in (200, 404, 403), True, "the script itself gives nothing away")
ok("exec" not in ask("/archive/restreamer.fcgi").text and "exec" not in ask("/archive/.htaccess").text, "nor does .htaccess")
same(ask("/archive/.htaccess").status in (403, 404), True, ".htaccess is hidden")
# Counters of all processes together, in a file of theirs.
load = [Background(lambda: ask("/archive/files").status) for _ in range(4)]
wait_for(lambda: len(load[0].results) > 20, "some load")
statuses = [s for b in load for s in b.end()]
same(set(statuses), {200}, "under load all are answered")
m = Metrics(ask("/archive/metrics").text)
same(m.faults, [], "the metrics are without fault")
want = len(statuses) + 1
same(m.get("http_request_latency_all_count", endpoint="list_channels", method="GET", status="200"), float(want), "and count every request, whichever process had it")
ok(os.path.isdir(os.path.join(home, ".cache", "restreamer", "shared")), "the cache is in the home directory")
same(os.path.exists(os.path.join(home, ".cache", "restreamer.log")), True, "and the log beside it")
finish()
