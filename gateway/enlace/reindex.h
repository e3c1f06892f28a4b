/*
 * reindex - `enlace log reindex`: the node makes its index anew, compares, and says what differed.
 */
#ifndef ENLACE_REINDEX_H
#define ENLACE_REINDEX_H

#include <stdbool.h>

struct cli;

/* Waits for the end; only the state when it is not to begin. Status 1: the old index differed. */
int reindex(struct cli *cli, bool is_to_begin);

#endif
