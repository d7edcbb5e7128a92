/*
 * unit.h - what the unit tests share: a scratch directory, files in it, the
 * log read back.
 *
 * A test program makes one scratch directory with unit_begin() and removes it
 * with unit_end().  Helpers fail the test rather than return errors.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/log.h"

/* 2026-11-07T00:00:00Z, the hour that tests talk about. */
#define UNIT_HOUR      ((int64_t)1794009600 * 1000000)
#define UNIT_HOUR_NAME "2026-11-07T00"

/* Set before a call that must fail, and found unchanged after it. */
#define UNIT_UNTOUCHED 0x5a5a5a5a

static inline int unit_rm(const char *path, const struct stat *st, int flag,
			  struct FTW *ftw)
{
	UNUSED(st);
	UNUSED(flag);
	UNUSED(ftw);
	return remove(path);
}

static inline void unit_remove(const char *path)
{
	nftw(path, unit_rm, 32, FTW_DEPTH | FTW_PHYS);
}

/* A new directory below parent (NULL: $TMPDIR or /tmp); free() the path. */
static inline char *unit_new_dir(const char *parent)
{
	const char *tmp = getenv("TMPDIR");
	char *path;

	if (!parent)
		parent = tmp && *tmp ? tmp : "/tmp";
	if (asprintf(&path, "%s/restreamer-test-XXXXXX", parent) < 0 ||
	    !mkdtemp(path)) {
		print_message("Bail out! no directory below %s\n", parent);
		exit(99);
	}
	return path;
}

static inline int unit_open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Makes all directories of a path beneath dir_fd. */
static inline void unit_mkdir(int dir_fd, const char *rel)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s", rel);
	for (char *p = path; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdirat(dir_fd, path, 0755);
		*p = '/';
	}
	mkdirat(dir_fd, path, 0755);
	assert_int_equal(faccessat(dir_fd, path, X_OK, 0), 0);
}

/* Writes a whole file, with the directories above it. */
static inline void unit_write(int dir_fd, const char *rel, const void *data,
			      size_t len)
{
	char dir[1024];
	char *slash;
	int fd;

	snprintf(dir, sizeof(dir), "%s", rel);
	slash = strrchr(dir, '/');
	if (slash) {
		*slash = '\0';
		unit_mkdir(dir_fd, dir);
	}
	fd = openat(dir_fd, rel, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0644);
	assert_true(fd >= 0);
	if (len)
		assert_int_equal(write(fd, data, len), len);
	assert_int_equal(close(fd), 0);
}

/* A sparse file of so many bytes. */
static inline void unit_make(int dir_fd, const char *rel, off_t size)
{
	int fd;

	unit_write(dir_fd, rel, NULL, 0);
	if (!size)
		return;
	fd = openat(dir_fd, rel, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(close(fd), 0);
}

/* A whole file, NUL-terminated; free() it.  NULL if it is not there. */
static inline char *unit_read(int dir_fd, const char *rel, size_t *len_r)
{
	int fd = openat(dir_fd, rel, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data;
	size_t size;

	if (fd < 0)
		return NULL;
	assert_int_equal(fstat(fd, &st), 0);
	size = (size_t)st.st_size;
	data = malloc(size + 1);
	assert_non_null(data);
	assert_int_equal(pread(fd, data, size, 0), size);
	data[size] = '\0';
	close(fd);
	if (len_r)
		*len_r = size;
	return data;
}

/*
 * Whether links that stay inside can be followed; where openat2(2) is missing
 * (an old kernel, valgrind) they cannot.
 */
static inline bool unit_follows_links(void)
{
	int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = { .flags = O_PATH | O_CLOEXEC };
	long fd = syscall(SYS_openat2, dir, ".", &how, sizeof(how));

	close(dir);
	if (fd >= 0)
		close((int)fd);
	else
		print_message("# no openat2 here: links are not followed\n");
	return fd >= 0;
}

/* So many random rounds; a tenth where each takes long (UNIT_BRIEF, valgrind).
 */
static inline unsigned unit_rounds(unsigned nr)
{
	return getenv("UNIT_BRIEF") ? nr / 10 : nr;
}

static inline unsigned unit_count(const char *text, const char *what)
{
	size_t len = strlen(what);
	const char *end = text + strlen(text);
	unsigned nr = 0;

	if (!len)
		return 0;
	/* Not strstr(): a sanitizer measures the rest of the text each time. */
	while ((text = memmem(text, (size_t)(end - text), what, len))) {
		text += len;
		nr++;
	}
	return nr;
}

/* What another process does, and well. */
static inline void unit_in_child(void (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The scratch directory of this program, and its log file "log" in it. */
static char *unit_dir;
static int unit_fd = -1;

static inline int unit_begin(void **state)
{
	char *path;

	UNUSED(state);
	unit_dir = unit_new_dir(NULL);
	unit_fd = unit_open_dir(unit_dir);
	assert_true(asprintf(&path, "%s/log", unit_dir) > 0);
	assert_true(log_open(path));
	free(path);
	return 0;
}

static inline int unit_end(void **state)
{
	UNUSED(state);
	if (!log_open(NULL))
		return -1;
	close(unit_fd);
	unit_remove(unit_dir);
	free(unit_dir);
	return 0;
}

/* How often the log says so ("": nobody asks); it is emptied. */
static inline unsigned unit_logged(const char *what)
{
	char *text = unit_read(unit_fd, "log", NULL);
	unsigned nr = text ? unit_count(text, what) : 0;

	free(text);
	unit_write(unit_fd, "log", NULL, 0);
	return nr;
}

/* A small generator of our own, so that a failure can be repeated. */
static inline uint64_t unit_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#endif
