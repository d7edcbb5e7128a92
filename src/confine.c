#include "config.h"

#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"

/* Rights that are younger than some of the headers we are built with. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define MAY_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define MAY_WRITE                                                              \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |       \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |        \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER |              \
	 LANDLOCK_ACCESS_FS_TRUNCATE)
#define MAY_NEVER                                                              \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |           \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |         \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
/* What a rule for a single file may say. */
#define OF_FILES                                                               \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |        \
	 LANDLOCK_ACCESS_FS_TRUNCATE)

struct ruleset {
	int fd;
	uint64_t handled;
};

/* The rights that this kernel knows of; 0 if it has no Landlock. */
static uint64_t rights_known(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t all = MAY_READ | MAY_WRITE | MAY_NEVER;

	if (version < 1)
		return 0;
	if (version < 2)
		all &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
	if (version < 3)
		all &= ~(uint64_t)LANDLOCK_ACCESS_FS_TRUNCATE;
	return all;
}

static bool begin(struct ruleset *r)
{
	struct landlock_ruleset_attr attr = { 0 };

	r->handled = rights_known();
	attr.handled_access_fs = r->handled;
	if (!r->handled)
		return false;
	r->fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			     0);
	return r->fd >= 0;
}

/* What is not there needs no right. */
static bool allow(const struct ruleset *r, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = rights & r->handled,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	struct stat st;
	bool ok;

	if (attr.parent_fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
	if (fstat(attr.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		attr.allowed_access &= OF_FILES;
	ok = syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH,
		     &attr, 0) == 0;
	close(attr.parent_fd);
	return ok;
}

/*
 * The log is opened again by its name, maybe as a new file: in the directory
 * that a link leads to, or in the link's own where that has been moved away.
 */
static bool allow_log(const struct ruleset *r, const char *log)
{
	const uint64_t rights =
		LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
	char *copy = mem_strdup(log);
	char *dir = fs_dir_of(log);
	bool ok = allow(r, dirname(copy), rights) &&
		  (!dir || allow(r, dir, rights));

	free(dir);
	free(copy);
	return ok;
}

/* Names, passwords and certificates, as libpq and the resolver look for them.
 */
static bool allow_database(const struct ruleset *r)
{
	static const char *const places[] = { "/etc", "/usr/lib", "/usr/share",
					      "/lib", "/lib64",	  "/run",
					      "/dev", NULL };
	static const char *const named[] = { "HOME",	      "PGPASSFILE",
					     "PGSERVICEFILE", "PGSYSCONFDIR",
					     "PGSSLROOTCERT", "PGSSLCERT",
					     "PGSSLKEY",      NULL };
	bool ok = true;

	for (size_t i = 0; places[i]; i++)
		ok = ok &&
		     allow(r, places[i], MAY_READ | LANDLOCK_ACCESS_FS_EXECUTE);
	for (size_t i = 0; named[i]; i++) {
		const char *path = getenv(named[i]);

		if (path && *path == '/')
			ok = ok && allow(r, path, MAY_READ);
	}
	return ok;
}

/* Where files without a name go if there is no other place. */
static bool allow_temporary(const struct ruleset *r)
{
	const char *dir = getenv("TMPDIR");

	return allow(r, dir && *dir ? dir : "/tmp", MAY_READ | MAY_WRITE);
}

static bool add_rules(const struct ruleset *r, const struct settings *s,
		      const char *cache_dir, const char *spool_dir)
{
	bool ok = allow(r, s->base,
			s->allow_write ? MAY_READ | MAY_WRITE : MAY_READ) &&
		  allow(r, "/proc", MAY_READ);

#ifdef __SANITIZE_ADDRESS__
	ok = ok && allow(r, "/", MAY_READ); /* its reports have names */
#endif
	if (ok && cache_dir)
		ok = allow(r, cache_dir, MAY_READ | MAY_WRITE);
	if (ok && !spool_dir)
		ok = allow_temporary(r);
	if (ok && settings_www_dir(s))
		ok = allow(r, settings_www_dir(s), MAY_READ);
	if (ok && *s->templates)
		ok = allow(r, s->templates, MAY_READ);
	if (ok && *s->log)
		ok = allow_log(r, s->log);
	if (ok && *s->db)
		ok = allow_database(r);
	return ok;
}

bool confine_self(const struct settings *settings, const char *cache_dir,
		  const char *spool_dir)
{
	struct ruleset r = { .fd = -1 };
	bool is_done;

	if (settings->unconfined || !begin(&r))
		return false;
	/* no_new_privs, which this needs, is set by serve. */
	is_done = add_rules(&r, settings, cache_dir, spool_dir) &&
		  syscall(SYS_landlock_restrict_self, r.fd, 0) == 0;
	if (!is_done)
		log_warning("cannot be confined: %s", strerror(errno));
	fs_close(&r.fd);
	return is_done;
}
