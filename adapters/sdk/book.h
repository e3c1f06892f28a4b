/*
 * book - a small durable table of texts: what an adapter must remember of the agency's world.
 *
 * One file of lines "key TAB value", appended and synced, the last line of a key counts; a last
 * line that a crash cut off is cut away at opening. Keys and values are UTF-8 without control
 * characters: BOOK_KEY_MAX and BOOK_VALUE_MAX bytes. All of it is held in memory, at most
 * BOOK_ROWS_MAX rows: books are for references, not for content. Rewritten without stale lines
 * when it is opened and more than half of it is stale.
 *
 * Any thread: a lock inside.
 */
#ifndef SDK_BOOK_H
#define SDK_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/rc.h"

#define BOOK_KEY_MAX 160
#define BOOK_VALUE_MAX 1024
#define BOOK_ROWS_MAX ((size_t)1 << 20)

struct book;

/* `name` becomes <folder>/<name>.book, 0600. RC_DATA_LOSS (logged, with the line): a whole line
 * that is none. */
MUST_CHECK enum rc book_open(const char *folder, const char *name, struct book **book);
void book_free(struct book *book);
OWN_PTR_DEFINE(book)

/*
 * Durable on return. The value that stands already costs nothing. RC_INVALID_ARGUMENT: a key or a
 * value that the file cannot hold; RC_RESOURCE_EXHAUSTED; RC_UNAVAILABLE: the disk (logged).
 */
MUST_CHECK enum rc book_put(struct book *book, const char *key, const char *value);
/* RC_NOT_FOUND, silently. */
MUST_CHECK enum rc book_find(struct book *book, const char *key, char value[BOOK_VALUE_MAX + 1]);
size_t book_count(struct book *book);

/* Every row in the order of its first line, until `each` says otherwise; the book is locked
 * meanwhile. */
void book_each(struct book *book, bool (*each)(void *context, const char *key, const char *value),
               void *context);

#endif
