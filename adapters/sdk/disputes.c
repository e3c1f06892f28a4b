#include "sdk/disputes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/book.h"

#define MINUTE_MS 60000
#define ENTRY_MAX (ID_TEXT_SIZE + 12)

struct disputes {
    struct book *book;
};

_Static_assert(DISPUTES_KEPT *ENTRY_MAX <= BOOK_VALUE_MAX, "a row holds them");

enum rc disputes_open(const char *folder, struct disputes **disputes)
{
    OWN_PTR(disputes) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(book_open(folder, "disputes", &made->book));
    *disputes = MOVE(made);
    return RC_OK;
}

void disputes_free(struct disputes *disputes)
{
    if (disputes != NULL) {
        book_free(disputes->book);
        free(disputes);
    }
}

/* The row of an exchange; "" when it has none. */
static void read_row(struct disputes *disputes, const struct id *exchange_id,
                     char key[ID_TEXT_SIZE], char row[BOOK_VALUE_MAX + 1])
{
    id_format(exchange_id, key);
    if (book_find(disputes->book, key, row) != RC_OK) {
        row[0] = '\0';
    }
}

/* The next "<id>/<item>" of a row; false after the last. */
static bool next_entry(const char **at, struct id *id, uint32_t *item)
{
    char text[ID_TEXT_SIZE];
    int used = 0;

    if (sscanf(*at, " %36[0-9a-f-]/%u%n", text, item, &used) != 2 || id_parse(text, id) != RC_OK) {
        return false;
    }
    *at += used;
    return true;
}

enum rc disputes_note(struct disputes *disputes, const struct header *act)
{
    char key[ID_TEXT_SIZE];
    char id[ID_TEXT_SIZE];
    char row[BOOK_VALUE_MAX + 1];
    char wider[BOOK_VALUE_MAX + ENTRY_MAX];
    const char *kept = wider;
    size_t count = 1;

    if (act->type != MESSAGE_ACT || act->event != EVENT_DISPUTE) {
        return RC_OK;
    }
    read_row(disputes, &act->exchange_id, key, row);
    id_format(&act->message_id, id);
    if (strstr(row, id) != NULL) {
        return RC_OK;
    }
    for (const char *space = row; (space = strchr(space, ' ')) != NULL; space++) {
        count++;
    }
    snprintf(wider, sizeof wider, "%s%s%s/%u", row, row[0] != '\0' ? " " : "", id, act->item);
    if (row[0] != '\0' && count == DISPUTES_KEPT) {
        kept = strchr(wider, ' ') + 1;
    }
    return book_put(disputes->book, key, kept);
}

struct id disputes_round(struct disputes *disputes, const struct id *exchange_id, uint32_t item,
                         int64_t occurred_ms)
{
    char key[ID_TEXT_SIZE];
    char row[BOOK_VALUE_MAX + 1];
    const char *at = row;
    struct id round = {0};
    struct id dispute;
    uint32_t disputed;

    read_row(disputes, exchange_id, key, row);
    while (next_entry(&at, &dispute, &disputed)) {
        if ((item == 0 || disputed == 0 || disputed == item) &&
            id_instant_ms(&dispute) / MINUTE_MS <= occurred_ms / MINUTE_MS) {
            round = dispute;
        }
    }
    return round;
}
