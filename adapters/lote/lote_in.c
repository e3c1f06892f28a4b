#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "lote/lote.h"

#define SIGNATURE_END ".json.p7s"
#define FILES 3

/* A batch on its way in: NAME.csv, NAME.json and NAME.json.p7s. */
struct incoming {
    char name[MANIFEST_NAME_MAX + 1];
    struct buffer csv;
    struct buffer json;
    struct buffer signature;
    struct manifest manifest;
    struct csv rows;
};

static const char *const ends[FILES] = {".csv", ".json", SIGNATURE_END};

static void incoming_release(struct incoming *incoming)
{
    buffer_release(&incoming->csv);
    buffer_release(&incoming->json);
    buffer_release(&incoming->signature);
}

/* ---- reading ---- */

static enum rc read_files(struct lote *lote, struct incoming *incoming, struct fault *fault)
{
    struct buffer *const into[FILES] = {&incoming->csv, &incoming->json, &incoming->signature};
    static const size_t most[FILES] = {CSV_BYTES_MAX, MANIFEST_BYTES_MAX, FILESIG_MAX};

    for (size_t i = 0; i < FILES; i++) {
        char name[MANIFEST_NAME_MAX + 16];
        enum rc rc;

        snprintf(name, sizeof name, "%s%s", incoming->name, ends[i]);
        rc = dropfolder_read(lote->incoming, name, most[i], into[i]);
        if (rc == RC_NOT_FOUND) {
            return refuse(fault, RC_INVALID_ARGUMENT, "batch.incomplete", name,
                          "Falta ese archivo: la firma se entrega al final.");
        }
        if (rc != RC_OK) {
            return refuse(fault, rc, "batch.too_long", name, "El archivo es demasiado grande.");
        }
    }
    return RC_OK;
}

static enum rc open_batch(struct lote *lote, struct incoming *incoming, struct arena *arena,
                          struct fault *fault)
{
    TRY(read_files(lote, incoming, fault));
    TRY(filesig_verify(lote->signers, buffer_bytes(&incoming->json),
                       buffer_bytes(&incoming->signature), clock_now_ms(), fault));
    TRY(manifest_read(buffer_bytes(&incoming->json), arena, &incoming->manifest, fault));
    if (strcmp(incoming->manifest.batch, incoming->name) != 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "manifest.value", "lote",
                      "El lote no se llama como su archivo.");
    }
    if (incoming->manifest.kind == MANIFEST_MESSAGES) {
        return refuse(fault, RC_INVALID_ARGUMENT, "manifest.value", "tipo",
                      "De la institución se esperan estados, canalizaciones o rechazos.");
    }
    return manifest_open(&incoming->manifest, buffer_bytes(&incoming->csv), arena, &incoming->rows,
                         fault);
}

/* ---- rows ---- */

static const char *const refusal_columns[] = {"LOTE", "RENGLON", "MOTIVO", "REMEDIO"};

static void tell_row(struct buffer *rows, const char *batch, size_t row, const struct fault *fault)
{
    char number[24];
    const char *cells[] = {batch, number, fault->reason, fault->remedy};

    snprintf(number, sizeof number, "%zu", row + 2); /* as a spreadsheet counts: the header is 1 */
    csv_write(rows, cells, 4);
}

/* What they did not take of a batch of ours: for a person, on both sides. */
static void hear_refusals(const struct incoming *incoming)
{
    log_error("batch.refused_by_agency", "batch=%s rows=%zu", incoming->name, incoming->rows.rows);
}

/* Waits for the disk, the clock or the node: the batch is read again. */
static bool is_ours(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_RESOURCE_EXHAUSTED || rc == RC_INTERNAL;
}

static enum rc apply(struct lote *lote, struct adapter *adapter, const struct incoming *incoming,
                     struct buffer *refusals, size_t *refused)
{
    for (size_t row = 0; row < incoming->rows.rows; row++) {
        struct fault fault = {0};
        enum rc rc =
            incoming->manifest.kind == MANIFEST_STATES
                ? lote_state(lote, adapter, &incoming->rows, row, incoming->manifest.sha256, &fault)
                : lote_new(lote, adapter, &incoming->rows, row, &fault);

        if (is_ours(rc)) {
            return rc;
        }
        if (rc != RC_OK) {
            tell_row(refusals, incoming->name, row, &fault);
            log_warn("row.refused", "batch=%s row=%zu reason=%s", incoming->name, row + 2,
                     fault.reason);
            (*refused)++;
        }
    }
    return RC_OK;
}

/* ---- one batch ---- */

