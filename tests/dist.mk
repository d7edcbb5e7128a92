# What is neither built nor installed, but belongs to the package: how to set
# it up, and the tests beyond make check.  tests/run finds what is forgotten.

EXTRA_DIST += \
	.ci/run \
	deploy/nginx.conf \
	deploy/packages.sh \
	deploy/run \
	tests/README \
	tests/bench/getdents.c \
	tests/bench/run \
	tests/data/README \
	tests/data/golden/bad-input.jsonl \
	tests/data/golden/storyboard.jpg \
	tests/data/golden/tricky.jsonl.gz \
	tests/helper/README \
	tests/helper/check-cut \
	tests/helper/check-golden \
	tests/helper/check-ts \
	tests/helper/cutproof.py \
	tests/helper/cutsound.py \
	tests/helper/cutsweep.py \
	tests/helper/cuttruth.py \
	tests/helper/make-archive \
	tests/helper/make-cut-archives \
	tests/helper/make-listing-archive \
	tests/helper/remap-pids \
	tests/helper/sweep-cuts \
	tests/helper/tsread.py \
	tests/http/harness.py \
	tests/http/withnumpy.py \
	tests/http/t0000-smoke.py \
	tests/http/t0100-params.py \
	tests/http/t0200-files.py \
	tests/http/t0210-extras.py \
	tests/http/t0220-segments.py \
	tests/http/t0230-hostile-files.py \
	tests/http/t0300-playlist.py \
	tests/http/t0310-golden.py \
	tests/http/t0320-gzip-etag.py \
	tests/http/t0400-cut-rough.py \
	tests/http/t0410-cut-smart.py \
	tests/http/t0420-cut-containers.py \
	tests/http/t0430-generate-videos.py \
	tests/http/t0440-cut-hostile.py \
	tests/http/t0450-cut-mixed.py \
	tests/http/t0500-frame.py \
	tests/http/t0510-waveform.py \
	tests/http/t0550-storyboard.py \
	tests/http/t0700-metrics.py \
	tests/http/t0800-processes.py \
	tests/http/t0810-isolation.py \
	tests/http/t0820-hostile-clients.py \
	tests/http/t0900-offline.py \
	tests/http/t0910-options.py \
	tests/http/tap \
	tests/run
