#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/answered.h"
#include "client/receipt_file.h"
#include "client/send.h"
#include "rpc/codec.h"
#include "sdk/adapter_parts.h"

/* What was answered is asked about in small portions. */
#define KEPT_AT_ONCE 64
#define KEPT_EVERY_MS 5000

struct adapter_stream *adapter_stream_for(struct adapter *adapter, enum urgency urgency)
{
    return &adapter->streams[urgency == URGENCY_URGENT ? 0 : 1];
}

/* ---- on a stream's thread ---- */

void adapter_on_result(struct attach_user *user, const struct submit_result *result,
                       const uint8_t commitment[HASH_SIZE])
{
    struct adapter_stream *stream = (struct adapter_stream *)user;
    struct adapter_arrival *arrival = calloc(1, sizeof *arrival);
    struct receipt_file file = {.message_id = result->message_id, .count = 1};

    if (arrival == NULL) {
        return; /* the debt stays, and is paid again after the next start */
    }
    arrival->kind = ARRIVAL_RESULT;
    arrival->stream = stream;
    arrival->id = result->message_id;
    arrival->fault = result->fault;
    if (result->fault.rc == RC_OK) {
        memcpy(file.commitment, commitment, HASH_SIZE);
        file.receipts[0] = result->receipt;
        receipt_file_write(&file, &arrival->bytes);
    }
    if (arrival->bytes.is_failed || inbox_put(stream->adapter->arrivals, &arrival->item) != RC_OK) {
        adapter_arrival_free(arrival);
    }
}

/* ---- on the adapter's thread ---- */

enum rc adapter_owe(struct adapter *adapter)
{
    struct adapter_drafts *drafts = &adapter->drafts;
    struct spool_entry *entries;
    enum rc rc;

    if (drafts->count == 0) {
        return RC_OK;
    }
    entries = calloc(drafts->count, sizeof *entries);
    if (entries == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < drafts->count; i++) {
        entries[i] = (struct spool_entry){SPOOL_OUTBOX, drafts->items[i].id,
                                          buffer_bytes(&drafts->items[i].request)};
    }
    rc = spool_store(adapter->spool, entries, drafts->count);
    free(entries);
    for (size_t i = 0; rc == RC_OK && i < drafts->count; i++) {
        const struct adapter_draft *draft = &drafts->items[i];
        struct adapter_stream *stream = adapter_stream_for(adapter, draft->urgency);

        rc = idset_add(&adapter->said, &draft->id);
        if (rc == RC_OK) {
            rc = debts_add(&stream->debts, &draft->id, &draft->exchange_id);
        }
    }
    adapter_drafts_cut(drafts, 0);
    return rc;
}

static enum rc owe_one(struct adapter *adapter, const struct id *id, struct arena *arena)
{
    OWN(buffer) request = {0};
    struct submission *submission = arena_alloc(arena, sizeof *submission);
    const struct header *header;
    struct fault fault = {0};