static void put_away(struct lote *lote, const char *batch, const struct fault *why)
{
    for (size_t i = 0; i < FILES; i++) {
        char name[MANIFEST_NAME_MAX + 16];
        enum rc rc = RC_OK;

        snprintf(name, sizeof name, "%s%s", batch, ends[i]);
        if (dropfolder_has(lote->incoming, name)) {
            rc = why != NULL ? dropfolder_refuse(lote->incoming, name, why)
                             : dropfolder_take(lote->incoming, name);
        }
        if (rc != RC_OK) {
            log_warn("batch.not_moved", "name=%s rc=%s", name, rc_name(rc));
        }
    }
}

static enum rc tell_them(struct lote *lote, struct bytes rows, size_t count)
{
    char batch[MANIFEST_NAME_MAX + 1];

    return lote_put_batch(lote, MANIFEST_REFUSALS, refusal_columns, 4, rows, count, batch);
}

static void refuse_batch(struct lote *lote, const char *batch, const struct fault *fault)
{
    OWN(buffer) rows = {0};
    const char *cells[] = {batch, "", fault->reason, fault->remedy};

    log_error("batch.refused", "batch=%s reason=%s path=%s", batch, fault->reason, fault->path);
    csv_write(&rows, cells, 4);
    if (tell_them(lote, buffer_bytes(&rows), 1) == RC_OK) {
        put_away(lote, batch, fault);
    }
}

static enum rc take_batch(struct lote *lote, struct adapter *adapter,
                          const struct incoming *incoming)
{
    OWN(buffer) refusals = {0};
    size_t refused = 0;

    if (incoming->manifest.kind == MANIFEST_REFUSALS) {
        hear_refusals(incoming);
    } else {
        TRY(apply(lote, adapter, incoming, &refusals, &refused));
    }
    if (refused > 0) {
        TRY(tell_them(lote, buffer_bytes(&refusals), refused));
    }
    log_info("batch.taken", "batch=%s rows=%zu refused=%zu", incoming->name, incoming->rows.rows,
             refused);
    return RC_OK;
}

/* What the batch said becomes durable when this tick is over: only then it is put away. */
static void remember(struct lote *lote, const char *batch, const char *key)
{
    struct lote_applied *applied = &lote->applied[lote->applied_count++];

    snprintf(applied->batch, sizeof applied->batch, "%s", batch);
    snprintf(applied->key, sizeof applied->key, "%s", key);
}

static void finish_applied(struct lote *lote)
{
    for (size_t i = 0; i < lote->applied_count; i++) {
        const struct lote_applied *applied = &lote->applied[i];

        if (book_put(lote->read, applied->key, applied->batch) == RC_OK) {
            put_away(lote, applied->batch, NULL);
        }
    }
    lote->applied_count = 0;
}

static void read_batch(struct lote *lote, struct adapter *adapter, struct incoming *incoming)
{
    OWN_PTR(arena) arena = arena_new(LOTE_ARENA_MAX);
    struct fault fault = {0};
    uint8_t digest[DIGEST_SIZE];
    char key[2 * DIGEST_SIZE + 1];
    char known[BOOK_VALUE_MAX + 1];
    struct bytes json;
    enum rc rc = arena != NULL ? open_batch(lote, incoming, arena, &fault) : RC_RESOURCE_EXHAUSTED;

    if (is_ours(rc) && fault.reason[0] == '\0') {
        return;
    }
    if (rc != RC_OK) {
        refuse_batch(lote, incoming->name, &fault);
        return;
    }
    json = buffer_bytes(&incoming->json);
    digest_of(&json, 1, digest);
    hex_encode(digest, DIGEST_SIZE, key);
    if (book_find(lote->read, key, known) == RC_OK) {
        put_away(lote, incoming->name, NULL);
    } else if (take_batch(lote, adapter, incoming) == RC_OK) {
        remember(lote, incoming->name, key);
    }
}

void lote_read(struct lote *lote, struct adapter *adapter)
{
    struct dropfolder_names names;
    size_t end = strlen(SIGNATURE_END);

    finish_applied(lote);
    if (dropfolder_list(lote->incoming, &names) != RC_OK) {
        return;
    }
    for (size_t i = 0; i < names.count && lote->applied_count < LOTE_APPLIED_MAX; i++) {
        OWN(incoming) incoming = {0};
        size_t length = strlen(names.items[i]);

        if (length > end && length - end <= MANIFEST_NAME_MAX &&
            strcmp(names.items[i] + length - end, SIGNATURE_END) == 0) {
            memcpy(incoming.name, names.items[i], length - end);
            read_batch(lote, adapter, &incoming);
        }
    }
    dropfolder_names_release(&names);
}
