#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/receipt_file.h"
#include "rpc/codec.h"
#include "sdk/adapter_parts.h"
#include "sdk/disputes.h"

/* ---- on a stream's thread ---- */

void adapter_arrival_free(struct adapter_arrival *arrival)
{
    if (arrival != NULL) {
        if (arrival->bytes.data != NULL) {
            explicit_bzero(arrival->bytes.data, arrival->bytes.size);
        }
        buffer_release(&arrival->bytes);
        buffer_release(&arrival->evidence);
        free(arrival);
    }
}

/* Verified by client/attach already. */
static void write_evidence(const struct delivery *delivery, const uint8_t commitment[HASH_SIZE],
                           struct buffer *out)
{
    struct receipt_file file = {.message_id = delivery->message->header.message_id,
                                .receipts = {delivery->sender_receipt, delivery->receipt},
                                .count = 2};

    memcpy(file.commitment, commitment, HASH_SIZE);
    receipt_file_write(&file, out);
}

bool adapter_on_delivery(struct attach_user *user, const struct delivery *delivery,
                         const uint8_t commitment[HASH_SIZE])
{
    struct adapter_stream *stream = (struct adapter_stream *)user;
    struct adapter_arrival *arrival = calloc(1, sizeof *arrival);

    if (arrival == NULL) {
        return false;
    }
    arrival->kind = ARRIVAL_DELIVERY;
    arrival->stream = stream;
    arrival->id = delivery->message->header.message_id;
    arrival->was_settled = delivery->was_settled;
    codec_message_write(delivery->message, &arrival->bytes);
    if (stream->adapter->config.keeps_receipts) {
        write_evidence(delivery, commitment, &arrival->evidence);
    }
    if (arrival->bytes.is_failed || arrival->evidence.is_failed ||
        inbox_put(stream->adapter->arrivals, &arrival->item) != RC_OK) {
        adapter_arrival_free(arrival);
        return false;
    }
    return true;
}

/* ---- on the adapter's thread ---- */

/* A message of the batch while it is dealt with. */
struct dealing {
    struct adapter_stream *stream; /* NULL: from the inbox of the spool */
    struct bytes bytes;
    struct bytes evidence;
    struct arena *arena;
    struct message *message;
    bool is_new;   /* else known: only answered again */
    bool is_dealt; /* on_message said so */
    bool is_kept;  /* stands in the inbox of the spool */
    bool was_settled;
};

static enum rc decode(struct dealing *dealing)
{
    struct fault fault = {0};

