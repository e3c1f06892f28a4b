#include "client/audit_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/profile.h"
#include "client/session.h"
#include "rpc/duplex.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/proof.h"

#define METHOD "/enlace.v1.AuditService/ReadRecords"

struct audit_read {
    struct session *session; /* borrowed */
    struct duplex *duplex;
    struct buffer response;
    char purpose[MESSAGE_CODE_MAX + 1];
};

static enum rc unproven(struct fault *fault, const char *reason, uint64_t index, const char *what)
{
    char path[48];

    snprintf(path, sizeof path, "hoja %" PRIu64, index);
    return refuse(fault, RC_DATA_LOSS, reason, path,
                  "El nodo muestra lo que no puede probar: %s. Guarde lo que tenga y avise.", what);
}

static enum rc check_entry(const struct audit_entry *entry, uint64_t index,
                           const struct checkpoint *head, struct fault *fault)
{
    struct proof path = {.count = entry->path.count};
    uint8_t hash[DIGEST_SIZE];
    struct leaf leaf;

    if (leaf_decode(entry->leaf, &leaf) != RC_OK) {
        return unproven(fault, "audit.leaf", index, "una hoja sin la forma debida");
    }
    if (leaf.index != index) {
        return unproven(fault, "audit.index", index, "una hoja en otro lugar que el suyo");
    }
    for (size_t i = 0; i < path.count; i++) {
        if (entry->path.hashes[i].size != DIGEST_SIZE) {
            return unproven(fault, "audit.path", index, "una prueba mal formada");
        }
        memcpy(path.hashes[i], entry->path.hashes[i].data, DIGEST_SIZE);
    }
    merkle_leaf(entry->leaf, hash);
    if (proof_check_inclusion(hash, index, head->size, &path, head->root) != RC_OK) {
        return unproven(fault, "audit.not_included", index,
                        "una hoja que no está bajo el sello de la página");
    }
    if (entry->record.size > 0) {
        if (entry->record_blind.size != COMMIT_BLIND_SIZE) {
            return unproven(fault, "audit.record", index, "un registro sin su cegador");
        }
        commit_record(entry->record_blind.data, entry->record, hash);
        if (!digest_equal(hash, leaf.record)) {
            return unproven(fault, "audit.record", index,
                            "un registro que no es el que su hoja compromete");
        }
    }
    return RC_OK;
}

static enum rc open_head(const struct audit_page *page, const struct vkey *logs, size_t log_count,
                         struct checkpoint *head)
{
    enum rc rc = RC_NOT_FOUND;

    for (size_t i = 0; i < log_count && rc == RC_NOT_FOUND; i++) {
        rc = checkpoint_open(page->checkpoint, &logs[i], NULL, head);
    }
    return rc;
}

enum rc audit_read_verify(const struct audit_page *page, uint64_t from, const struct vkey *logs,
                          size_t log_count, struct checkpoint *head, struct fault *fault)
{
    if (open_head(page, logs, log_count, head) != RC_OK) {
        return refuse(fault, RC_DATA_LOSS, "audit.checkpoint", "",
                      "El sello de la página no lleva firma con la llave de la bitácora que tiene "
                      "el perfil (node_log).");
    }
    for (size_t i = 0; i < page->entry_count; i++) {
        TRY(check_entry(&page->entries[i], from + i, head, fault));
    }
    if (page->entry_count == 0 && from < head->size) {
        return unproven(fault, "audit.missing", from, "calla hojas que su sello cubre");
    }
    return RC_OK;
}

enum rc audit_read_open(struct session *session, const char *purpose, struct audit_read **read,
                        struct fault *fault)
{
    OWN_PTR(audit_read) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "", "Falta memoria.");
    }
    if (purpose[0] == '\0' || strlen(purpose) > MESSAGE_CODE_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "usage.purpose", "",
                      "El propósito es un código de 1 a %d caracteres.", MESSAGE_CODE_MAX);
    }
    snprintf(made->purpose, sizeof made->purpose, "%s", purpose);
    made->session = session;
    if (duplex_open(session->channel, METHOD, -1, &made->duplex) != RC_OK) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "", "Falta memoria.");
    }
    *read = MOVE(made);
    return RC_OK;
}

void audit_read_free(struct audit_read *read)
{
    if (read != NULL) {
        duplex_free(read->duplex);
        buffer_release(&read->response);
        free(read);
    }
}

/* A stream that ended says why when it is asked. */
static enum rc exchange(struct audit_read *read, struct bytes request, struct fault *fault)
{
    struct fault sending = {0};
    enum rc rc = duplex_send(read->duplex, request, &sending);

    if (rc != RC_OK && strcmp(sending.reason, "stream.over") != 0) {
        *fault = sending;
        return rc;
    }
    return duplex_receive(read->duplex, read->session->timeout_ms, &read->response, fault);
}

enum rc audit_read_page(struct audit_read *read, uint64_t from, struct arena *arena,
                        struct audit_page *page, struct checkpoint *head, struct fault *fault)
{
    const struct audit_page_request asked = {from, AUDIT_PAGE_MAX, read->purpose};
    const struct profile *profile = read->session->profile;
    OWN(buffer) request = {0};
    struct bytes response;

    codec_audit_request_write(&asked, &request);
    TRY(exchange(read, buffer_bytes(&request), fault));
    response = arena_copy(arena, buffer_bytes(&read->response));
    if (response.data == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "",
                      "La página no cabe en memoria, o viene vacía.");
    }
    TRY(codec_audit_page_read(response, arena, page, fault));
    return audit_read_verify(page, from, profile->logs, profile->own_log_count, head, fault);
}
