/*
 * consistency - did a log only grow from one of its checkpoints to another?
 *
 * Old and new are files with a checkpoint or folders with a log. Different sizes need the hash
 * tiles of the larger one; the proof is made from them and checked against both signed roots, so
 * the tiles themselves are not believed. Findings: checkpoint.*, consistency.fork (both notes
 * together prove it), consistency.rollback (the newer view is the smaller), consistency.tiles (no
 * proof can be made). Any thread.
 */
#ifndef OFFLINE_CONSISTENCY_H
#define OFFLINE_CONSISTENCY_H

#include "offline/trust.h"

struct report;

void consistency_check(const char *old_path, const char *new_path, const struct trust *trust,
                       struct report *report);

#endif
