"""onvideo.py - harness, for tests over real video: they need ffmpeg, numpy, and
the tools of tests/helper, which can be imported after this.

Where the python of the test has no numpy, it begins anew with Debian's own.
"""
import importlib.util
import os
import sys

if importlib.util.find_spec("numpy") is None and os.access("/usr/bin/python3", os.X_OK) and \
        os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3"):
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])

from harness import *  # noqa: E402

if not have_video():
    skip_all("no ffmpeg or numpy")
import numpy as np  # noqa: E402, F401

sys.path.insert(0, HELPER)
