/*
 * inboard.h - a scoreboard that forked processes share, as long as the test.
 */
#ifndef TESTS_UNIT_INBOARD_H
#define TESTS_UNIT_INBOARD_H

#include <sys/mman.h>

#include "scoreboard.h"

static struct scoreboard *new_board(uint32_t nr_workers, uint32_t nr_heavy)
{
	struct scoreboard *board =
		mmap(NULL, scoreboard_size(nr_workers, nr_heavy),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (board == MAP_FAILED)
		return NULL;
	scoreboard_init(board, nr_workers, nr_heavy);
	return board;
}

#endif
