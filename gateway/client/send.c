#include "client/send.h"

#include <string.h>

#include "base/arena.h"
#include "client/profile.h"
#include "client/session.h"
#include "client/spool.h"
#include "rpc/channel.h"
#include "rpc/codec.h"

#define ARENA_MAX ((size_t)16 << 20)
#define METHOD "/enlace.v1.ExchangeService/Submit"

void sent_release(struct sent *sent)
{
    buffer_release(&sent->text);
}

bool send_may_retry(enum rc rc)
{
    switch (rc) {
    case RC_UNAVAILABLE:
    case RC_DEADLINE_EXCEEDED:
    case RC_RESOURCE_EXHAUSTED:
    case RC_ABORTED:
    case RC_CANCELLED:
    case RC_INTERNAL:
    case RC_UNKNOWN:
        return true;
    default:
        return false;
    }
}

/* What was sent: its id and M. */
static enum rc read_request(struct bytes request, struct arena *arena, struct receipt_file *file,
                            struct fault *fault)
{
    struct submission *submission = arena_alloc(arena, sizeof *submission);

    if (submission == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "send.memory", "", "Falta memoria.");
    }
    TRY(codec_submit_read(request, arena, submission, fault));
    file->message_id = submission->message.header.message_id;
    if (receipt_commitment(&submission->message, file->commitment) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "send.message", "compartments",
                      "El mensaje no tiene la forma debida; compóngalo de nuevo.");
    }
    return RC_OK;
}

static enum rc keep(struct receipt_file *file, const struct receipt *receipt, struct sent *sent,
                    struct fault *fault)
{
    file->receipts[0] = *receipt;
    file->count = 1;
    receipt_file_write(file, &sent->text);
    if (sent->text.is_failed ||
        receipt_file_parse(buffer_bytes(&sent->text), &sent->file) != RC_OK) {
        return refuse(fault, RC_INTERNAL, "send.receipt", "", "No se pudo guardar el acuse.");
    }
    return RC_OK;
}

static enum rc ask(struct session *session, struct bytes request, struct arena *arena,
                   struct sent *sent, struct fault *fault)
{
    const struct profile *profile = session->profile;
    OWN(buffer) response = {0};
    struct receipt_file file = {0};
    struct receipt receipt = {0};

    TRY(read_request(request, arena, &file, fault));
    TRY(channel_call(session->channel, METHOD, request, session->timeout_ms, &response, fault));
    TRY(codec_submit_response_read(buffer_bytes(&response), arena, &receipt, &sent->is_erased,
                                   fault));
    if (receipt.level != RECEIPT_HELD) {
        return refuse(fault, RC_DATA_LOSS, "receipt.level", "receipt.level",
                      "El nodo respondió con otro acuse que R0; avise a quien lo opera.");
    }
    TRY(receipt_check(file.commitment, &receipt, profile->logs, profile->own_log_count,
                      &sent->facts, fault));
    return keep(&file, &receipt, sent, fault);
}

enum rc send_request(struct session *session, struct bytes request, struct sent *sent,
                     struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);

    if (arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "send.memory", "", "Falta memoria.");
    }
    memset(sent, 0, sizeof *sent);
    return ask(session, request, arena, sent, fault);
}

static enum rc refuse_disk(const struct spool *spool, struct fault *fault)
{
    return refuse(fault, RC_UNAVAILABLE, "spool.failed", spool_path(spool),
                  "No se pudo escribir en disco; revise espacio y permisos de la carpeta.");
}

enum rc send_spooled(struct session *session, struct spool *spool, const struct id *id,
                     struct bytes request, struct sent *sent, struct fault *fault)
{
    struct spool_entry waiting = {SPOOL_OUTBOX, *id, request};
    struct spool_entry proof = {SPOOL_RECEIPTS, *id, {0}};
    struct fault why = {0};
    enum rc rc;

    if (spool_store(spool, &waiting, 1) != RC_OK) {
        return refuse_disk(spool, fault);
    }
    rc = send_request(session, request, sent, &why);
    if (rc != RC_OK) {
        if (!send_may_retry(rc) && rc != RC_DATA_LOSS) {
            spool_park(spool, id, &why);
        }
        if (fault != NULL) {
            *fault = why;
        }
        return rc;
    }
    proof.bytes = buffer_bytes(&sent->text);
    if (spool_store(spool, &proof, 1) != RC_OK) {
        return refuse_disk(spool, fault);
    }
    if (sent->is_erased) {
        spool_remove(spool, SPOOL_OUTBOX, id);
    } else {
        spool_move(spool, SPOOL_OUTBOX, SPOOL_ANSWERED, id);
    }
    return RC_OK;
}
