/*
 * tagbook - the rows of tag keys, found by name, and added at the end.
 *
 *     tag         by number (numbered.h): the name, then the wrapped key
 *     tagindex    SHA-256(name)[16] -> u64 number
 *     format      "tagindex" -> u64: rows below this number are listed
 *
 * Half of the messages of a busy day bring a new person. A row that stood by its name would land
 * anywhere in its table, and each commit would write a page for each of them. So rows are numbered
 * in the order of their coming, the newest are found through memory (tagtail.h), and
 * tagbook_tidy lists them in sorted runs when the writer has little to do, or when there are
 * TAGBOOK_TAIL_MAX of them. The map in memory is read again from the rows at start; the rows alone
 * say what is true: every answer is checked against the name in the row.
 *
 * Any thread, but the writing calls belong to the writer's.
 */
#ifndef STORE_TAGBOOK_H
#define STORE_TAGBOOK_H

#include "base/bytes.h"
#include "base/own.h"

#define TAGBOOK_TAIL_MAX ((size_t)1 << 19)

struct tagbook;
struct txn;
struct writer;

/* NULL when out of memory. One for each environment. */
struct tagbook *tagbook_new(void);
/* The writer must be stopped. */
void tagbook_free(struct tagbook *book);
OWN_PTR_DEFINE(tagbook)

/* What was wrapped under this name; borrowed from the transaction. RC_NOT_FOUND. */
MUST_CHECK enum rc tagbook_find(struct tagbook *book, struct txn *txn, struct bytes name,
                                struct bytes *wrapped);
/* In a write transaction. Makes the row, or replaces what it wraps. */
MUST_CHECK enum rc tagbook_put(struct tagbook *book, struct txn *txn, struct bytes name,
                               struct bytes wrapped);

/* The same for a name that tagbook_find has just not found in this transaction: one look less. */
MUST_CHECK enum rc tagbook_add(struct tagbook *book, struct txn *txn, struct bytes name,
                               struct bytes wrapped);

/* The row of a number, from 0 on; borrowed. RC_NOT_FOUND past the last one. */
MUST_CHECK enum rc tagbook_at(struct txn *txn, uint64_t number, struct bytes *name,
                              struct bytes *wrapped);

/*
 * Begins to list what is not listed yet, a bounded number of rows with each of the writer's
 * commits, and goes on by itself; does nothing while it is under way, or while the writer is busy
 * and the tail is short. Call it every second or so, from one thread. RC_OK also when there is
 * nothing to do.
 */
MUST_CHECK enum rc tagbook_tidy(struct tagbook *book, struct writer *writer);
/* Rows that are found through memory. */
size_t tagbook_tail(struct tagbook *book);

#endif