    dealing->arena = arena_new(ADAPTER_ARENA_MAX);
    if (dealing->arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    dealing->message = arena_alloc(dealing->arena, sizeof *dealing->message);
    if (dealing->message == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return codec_message_read(dealing->bytes, dealing->arena, dealing->message, &fault);
}

/* What acts and reports need of an opening, without any of its content. */
static enum rc header_only(const struct message *message, struct arena *arena, struct bytes *out)
{
    struct message *bare = arena_alloc(arena, sizeof *bare);
    OWN(buffer) bytes = {0};

    if (bare == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    bare->header_bytes = message->header_bytes;
    bare->header_blind = message->header_blind;
    codec_message_write(bare, &bytes);
    *out = arena_copy(arena, buffer_bytes(&bytes));
    return out->data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

/* On our disk before anything else: both files of each opening, one sync for all. */
static enum rc keep(struct adapter *adapter, struct dealing *dealings, size_t count)
{
    struct spool_entry entries[3 * ADAPTER_BATCH_MAX];
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        struct dealing *dealing = &dealings[i];
        const struct header *header = &dealing->message->header;

        if (!dealing->is_new || dealing->is_kept) {
            continue;
        }
        if (dealing->evidence.size > 0) {
            entries[used++] =
                (struct spool_entry){SPOOL_EVIDENCE, header->message_id, dealing->evidence};
        }
        if (!message_wants_custody(header->type)) {
            continue;
        }
        if (message_opens(dealing->message)) {
            struct spool_entry *entry = &entries[used++];

            *entry = (struct spool_entry){SPOOL_EXCHANGES, header->exchange_id, {0}};
            TRY(header_only(dealing->message, dealing->arena, &entry->bytes));
        }
        entries[used++] = (struct spool_entry){SPOOL_INBOX, header->message_id, dealing->bytes};
        dealing->is_kept = true;
    }
    return used > 0 ? spool_store(adapter->spool, entries, used) : RC_OK;
}

/* It stays with us until it can be dealt with; the node need not keep it for us. */
static enum rc undealt(struct adapter *adapter, struct dealing *dealing, enum rc rc)
{
    const struct id *id = &dealing->message->header.message_id;
    struct spool_entry entry = {SPOOL_INBOX, *id, dealing->bytes};
    char text[ID_TEXT_SIZE];

    id_format(id, text);
    log_line(rc == RC_FAILED_PRECONDITION ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "message.undealt",
             "msg=%s rc=%s", text, rc_name(rc));
    adapter->figures.undealt++;
    adapter->again_ms = clock_monotonic_ms() + ADAPTER_RETRY_MS;
    if (!dealing->is_kept) {
        TRY(spool_store(adapter->spool, &entry, 1));
        dealing->is_kept = true;
    }
    return idset_add(&adapter->undealt, id);
}

static enum rc deal(struct adapter *adapter, struct dealing *dealing)
{
    const struct message *message = dealing->message;
    size_t before = adapter->drafts.count;
    enum rc rc;

    if (message_wants_custody(message->header.type) && !dealing->was_settled) {
        TRY(adapter_say_custody(adapter, message)); /* before what else is said of it */
    }
    if (!dealing->is_new) {
        return RC_OK;
    }
    TRY(disputes_note(adapter->disputes, &message->header));
    rc = adapter->config.user->on_message(adapter->config.user, adapter, message);
    if (rc != RC_OK) {
        adapter_drafts_cut(&adapter->drafts, before);
        return undealt(adapter, dealing, rc);
    }
    dealing->is_dealt = true;
    return ledger_add(adapter->ledger, &message->header);
}

/* After the commit: nothing of it is needed in the inbox, and the node may forget it too. */
static void finish(struct adapter *adapter, const struct dealing *dealing)
{
    const struct header *header = &dealing->message->header;

    if (dealing->is_kept && dealing->is_dealt) {
        spool_remove(adapter->spool, SPOOL_INBOX, &header->message_id);
    }
    if (dealing->stream != NULL && (dealing->was_settled || !message_wants_custody(header->type)) &&
        (dealing->is_dealt || dealing->is_kept || !dealing->is_new) &&
        attach_acknowledge(dealing->stream->attach, &header->message_id) != RC_OK) {
        log_debug("acknowledge.later", "stream=%d", (int)dealing->stream->urgency);
    }
}

static enum rc take_all(struct adapter *adapter, struct dealing *dealings, size_t count)
{
    TRY(keep(adapter, dealings, count));
    for (size_t i = 0; i < count; i++) {
        TRY(deal(adapter, &dealings[i]));
    }
    TRY(adapter_owe(adapter));
    TRY(ledger_sync(adapter->ledger));
    for (size_t i = 0; i < count; i++) {
        finish(adapter, &dealings[i]);
    }
    return RC_OK;
}

static bool is_among(const struct dealing *dealings, size_t count, const struct id *id)
{
    for (size_t i = 0; i < count; i++) {
        if (id_equal(&dealings[i].message->header.message_id, id)) {
            return true;
        }
    }
    return false;
}

enum rc adapter_take(struct adapter *adapter, struct adapter_arrival *const *batch, size_t count)
{
    struct dealing dealings[ADAPTER_BATCH_MAX] = {0};
    size_t used = 0;
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        struct dealing *dealing = &dealings[used];

        if (batch[i]->kind != ARRIVAL_DELIVERY || is_among(dealings, used, &batch[i]->id) ||
            idset_find(&adapter->undealt, &batch[i]->id) != NULL) {
            continue;
        }
        *dealing = (struct dealing){.stream = batch[i]->stream,
                                    .bytes = buffer_bytes(&batch[i]->bytes),
                                    .evidence = buffer_bytes(&batch[i]->evidence),
                                    .is_new = !ledger_has(adapter->ledger, &batch[i]->id),
                                    .was_settled = batch[i]->was_settled};
        adapter->figures.repeated += dealing->is_new ? 0 : 1;
        used++;
        rc = decode(dealing);
    }
    if (rc == RC_OK) {
        rc = take_all(adapter, dealings, used);
    }
    for (size_t i = 0; i < used; i++) {
        arena_free(dealings[i].arena);
    }
    return rc;
}

static enum rc take_one_undealt(struct adapter *adapter, const struct id *id)
{
    OWN(buffer) bytes = {0};
    struct dealing dealing = {.is_new = true, .is_kept = true};
    enum rc rc;

    if (ledger_has(adapter->ledger, id)) {
        spool_remove(adapter->spool, SPOOL_INBOX, id);
        return RC_OK;
    }
    TRY(spool_read(adapter->spool, SPOOL_INBOX, id, &bytes));
    dealing.bytes = buffer_bytes(&bytes);
    rc = decode(&dealing);
    if (rc == RC_OK) {
        rc = take_all(adapter, &dealing, 1);
    }
    arena_free(dealing.arena);
    explicit_bzero(bytes.data, bytes.size);
    return rc;
}

void adapter_again(struct adapter *adapter, const struct id *message_id)
{
    enum rc rc;

    if (idset_find(&adapter->undealt, message_id) == NULL) {
        return;
    }
    rc = take_one_undealt(adapter, message_id);
    if (rc != RC_OK) {
        log_warn("message.undealt", "rc=%s", rc_name(rc));
    }
}

bool adapter_is_waiting(const struct adapter *adapter, const struct id *message_id)
{
    return spool_has(adapter->spool, SPOOL_INBOX, message_id);
}

enum rc adapter_take_undealt(struct adapter *adapter)
{
    OWN(spool_ids) ids = {0};

    adapter->again_ms = 0;
    adapter->figures.undealt = 0;
    idset_release(&adapter->undealt);
    TRY(spool_list(adapter->spool, SPOOL_INBOX, &ids));
    for (size_t i = 0; i < ids.count; i++) {
        TRY(take_one_undealt(adapter, &ids.items[i]));
    }
    return RC_OK;
}

enum rc adapter_exchange(struct adapter *adapter, const struct id *exchange_id, struct arena *arena,
                         struct message *opening)
{
    OWN(buffer) bytes = {0};
    struct fault fault = {0};
    struct bytes copy;

    TRY(spool_read(adapter->spool, SPOOL_EXCHANGES, exchange_id, &bytes));
    copy = arena_copy(arena, buffer_bytes(&bytes));
    if (copy.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return codec_message_read(copy, arena, opening, &fault);
}

enum rc adapter_receipts(struct adapter *adapter, const struct id *message_id, struct buffer *into)
{
    return spool_read(adapter->spool, SPOOL_EVIDENCE, message_id, into);
}

void adapter_drop_receipts(struct adapter *adapter, const struct id *message_id)
{
    spool_remove(adapter->spool, SPOOL_EVIDENCE, message_id);
}

void adapter_forget(struct adapter *adapter, const struct id *exchange_id)
{
    spool_remove(adapter->spool, SPOOL_EXCHANGES, exchange_id);
}
