/*
 * roles - what the reference adapter does with a message: as executor by its script, as requester
 * by closing what has ended.
 *
 * Executor: accepts each item (signed), puts it in force with the evidence's hash (signed), reports
 * its occurrences, ends. Requester: acknowledges what comes, closes what has ended. Both: when a
 * child exchange of ours is in force, puts its parent in force, citing the child's act as evidence.
 */
#ifndef REFERENCE_ROLES_H
#define REFERENCE_ROLES_H

#include <stdio.h>

#include "sdk/adapter.h"

struct script;

struct roles {
    struct adapter_user user;    /* first */
    const struct script *script; /* NULL: executes nothing */
    bool is_requester;
    FILE *book; /* NULL: none; else a line for each thing done (adapters/simulated/year.py) */
};

void roles_init(struct roles *roles, const struct script *script, bool is_requester, FILE *book);

#endif
