#include "client/audit_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/audit_case.h"
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
    uint8_t commitment[HASH_SIZE];
    bool is_begun;
};

static enum rc unproven(struct fault *fault, const char *reason, uint64_t index, const char *what)
{
    char path[48];

    snprintf(path, sizeof path, "hoja %" PRIu64, index);
    return refuse(fault, RC_DATA_LOSS, reason, path,
                  "El nodo muestra lo que no puede probar: %s. Guarde lo que tenga y avise.", what);
}

bool audit_read_path(const struct path *path, struct proof *proof)
{
    proof->count = path->count;
    for (size_t i = 0; i < path->count; i++) {
        if (i == PROOF_MAX || path->hashes[i].size != DIGEST_SIZE) {
            return false;
        }
        memcpy(proof->hashes[i], path->hashes[i].data, DIGEST_SIZE);
    }
    return true;
}

enum rc audit_read_verify_entry(const struct audit_entry *entry, uint64_t index,
                                const struct checkpoint *head, struct fault *fault)
{
    struct proof path;
    uint8_t hash[DIGEST_SIZE];
    struct leaf leaf;

    if (leaf_decode(entry->leaf, &leaf) != RC_OK) {
        return unproven(fault, "audit.leaf", index, "una hoja sin la forma debida");
    }
    if (leaf.index != index) {
        return unproven(fault, "audit.index", index, "una hoja en otro lugar que el suyo");
    }
    if (!audit_read_path(&entry->path, &path)) {
        return unproven(fault, "audit.path", index, "una prueba mal formada");
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

enum rc audit_read_open_head(struct bytes note, const struct vkey *logs, size_t log_count,
                             struct checkpoint *head, struct fault *fault)
{
    enum rc rc = RC_NOT_FOUND;

    for (size_t i = 0; i < log_count && rc == RC_NOT_FOUND; i++) {
        rc = checkpoint_open(note, &logs[i], NULL, head);
    }
    return rc == RC_OK ? RC_OK
                       : refuse(fault, RC_DATA_LOSS, "audit.checkpoint", "",
                                "El sello de la página no lleva firma con la llave de la bitácora "
                                "que tiene el perfil (node_log).");
}

enum rc audit_read_verify(const struct audit_page *page, uint64_t from, const struct vkey *logs,
                          size_t log_count, struct checkpoint *head, struct fault *fault)
{
    TRY(audit_read_open_head(page->checkpoint, logs, log_count, head, fault));
    for (size_t i = 0; i < page->entry_count; i++) {
        TRY(audit_read_verify_entry(&page->entries[i], from + i, head, fault));
    }
    if (page->entry_count == 0 && from < head->size) {
        return unproven(fault, "audit.missing", from, "calla hojas que su sello cubre");
    }
    return RC_OK;
}

enum rc audit_read_open(struct session *session, const struct audit_case *audit,
                        struct audit_read **read, struct fault *fault)
{
    OWN_PTR(audit_read) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "", "Falta memoria.");
    }
    audit_case_commitment(audit, made->commitment);
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

enum rc audit_read_end(struct audit_read *read, struct fault *fault)
{
    return audit_case_end_stream(read->session, read->duplex, fault);
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
    struct audit_page_request asked = {.from_index = from, .count = AUDIT_PAGE_MAX};
    const struct profile *profile = read->session->profile;
    OWN(buffer) request = {0};
    struct bytes response;

    if (!read->is_begun) {
        asked.purpose_commitment = BYTES_OF(read->commitment);
    }
    codec_audit_request_write(&asked, &request);
    TRY(exchange(read, buffer_bytes(&request), fault));
    read->is_begun = true;
    response = arena_copy(arena, buffer_bytes(&read->response));
    if (response.data == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "",
                      "La página no cabe en memoria, o viene vacía.");
    }
    TRY(codec_audit_page_read(response, arena, page, fault));
    return audit_read_verify(page, from, profile->logs, profile->own_log_count, head, fault);
}
