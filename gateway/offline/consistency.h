/*
 * consistency - did a log only grow from one of its checkpoints to another?
 *
 * Old and new are files with a checkpoint or folders with a log. Different sizes need the hash
 * tiles of the larger one; the proof is made from them and checked against both signed roots, so
 * the tiles themselves are not believed. Findings: checkpoint.*, consistency.fork (both notes
 * together prove it), consistency.rollback (the newer view is the smaller), consistency.tiles (no
 * proof can be made). Any thread.
 *
 * Across an epoch (trust's statement of succession): the old one is of the log that ended, and not
 * past the checkpoint that the statement names (succession.behind; a smaller one is only warned of,
 * succession.unproven, unless OLD is a folder that leads there); the new one is a folder whose
 * first leaf is in its tree, names that checkpoint, and carries the statement (succession.leaf).
 */
#ifndef OFFLINE_CONSISTENCY_H
#define OFFLINE_CONSISTENCY_H

#include "offline/trust.h"

struct report;

void consistency_check(const char *old_path, const char *new_path, const struct trust *trust,
                       struct report *report);

#endif
