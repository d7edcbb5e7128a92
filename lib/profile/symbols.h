/*
 * symbols.h - which function an address of this process is in.
 *
 * From the symbol tables of the program and of the libraries that it has
 * loaded; separate files of debugging information are not looked for, for one
 * might be fetched from the network.  A function without a symbol is
 * "[libavcodec.so.59]", an address in no file "[unknown]".
 *
 * Owner:  a name lives as long as the symbols.
 * Source: libdw of elfutils.
 */
#ifndef PROFILE_SYMBOLS_H
#define PROFILE_SYMBOLS_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct symbols;

/* ERR_IO.  What is loaded later is unknown. */
enum err symbols_open(struct symbols **symbols_r, struct errmsg *e) MUST_CHECK;
void symbols_close(struct symbols **symbols);

/* Of the function that holds the byte at an address. */
const char *symbols_name(struct symbols *s, uintptr_t address);

#endif
