/*
 * audit_back - the records that a question is about, the newest first.
 *
 * A node answers in the order of the log. Here windows of it are asked for from its end to its
 * beginning, wide where records are sparse and narrow where they are many; each page is proven as
 * in audit_find. The end is what it was when the first window was asked for: `size`.
 *
 * Blocking; one owner at a time.
 */
#ifndef CLIENT_AUDIT_BACK_H
#define CLIENT_AUDIT_BACK_H

#include "client/audit_find.h"
#include "model/record.h"
#include "tlog/leaf.h"

struct audit_back {
    struct audit_find *find; /* borrowed */
    struct checkpoint head;  /* the first page's */
    uint64_t below;          /* leaves from here on were looked at: 0 is the end */
    uint64_t width;          /* of the next window */
    bool is_begun;
};

void audit_back_init(struct audit_back *back, struct audit_find *find);

struct audit_row {
    struct leaf leaf;
    struct record record;
    struct audit_entry entry;
    struct bytes note; /* the checkpoint that its path leads to */
};

/* Descending; in the arena. */
struct audit_rows {
    struct audit_row **items;
    size_t count;
};

/*
 * Goes on until it has about so many (1 to 256; at most twice as many come, for they come in whole
 * windows), or AUDIT_BACK_MS have passed, or nothing is left (below is 0). May be none, and not the
 * end.
 */
#define AUDIT_BACK_MS 120
MUST_CHECK enum rc audit_back_some(struct audit_back *back, size_t wanted, struct arena *arena,
                                   struct audit_rows *rows, struct fault *fault);

#endif
