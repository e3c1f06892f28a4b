/*
 * audit_mine - `enlace audit mine`: what this system keeps, against what its node's log holds of
 * it.
 */
#ifndef ENLACE_AUDIT_MINE_H
#define ENLACE_AUDIT_MINE_H

struct cli;

/* 0: all agrees; 1: it does not, or could not be found out; 2: not understood. */
int audit_mine(struct cli *cli);

#endif
