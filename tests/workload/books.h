/*
 * books - what institutions wrote down by themselves of what they did (adapters/simulated/year.py),
 * to hold against what the logs say.
 *
 *     books_read for each institution, books_end once, then questions
 *
 * A line is "accion FOLIO MEDIDA OCURRENCIA AAAA-MM-DD CLAVE" or "canalizacion REFERENCIA", parted
 * by tabs; the same one twice is one. Any other line is refused: a book that cannot be read proves
 * nothing. Single-threaded.
 */
#ifndef WORKLOAD_BOOKS_H
#define WORKLOAD_BOOKS_H

#include "base/own.h"
#include "base/rc.h"
#include "model/id.h"

struct books;

/* last_day "2019-12-12", included: what was done later is another report's. NULL: no memory. */
struct books *books_new(const char *last_day);
void books_free(struct books *books);
OWN_PTR_DEFINE(books)

/* A file that is not there is an empty book. RC_DATA_LOSS, logged, with the line. */
MUST_CHECK enum rc books_read(struct books *books, const char *member, const char *path);
/* Once, after the last book and before the first question. */
void books_end(struct books *books);

bool books_has(const struct books *books, const char *member, const struct id *exchange,
               uint32_t item, uint32_t occurrence);
/* Actions up to the last day; of all institutions with NULL. */
size_t books_actions(const struct books *books, const char *member);
/* People whom institutions referred by themselves. */
size_t books_referrals(const struct books *books);

#endif