    if (submission == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(spool_read(adapter->spool, SPOOL_OUTBOX, id, &request));
    TRY(codec_submit_read(buffer_bytes(&request), arena, submission, &fault));
    header = &submission->message.header;
    return debts_add(&adapter_stream_for(adapter, header->urgency)->debts, id,
                     &header->exchange_id);
}

enum rc adapter_owe_again(struct adapter *adapter)
{
    OWN(spool_ids) ids = {0};
    OWN_PTR(arena) arena = arena_new(ADAPTER_ARENA_MAX);

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(spool_list(adapter->spool, SPOOL_OUTBOX, &ids));
    for (size_t i = 0; i < ids.count; i++) {
        arena_reset(arena);
        if (spool_has(adapter->spool, SPOOL_RECEIPTS, &ids.items[i])) {
            spool_move(adapter->spool, SPOOL_OUTBOX, SPOOL_ANSWERED, &ids.items[i]);
            continue;
        }
        TRY(owe_one(adapter, &ids.items[i], arena));
    }
    return RC_OK;
}

/* An identity suspended for now, or a certificate just renewed, is not the message's fault. */
static bool may_pay_again(const struct fault *fault)
{
    return send_may_retry(fault->rc) || fault->rc == RC_UNAUTHENTICATED ||
           fault->rc == RC_DATA_LOSS || strncmp(fault->reason, "identity.", 9) == 0;
}

static void tell(struct adapter *adapter, const struct adapter_arrival *arrival)
{
    if (adapter->config.user->on_answer != NULL) {
        adapter->config.user->on_answer(adapter->config.user, adapter, &arrival->id,
                                        &arrival->fault);
    }
}

static void take_refusal(struct adapter *adapter, const struct adapter_arrival *arrival)
{
    struct adapter_stream *stream = arrival->stream;
    const struct fault *fault = &arrival->fault;
    bool waits_for_older =
        fault->rc == RC_FAILED_PRECONDITION && !debts_is_oldest(&stream->debts, &arrival->id);
    char id[ID_TEXT_SIZE];

    id_format(&arrival->id, id);
    if (may_pay_again(fault) || waits_for_older) {
        log_debug("act.again", "msg=%s reason=%s", id, fault->reason);
        debts_back(&stream->debts, &arrival->id);
        stream->again_ms = clock_monotonic_ms() + ADAPTER_RETRY_MS;
        return;
    }
    log_error("act.parked", "msg=%s rc=%s reason=%s path=%s", id, rc_name(fault->rc), fault->reason,
              fault->path);
    spool_park(adapter->spool, &arrival->id, fault);
    debts_settle(&stream->debts, &arrival->id);
    adapter->figures.parked++;
    tell(adapter, arrival);
}

enum rc adapter_settle(struct adapter *adapter, struct adapter_arrival *const *batch, size_t count)
{
    struct spool_entry entries[ADAPTER_BATCH_MAX];
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        if (batch[i]->kind == ARRIVAL_RESULT && batch[i]->fault.rc == RC_OK) {
            entries[used++] =
                (struct spool_entry){SPOOL_RECEIPTS, batch[i]->id, buffer_bytes(&batch[i]->bytes)};
        }
    }
    if (used > 0) {
        TRY(spool_store(adapter->spool, entries, used));
    }
    for (size_t i = 0; i < count; i++) {
        if (batch[i]->kind != ARRIVAL_RESULT) {
            continue;
        }
        if (batch[i]->fault.rc != RC_OK) {
            take_refusal(adapter, batch[i]);
            continue;
        }
        spool_move(adapter->spool, SPOOL_OUTBOX, SPOOL_ANSWERED, &batch[i]->id);
        debts_settle(&batch[i]->stream->debts, &batch[i]->id);
        adapter->figures.said++;
        tell(adapter, batch[i]);
    }
    return RC_OK;
}

/* Blocks for a question or some: only where nothing else waits. */
void adapter_look_at_kept(struct adapter *adapter)
{
    OWN_PTR(arena) arena = arena_new(ADAPTER_ARENA_MAX);
    struct answered_look look = {.most = KEPT_AT_ONCE, .from = adapter->kept_from};
    struct fault fault = {0};

    if (clock_monotonic_ms() < adapter->kept_ms || arena == NULL) {
        return;
    }
    adapter->kept_ms = clock_monotonic_ms() + KEPT_EVERY_MS;
    if (answered_check(adapter->session, adapter->spool, &look, &fault) == RC_OK) {
        adapter->kept_from = look.from;
        if (!id_is_zero(&look.from)) {
            adapter->kept_ms = 0; /* the next portion, when nothing else waits */
        }
    }
    for (size_t i = 0; i < look.lost.count; i++) {
        arena_reset(arena);
        if (owe_one(adapter, &look.lost.items[i], arena) != RC_OK) {
            log_warn("kept.later", "it is looked at again at the next start");
        }
    }
    spool_ids_release(&look.lost);
}

static enum rc pay_stream(struct adapter *adapter, struct adapter_stream *stream)
{
    OWN(buffer) request = {0};
    struct debt *debt;

    if (clock_monotonic_ms() < stream->again_ms) {
        return RC_OK;
    }
    while ((debt = debts_next(&stream->debts)) != NULL) {
        enum rc rc = spool_read(adapter->spool, SPOOL_OUTBOX, &debt->id, &request);

        if (rc == RC_OK) {
            rc = attach_submit(stream->attach, buffer_bytes(&request));
        }
        if (rc == RC_RESOURCE_EXHAUSTED) {
            return RC_OK; /* the stream is full: its answers make room */
        }
        TRY(rc);
        debts_out(&stream->debts, debt);
    }
    return RC_OK;
}

enum rc adapter_pay(struct adapter *adapter)
{
    TRY(pay_stream(adapter, &adapter->streams[0]));
    return pay_stream(adapter, &adapter->streams[1]);
}
