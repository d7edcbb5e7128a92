"""withnumpy.py - to be imported first by a test that needs numpy: where its
python has none, the test begins anew with Debian's own."""
import importlib.util
import os
import sys

if importlib.util.find_spec("numpy") is None and os.access("/usr/bin/python3", os.X_OK) and \
        os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3"):
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])
