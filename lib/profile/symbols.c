#include "config.h"

#include "profile/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

#include "base/mem.h"

#define NAME_MAX_BYTES 200
#define FIRST_SIZE     1024 /* a power of two */

/* Looking a symbol up is a walk through a whole table, so it is done once. */
struct known {
	uintptr_t address; /* 0: free */
	char *name;
};

struct symbols {
	Dwfl *dwfl;
	struct known *known;
	size_t size;
	size_t nr;
};

static int find_nothing(Dwfl_Module *module, void **user, const char *name,
			Dwarf_Addr base, const char *file,
			const char *debug_link, GElf_Word crc, char **found)
{
	UNUSED(module);
	UNUSED(user);
	UNUSED(name);
	UNUSED(base);
	UNUSED(file);
	UNUSED(debug_link);
	UNUSED(crc);
	UNUSED(found);
	return -1;
}

enum err symbols_open(struct symbols **symbols_r, struct errmsg *e)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = find_nothing,
	};
	struct symbols *s = mem_zero(sizeof(*s));

	s->size = FIRST_SIZE;
	s->known = mem_zero(s->size * sizeof(*s->known));
	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl || dwfl_linux_proc_report(s->dwfl, getpid()) != 0 ||
	    dwfl_report_end(s->dwfl, NULL, NULL) != 0) {
		symbols_close(&s);
		return err_set(e, ERR_IO, "cannot read the symbol tables: %s",
			       dwfl_errmsg(-1));
	}
	*symbols_r = s;
	return ERR_OK;
}

void symbols_close(struct symbols **symbols)
{
	struct symbols *s = *symbols;

	if (!s)
		return;
	for (size_t i = 0; i < s->size; i++)
		free(s->known[i].name);
	free(s->known);
	dwfl_end(s->dwfl);
	free(s);
	*symbols = NULL;
}

/* The last part of a path in brackets. */
static void name_file(const char *path, char name[NAME_MAX_BYTES])
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	snprintf(name, NAME_MAX_BYTES, "[%s]",
		 slash ? slash + 1 :
		 path  ? path :
			 "unknown");
}

static void look_up(const struct symbols *s, uintptr_t address,
		    char name[NAME_MAX_BYTES])
{
	/* Between two files, and behind the last, it is the one before. */
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, address);
	Dwarf_Addr begin = 0, end = 0;
	const char *file = NULL;
	const char *found = NULL;
	GElf_Off offset;
	GElf_Sym symbol;

	if (module)
		file = dwfl_module_info(module, NULL, &begin, &end, NULL, NULL,
					NULL, NULL);
	if (address < begin || address >= end)
		file = NULL;
	if (file)
		found = dwfl_module_addrinfo(module, address, &offset, &symbol,
					     NULL, NULL, NULL);
	/* The nearest one before is given even if it ends before. */
	if (found && offset < (symbol.st_size ? symbol.st_size : 1))
		snprintf(name, NAME_MAX_BYTES, "%s", found);
	else
		name_file(file, name);
}

static struct known *find(struct known *known, size_t size, uintptr_t address)
{
	size_t at = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	while (known[at & (size - 1)].address &&
	       known[at & (size - 1)].address != address)
		at++;
	return &known[at & (size - 1)];
}

static void grow(struct symbols *s)
{
	size_t size = s->size * 2;
	struct known *known = mem_zero(size * sizeof(*known));

	for (size_t i = 0; i < s->size; i++)
		if (s->known[i].address)
			*find(known, size, s->known[i].address) = s->known[i];
	free(s->known);
	s->known = known;
	s->size = size;
}

const char *symbols_name(struct symbols *s, uintptr_t address)
{
	struct known *known = find(s->known, s->size, address);
	char name[NAME_MAX_BYTES];

	if (!address)
		return "[unknown]";
	if (known->address)
		return known->name;
	if (s->nr * 2 >= s->size) {
		grow(s);
		known = find(s->known, s->size, address);
	}
	look_up(s, address, name);
	known->address = address;
	known->name = mem_strdup(name);
	s->nr++;
	return known->name;
}
