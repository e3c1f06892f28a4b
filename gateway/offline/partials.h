/*
 * partials - the partial tiles that earlier checkpoints needed, still in the folder: each has to be
 * the beginning of the one that the newest checkpoint needs.
 *
 * Findings tile.partial, entry.partial, record.partial. What is wider than the newest belongs to a
 * checkpoint that is not there yet, and is not looked at.
 */
#ifndef OFFLINE_PARTIALS_H
#define OFFLINE_PARTIALS_H

#include "tlog/tiles.h"

struct report;

/* The edge holds the hashes of the newest checkpoint. */
void partials_check(const char *folder, const struct tile_edge *edge, struct report *report);

#endif
