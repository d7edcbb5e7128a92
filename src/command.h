/*
 * command.h - the offline commands: what the URLs do, without a server.
 *
 * A command is a route with another client: its words are the path, its
 * options are the arguments of the URL, and the body goes to standard output
 * or, with -o, to a file that appears only when it is complete.
 */
#ifndef SRC_COMMAND_H
#define SRC_COMMAND_H

#include "base/text.h"

/* Runs argv[1]; the exit status, by kind of failure (status.h). */
int command_run(int argc, char **argv) MUST_CHECK;

/* One line a command, for --help; .TP items for the manual page. */
void command_describe(struct text *out);
void command_describe_man(struct text *out);

#endif
