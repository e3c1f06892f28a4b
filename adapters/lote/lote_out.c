#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "lote/lote.h"

#define SENT "lote "
#define RECEIVED "recibido "
#define REFUSED "rechazado "

/* ---- rows ---- */

static enum rc write_rows(struct lote *lote, const struct message *message,
                          struct lote_pending *pending)
{
    OWN_PTR(arena) arena = arena_new(LOTE_ARENA_MAX);
    const struct mapping *mapping = lote->context->mapping;
    struct reading reading;
    size_t count;
    const struct mapping_row *rows = mapping_out(mapping, &count);
    size_t items = message->header.item_count > 0 ? message->header.item_count : 1;
    const char *cells[CSV_COLUMNS_MAX];

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(reading_open(message, &lote->context->keys, arena, &reading));
    for (size_t item = 0; item < items; item++) {
        for (size_t i = 0; i < count; i++) {
            cells[i] = mapping_text(mapping, &rows[i], &reading,
                                    (struct reading_place){.item = (unsigned)item});
        }
        csv_write(&pending->rows, cells, count);
        pending->row_count++;
    }
    return pending->rows.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc make_pending(struct lote *lote, const struct message *message)
{
    struct lote_pending *made = calloc(1, sizeof *made);
    struct lote_pending **at = &lote->pending;
    enum rc rc;

    if (made == NULL || lote->pending_count == LOTE_PENDING_MAX) {
        free(made);
        return RC_RESOURCE_EXHAUSTED;
    }
    made->id = message->header.message_id;
    made->is_urgent = message->header.urgency == URGENCY_URGENT;
    rc = write_rows(lote, message, made);
    if (rc != RC_OK) {
        buffer_release(&made->rows);
        free(made);
        return rc;
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = made;
    if (lote->pending_count++ == 0) {
        lote->pending_since_ms = clock_monotonic_ms();
    }
    return RC_OK;
}

static bool is_pending(const struct lote *lote, const struct id *id)
{
    for (const struct lote_pending *at = lote->pending; at != NULL; at = at->next) {
        if (id_equal(&at->id, id)) {
            return true;
        }
    }
    return false;
}

static enum rc refused_by_them(struct adapter *adapter, const struct message *message,
                               const char *why)
{
    struct fault fault = {0};

    (void)refuse(&fault, RC_FAILED_PRECONDITION, "agency.refused", "", "La institución: %s", why);
    return adapter_reject(adapter, message, "rechazado-por-la-institucion", &fault);
}

enum rc lote_on_message(struct lote *lote, struct adapter *adapter, const struct message *message)
{
    char id[ID_TEXT_SIZE];
    char state[BOOK_VALUE_MAX + 1];

    id_format(&message->header.message_id, id);
    if (book_find(lote->sent, id, state) != RC_OK) {
        if (!is_pending(lote, &message->header.message_id)) {
            TRY(make_pending(lote, message));
        }
        return RC_FAILED_PRECONDITION; /* until its batch is written */
    }
    if (strncmp(state, REFUSED, strlen(REFUSED)) == 0) {
        return refused_by_them(adapter, message, state + strlen(REFUSED));
    }
    if (strncmp(state, SENT, strlen(SENT)) == 0 && message_wants_custody(message->header.type)) {
        return RC_FAILED_PRECONDITION; /* until they say that they have it */
    }
    return RC_OK;
}

/* ---- batches ---- */

static enum rc next_name(struct lote *lote, char batch[MANIFEST_NAME_MAX + 1])
{
    char text[BOOK_VALUE_MAX + 1];
    char now[CLOCK_TEXT_SIZE];
    unsigned long number =
        book_find(lote->batches, "next", text) == RC_OK ? strtoul(text, NULL, 10) : 1;

    clock_format(clock_now_ms(), now);
    snprintf(batch, MANIFEST_NAME_MAX + 1, "%.40s-%.4s%.2s%.2s-%.2s%.2s%.2s-%06lu",
             lote->settings.prefix, now, now + 5, now + 8, now + 11, now + 14, now + 17, number);
    snprintf(text, sizeof text, "%lu", number + 1);
    return book_put(lote->batches, "next", text);
}

static enum rc put_file(struct lote *lote, const char *batch, const char *end, struct bytes bytes)
{
    char name[MANIFEST_NAME_MAX + 16];

    snprintf(name, sizeof name, "%s%s", batch, end);
    return dropfolder_write(lote->outgoing, name, bytes);
}

enum rc lote_put_batch(struct lote *lote, enum manifest_kind kind, const char *const *columns,
                       size_t column_count, struct bytes rows, size_t row_count,
                       char batch[MANIFEST_NAME_MAX + 1])
{
    struct manifest manifest = {.kind = kind, .rows = row_count, .column_count = column_count};
    OWN(buffer) file = {0};
    OWN(buffer) text = {0};
    OWN(buffer) signature = {0};
    struct bytes whole;

    TRY(next_name(lote, batch));
    csv_write(&file, columns, column_count);
    buffer_put_bytes(&file, rows);
    whole = buffer_bytes(&file);
    memcpy(manifest.columns, columns, column_count * sizeof columns[0]);
    snprintf(manifest.batch, sizeof manifest.batch, "%s", batch);
    snprintf(manifest.file, sizeof manifest.file, "%s.csv", batch);
    clock_format_local(clock_now_ms(), manifest.created);
    digest_of(&whole, 1, manifest.sha256);
    manifest_write(&manifest, &text);
    if (file.is_failed || text.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(filesig_sign(lote->signer, buffer_bytes(&text), &signature));
    TRY(put_file(lote, batch, ".csv", whole));
    TRY(put_file(lote, batch, ".json", buffer_bytes(&text)));
    return put_file(lote, batch, ".json.p7s", buffer_bytes(&signature));
}

static bool is_due(const struct lote *lote, int64_t now_ms)
{
    for (const struct lote_pending *at = lote->pending; at != NULL; at = at->next) {
        if (at->is_urgent) {
            return true;
        }
    }
    return lote->pending_count > 0 &&
           (lote->pending_count == LOTE_PENDING_MAX ||
            now_ms - lote->pending_since_ms >= lote->settings.every_s * 1000);
}

/* Those that went: a crash before this line puts them into another batch, with the same CLAVE. */
static enum rc remember(struct lote *lote, const char *batch, size_t count)
{
    char id[ID_TEXT_SIZE];
    char state[BOOK_VALUE_MAX + 1];

    snprintf(state, sizeof state, SENT "%s", batch);
    for (; count > 0; count--) {
        struct lote_pending *first = lote->pending;

        id_format(&first->id, id);
        TRY(book_put(lote->sent, id, state));
        lote->pending = first->next;
        lote->pending_count--;
        buffer_release(&first->rows);
        free(first);
    }
    lote->pending_since_ms = clock_monotonic_ms();
    return RC_OK;
}

enum rc lote_flush(struct lote *lote, int64_t now_ms)
{
    OWN(buffer) rows = {0};
    const char *columns[CSV_COLUMNS_MAX];
    char batch[MANIFEST_NAME_MAX + 1];
    size_t column_count;
    const struct mapping_row *names = mapping_out(lote->context->mapping, &column_count);
    size_t row_count = 0;
    size_t count = 0;

    if (!is_due(lote, now_ms)) {
        return RC_OK;
    }
    for (size_t i = 0; i < column_count; i++) {
        columns[i] = names[i].name;
    }
    for (const struct lote_pending *at = lote->pending; at != NULL; at = at->next) {
        if (row_count + at->row_count > CSV_ROWS_MAX ||
            rows.size + at->rows.size > CSV_BYTES_MAX / 2) {
            break;
        }
        buffer_put_bytes(&rows, buffer_bytes(&at->rows));
        row_count += at->row_count;
        count++;
    }
    TRY(lote_put_batch(lote, MANIFEST_MESSAGES, columns, column_count, buffer_bytes(&rows),
                       row_count, batch));
    log_info("batch.sent", "batch=%s messages=%zu rows=%zu", batch, count, row_count);
    return remember(lote, batch, count);
}

void lote_pending_free(struct lote *lote)
{
    while (lote->pending != NULL) {
        struct lote_pending *first = lote->pending;

        lote->pending = first->next;
        buffer_release(&first->rows);
        free(first);
    }
}
