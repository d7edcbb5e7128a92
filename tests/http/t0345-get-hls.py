#!/usr/bin/env python3
"""deploy/get-hls: the package that it knows or none, by whatever npm there is."""
from harness import *

ORIGINAL = os.path.join(ROOT, "deploy", "get-hls")
NAMES = ["hls.LICENSE", "hls.light.min.mjs", "hls.worker.js"]
tools = temp_dir("tools")
for name in ("sh", "sed", "dirname", "sha256sum", "sha512sum", "cut", "mkdir", "mktemp", "rm", "mv", "cp", "chmod", "tar", "gzip", "timeout", "head"):
    os.symlink(shutil.which(name), os.path.join(tools, name))


def tree():
    top = temp_dir("tree")
    os.makedirs(os.path.join(top, "deploy"))
    shutil.copy(ORIGINAL, os.path.join(top, "deploy"))
    return top


def get(top, *args, npm=None):
    """Its exit status, what it said, and what is in www/lib."""
    path = tools
    if npm is not None:
        path = temp_dir("npm")
        with open(os.path.join(path, "npm"), "w") as f:
            f.write("#!/bin/sh\n" + npm)
        os.chmod(os.path.join(path, "npm"), 0o755)
        path += ":" + tools
    p = subprocess.run([os.path.join(top, "deploy", "get-hls"), *args], env={"PATH": path}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=PATIENCE)
    lib = os.path.join(top, "www", "lib")
    return p.returncode, p.stdout + p.stderr, sorted(os.listdir(lib)) if os.path.isdir(lib) else []


top = tree()
with open(ORIGINAL) as f:
    script = f.read()
version = re.search(r"^version=(\S+)$", script, re.M)[1]
ok(re.search(r"^sha512=[0-9a-f]{128}$", script, re.M), "it names a SHA-512")
same(re.findall(r"https?://|registry\.", script), [], "and no registry")
same(get(top, "--check"), (1, "", []), "--check: not there, and nothing is done")
status, said, left = get(top)
same((status, left, said.count("\n")), (1, [], 1), "without npm: one line")
ok(all(n in said for n in NAMES) and f"hls.js@{version}" in said and os.path.join(top, "www", "lib") in said, "which says what to do", said)
status, said, left = get(top, npm="echo no route to anywhere >&2; exit 1\n")
same((status, left), (1, []), "npm fails: nothing is left")
like(said, "no route to anywhere", "and it says why")

fake = os.path.join(temp_dir("package"), "package")
os.makedirs(os.path.join(fake, "dist"))
for name in ("LICENSE", "dist/hls.light.min.mjs", "dist/hls.worker.js"):
    with open(os.path.join(fake, name), "w") as f:
        f.write("alert(1)\n")
package = os.path.join(temp_dir("packed"), "fake.tgz")
subprocess.run(["tar", "-czf", package, "-C", os.path.dirname(fake), "package"], check=True)
status, said, left = get(top, npm=f'[ "$1 $2" = "pack hls.js@{version}" ] && exec cp {package} hls.js-{version}.tgz\n')
same((status, left), (1, []), "npm brings another package: nothing of it is there")
like(said, "SHA-512 is another", "and it says so")
status, said, left = get(top, package)
same((status, left), (1, []), "one brought by hand: the same")
same(get(top, os.path.join(top, "absent"))[::2], (1, []), "one that is not there")
same(get(top, "--nonsense")[::2], (1, []), "an unknown option")

# With the real one, where the tree has it.
here = os.path.join(ROOT, "www", "lib")
if subprocess.run([ORIGINAL, "--check"]).returncode:
    skip("the files that are right", "www/lib has no hls.js")
    finish()
lib = os.path.join(top, "www", "lib")
os.makedirs(os.path.dirname(lib), exist_ok=True)
shutil.rmtree(lib, ignore_errors=True)
shutil.copytree(here, lib)
same(get(top, "--check")[::2], (0, NAMES), "--check: the files that are right")
before = {n: os.stat(os.path.join(lib, n)).st_mtime_ns for n in NAMES}
same(get(top), (0, "", NAMES), "they are left alone, without npm and without a word")
same({n: os.stat(os.path.join(lib, n)).st_mtime_ns for n in NAMES}, before, "not even written")
ok(b"sourceMappingURL" not in content([os.path.join(lib, n) for n in NAMES]), "no map of their sources is asked for")
for name in NAMES:
    with open(os.path.join(lib, name), "ab") as f:
        f.write(b" ")
    same(get(top, "--check")[0], 1, f"{name} with a byte more is not right")
    shutil.copy(os.path.join(here, name), lib)
    os.rename(os.path.join(lib, name), os.path.join(lib, "away"))
    same(get(top, "--check")[0], 1, f"without {name}")
    os.rename(os.path.join(lib, "away"), os.path.join(lib, name))
finish()
