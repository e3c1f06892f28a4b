/*
 * change - rows that changed, in a form that leaves the node: what a follower's copy is fed with.
 *
 *     u8 n | name of the table[n] | u8 kind | u16 k | key[k] | of kind 1: u32 v | value[v]
 *
 * Kind 0: the row is gone. Kind 1: its value. Kind 2, on the node's own disk only: its value is
 * what stands in the table (rows of a commit are large and never rewritten). Pure; any thread.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "base/bytes.h"

enum change_kind {
    CHANGE_GONE = 0,
    CHANGE_VALUE = 1,
    CHANGE_STANDS = 2,
};

#define CHANGE_NAME_MAX 32

/* Borrowed from the bytes that were read. */
struct change {
    struct bytes table;
    enum change_kind kind;
    struct bytes key; /* 1..511 bytes */
    struct bytes value;
};

void change_put(struct buffer *out, const struct change *change);
/* RC_NOT_FOUND at the end. RC_DATA_LOSS, silently: not what change_put wrote. */
MUST_CHECK enum rc change_next(struct bytes *rest, struct change *change);

#endif
