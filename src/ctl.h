/*
 * ctl.h - restreamer ctl: the console's client (console.h).
 */
#ifndef SRC_CTL_H
#define SRC_CTL_H

#include "base/text.h"

/* Runs argv[1...] on the console; the exit status. */
int ctl_run(int argc, char **argv) MUST_CHECK;

void ctl_describe(struct text *out);
void ctl_describe_man(struct text *out);

#endif
