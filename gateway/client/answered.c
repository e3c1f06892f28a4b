#include "client/answered.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/ask.h"
#include "tlog/note.h"
#include "tlog/tlog_proof.h"

#define ARENA_MAX ((size_t)1 << 20)
#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* The log's name, which is the first line of the checkpoint in the proof. */
static bool origin_of(const struct receipt *receipt, struct bytes *origin)
{
    struct tlog_proof proof;
    const uint8_t *end;

    if (tlog_proof_parse(receipt->tlog_proof, &proof) != RC_OK || proof.note.size == 0) {
        return false;
    }
    end = memchr(proof.note.data, '\n', proof.note.size);
    *origin = BYTES(proof.note.data, end != NULL ? (size_t)(end - proof.note.data) : 0);
    return end != NULL;
}

/* R0 of one log and R1 of another. What they prove is checked where they are used. */
static bool is_held_elsewhere(const struct receipts *receipts)
{
    struct bytes own = {0};
    struct bytes other;

    for (size_t i = 0; i < receipts->count; i++) {
        if (receipts->items[i].level == RECEIPT_HELD) {
            (void)origin_of(&receipts->items[i], &own);
        }
    }
    for (size_t i = 0; i < receipts->count; i++) {
        if (receipts->items[i].level == RECEIPT_RECEIVED &&
            origin_of(&receipts->items[i], &other) && !bytes_equal(own, other)) {
            return true;
        }
    }
    return false;
}

static enum rc add_lost(struct spool_ids *lost, const struct id *id)
{
    struct id *items = realloc(lost->items, (lost->count + 1) * sizeof *items);

    if (items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    lost->items = items;
    lost->items[lost->count++] = *id;
    return RC_OK;
}

static enum rc check_one(struct session *session, struct spool *spool, const struct id *id,
                         struct arena *arena, struct answered_look *look, struct fault *fault)
{
    struct receipts receipts = {0};
    enum rc rc = ask_receipts(session, id, arena, &receipts, fault);
    char text[ID_TEXT_SIZE];

    if (rc == RC_NOT_FOUND) {
        TRY(add_lost(&look->lost, id));
        spool_move(spool, SPOOL_ANSWERED, SPOOL_OUTBOX, id);
        id_format(id, text);
        log_warn("kept.lost", "msg=%s the node answered it and does not know it: sent again", text);
        *fault = (struct fault){0};
        return RC_OK;
    }
    TRY(rc);
    if (is_held_elsewhere(&receipts)) {
        spool_remove(spool, SPOOL_ANSWERED, id);
        look->settled++;
    }
    return RC_OK;
}

enum rc answered_check(struct session *session, struct spool *spool, struct answered_look *look,
                       struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    int64_t oldest_ms = clock_now_ms() - ANSWERED_DAYS * DAY_MS;
    OWN(spool_ids) ids = {0};
    size_t asked = 0;

    if (arena == NULL || spool_list(spool, SPOOL_ANSWERED, &ids) != RC_OK) {
        return refuse(fault, RC_UNAVAILABLE, "spool.failed", spool_path(spool),
                      "No se pudo leer la carpeta.");
    }
    for (size_t i = 0; i < ids.count; i++) {
        const struct id *id = &ids.items[i];

        if (id_instant_ms(id) < oldest_ms) {
            spool_remove(spool, SPOOL_ANSWERED, id);
            look->settled++;
            continue;
        }
        if (memcmp(id, &look->from, sizeof *id) < 0) {
            continue;
        }
        look->from = *id;
        if (look->most != 0 && asked++ == look->most) {
            return RC_OK;
        }
        arena_reset(arena);
        TRY(check_one(session, spool, id, arena, look, fault));
    }
    look->from = (struct id){{0}};
    return RC_OK;
}
