#include "relay/backlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "store/outbox.h"

/* Members, their systems and peer nodes of one directory: names are checked before they come here.
 */
#define DESTINATIONS_MAX 4096
#define SCAN_MAX 256

struct row {
    char destination[OUTBOX_DESTINATION_MAX + 1];
    uint64_t waiting;
};

struct backlog {
    uint64_t max;
    size_t used;
    struct row rows[DESTINATIONS_MAX];
};

static struct row *find_row(struct backlog *backlog, const char *destination)
{
    for (size_t i = 0; i < backlog->used; i++) {
        if (strcmp(backlog->rows[i].destination, destination) == 0) {
            return &backlog->rows[i];
        }
    }
    return NULL;
}

static struct row *make_row(struct backlog *backlog, const char *destination)
{
    struct row *row = find_row(backlog, destination);

    if (row != NULL) {
        return row;
    }
    if (backlog->used == DESTINATIONS_MAX) {
        return NULL;
    }
    snprintf(backlog->rows[backlog->used].destination, sizeof backlog->rows[0].destination, "%s",
             destination);
    return &backlog->rows[backlog->used++];
}

static enum rc count_class(struct txn *txn, const char *destination, enum urgency urgency,
                           uint64_t *waiting)
{
    struct outbox_entry entries[SCAN_MAX];
    uint64_t after = OUTBOX_START;
    size_t count = SCAN_MAX;

    while (count == SCAN_MAX) {
        TRY(outbox_scan(txn, destination, urgency, after, entries, SCAN_MAX, &count));
        *waiting += count;
        after = count > 0 ? entries[count - 1].index : after;
    }
    return RC_OK;
}

static enum rc count_all(struct backlog *backlog, struct db *db)
{
    char destination[OUTBOX_DESTINATION_MAX + 1] = "";
    char next[OUTBOX_DESTINATION_MAX + 1];
    OWN_READ(txn) = NULL;

    TRY(txn_read(db, &txn));
    while (outbox_next_destination(txn, destination, next) == RC_OK) {
        struct row *row = make_row(backlog, next);

        if (row == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        TRY(count_class(txn, next, URGENCY_URGENT, &row->waiting));
        TRY(count_class(txn, next, URGENCY_ORDINARY, &row->waiting));
        memcpy(destination, next, sizeof destination);
    }
    return RC_OK;
}

enum rc backlog_new(struct db *db, uint64_t max, struct backlog **out)
{
    struct backlog *backlog = calloc(1, sizeof *backlog);
    enum rc rc;

    if (backlog == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    backlog->max = max;
    rc = count_all(backlog, db);
    if (rc != RC_OK) {
        free(backlog);
        return rc;
    }
    *out = backlog;
    return RC_OK;
}

void backlog_free(struct backlog *backlog)
{
    free(backlog);
}

enum rc backlog_check(struct backlog *backlog, const char *destination, enum urgency urgency,
                      struct fault *fault)
{
    const struct row *row = find_row(backlog, destination);
    uint64_t max = urgency == URGENCY_URGENT ? backlog->max + backlog->max / 10 + 1 : backlog->max;

    if (row == NULL || row->waiting < max) {
        return RC_OK;
    }
    return refuse(fault, RC_RESOURCE_EXHAUSTED, "outbox.full", "header.to",
                  "Hay demasiados mensajes esperando a ese destino; reintente más tarde y avise al "
                  "operador del nodo.");
}

void backlog_count(struct backlog *backlog, const char *destination, int change)
{
    struct row *row = change > 0 ? make_row(backlog, destination) : find_row(backlog, destination);

    if (row != NULL && (change > 0 || row->waiting > 0)) {
        row->waiting = change > 0 ? row->waiting + 1 : row->waiting - 1;
    }
}
