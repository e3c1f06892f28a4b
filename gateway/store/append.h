/*
 * append - what the writer lends to a transaction so that auditlog_append can add leaves.
 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include <stdint.h>

struct body_run;
struct view;

struct append {
    struct view *view;
    uint64_t size;           /* of the tree with what was appended so far: the next leaf's index */
    uint64_t time_s;         /* of this batch's leaves */
    struct body_run *bodies; /* put in one row at the end of the batch */
    unsigned left;           /* leaves that the write at hand may still append */
};

#endif
