#include "workload/logbook.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/audit_case.h"
#include "client/session.h"
#include "rpc/duplex.h"
#include "tlog/checkpoint.h"
#include "tlog/commit.h"
#include "tlog/frontier.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/proof.h"

#define PAGE_ENTRIES 256
#define PAGE_ARENA ((size_t)16 << 20)

struct logbook {
    struct vkey log;
    struct frontier frontier; /* over all leaves read; its size is the next index */
    bool has_head;
    struct checkpoint head; /* of the first page: what this reading reads up to */
    struct buffer note;
    bool has_earlier;
    struct checkpoint earlier;
    uint64_t last_time_s;
};

struct logbook *logbook_new(const struct vkey *log)
{
    struct logbook *book = calloc(1, sizeof *book);

    if (book != NULL) {
        book->log = *log;
    }
    return book;
}

void logbook_free(struct logbook *book)
{
    if (book != NULL) {
        buffer_release(&book->note);
        free(book);
    }
}

uint64_t logbook_next(const struct logbook *book)
{
    return book->frontier.size;
}

bool logbook_is_done(const struct logbook *book)
{
    return book->has_head && book->frontier.size >= book->head.size;
}

struct bytes logbook_note(const struct logbook *book)
{
    return buffer_bytes(&book->note);
}

static enum rc flaw(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_DATA_LOSS, reason, "", "%s", remedy);
}

enum rc logbook_remember(struct logbook *book, struct bytes note, struct fault *fault)
{
    if (checkpoint_open(note, &book->log, NULL, &book->earlier) != RC_OK) {
        return flaw(fault, "log.checkpoint",
                    "El sello guardado de una lectura anterior no es de esta bitácora.");
    }
    book->has_earlier = true;
    return RC_OK;
}

/* ---- one leaf ---- */

static enum rc check_path(const struct audit_entry *entry, uint64_t index,
                          const struct checkpoint *head, uint8_t leaf_hash[DIGEST_SIZE])
{
    struct proof proof = {.count = entry->path.count};

    if (proof.count > PROOF_MAX) {
        return RC_DATA_LOSS;
    }
    for (size_t i = 0; i < proof.count; i++) {
        memcpy(proof.hashes[i], entry->path.hashes[i].data, DIGEST_SIZE);
    }
    merkle_leaf(entry->leaf, leaf_hash);
    return proof_check_inclusion(leaf_hash, index, head->size, &proof, head->root);
}

static enum rc check_record(const struct audit_entry *entry, const struct leaf *leaf,
                            struct fault *fault)
{
    static const uint8_t zeros[DIGEST_SIZE];
    uint8_t commitment[DIGEST_SIZE];

    if (entry->record.size == 0) {
        return digest_equal(leaf->record, zeros)
                   ? RC_OK
                   : flaw(fault, "log.record", "Falta el registro al que se refiere una hoja.");
    }
    if (entry->record_blind.size != COMMIT_BLIND_SIZE) {
        return flaw(fault, "log.record", "Un registro vino sin la clave que lo liga a su hoja.");
    }
    commit_record(entry->record_blind.data, entry->record, commitment);
    return digest_equal(commitment, leaf->record)
               ? RC_OK
               : flaw(fault, "log.record", "Un registro no es el que su hoja compromete.");
}

static enum rc take_entry(struct logbook *book, const struct audit_entry *entry,
                          const struct checkpoint *head, struct fault *fault)
{
    uint64_t index = book->frontier.size;
    uint8_t leaf_hash[DIGEST_SIZE];
    struct leaf leaf;

    if (leaf_decode(entry->leaf, &leaf) != RC_OK || leaf.index != index ||
        leaf.time_s < book->last_time_s) {
        return flaw(fault, "log.leaf", "Una hoja falta, está fuera de lugar o de tiempo.");
    }
    if (check_path(entry, index, head, leaf_hash) != RC_OK) {
        return flaw(fault, "log.path", "Una hoja no está bajo el sello que firmó el nodo.");
    }
    TRY(check_record(entry, &leaf, fault));
    book->last_time_s = leaf.time_s;
    frontier_append(&book->frontier, leaf_hash);
    return RC_OK;
}

/* ---- the whole tree ---- */

static enum rc check_root(const struct logbook *book, const struct checkpoint *head,
                          const char *reason, const char *remedy, struct fault *fault)
{
    uint8_t root[DIGEST_SIZE];

    if (book->frontier.size != head->size) {
        return RC_OK;
    }
    frontier_root(&book->frontier, root);
    return digest_equal(root, head->root) ? RC_OK : flaw(fault, reason, remedy);
}

static enum rc check_roots(const struct logbook *book, struct fault *fault)
{
    if (book->has_earlier) {
        TRY(check_root(book, &book->earlier, "log.rewritten",
                       "La bitácora ya no contiene lo que había firmado antes.", fault));
    }
    return check_root(book, &book->head, "log.root",
                      "Las hojas recibidas no dan la raíz que firmó el nodo.", fault);
}

static enum rc open_head(struct logbook *book, const struct audit_page *page,
                         struct checkpoint *head, struct fault *fault)
{
    if (checkpoint_open(page->checkpoint, &book->log, NULL, head) != RC_OK) {
        return flaw(fault, "log.checkpoint",
                    "El sello de la bitácora no lleva la firma de la llave del directorio.");
    }
    if (book->has_head) {
        return RC_OK;
    }
    if (book->has_earlier && head->size < book->earlier.size) {
        return flaw(fault, "log.rewritten",
                    "La bitácora es más corta que en una lectura anterior.");
    }
    book->head = *head;
    book->has_head = true;
    buffer_put_bytes(&book->note, page->checkpoint);
    return check_roots(book, fault); /* an empty tree has a root, too */
}

static enum rc give_record(struct logbook_reader *reader, const struct audit_entry *entry,
                           struct arena *arena, struct fault *fault)
{
    struct record record;

    if (entry->record.size == 0) {
        return RC_OK;
    }
    if (codec_record_read(entry->record, arena, &record, fault) != RC_OK) {
        return RC_DATA_LOSS;
    }
    return reader->on_record(reader, &record);
}

enum rc logbook_page(struct logbook *book, const struct audit_page *page, struct arena *arena,
                     struct logbook_reader *reader, struct fault *fault)
{
    struct checkpoint head;

    TRY(open_head(book, page, &head, fault));
    for (size_t i = 0; i < page->entry_count && !logbook_is_done(book); i++) {
        TRY(take_entry(book, &page->entries[i], &head, fault));
        TRY(check_roots(book, fault));
        TRY(give_record(reader, &page->entries[i], arena, fault));
    }
    return RC_OK;
}

/* ---- over the network ---- */

static enum rc ask_page(const struct logbook *book, struct duplex *duplex, struct bytes commitment,
                        struct fault *fault)
{
    OWN(buffer) request = {0};
    struct audit_page_request page = {
        .from_index = book->frontier.size, .count = PAGE_ENTRIES, .purpose_commitment = commitment};

    codec_audit_request_write(&page, &request);
    return duplex_send(duplex, buffer_bytes(&request), fault);
}

static enum rc read_page(struct logbook *book, struct duplex *duplex, int timeout_ms,
                         struct logbook_reader *reader, struct fault *fault)
{
    OWN(buffer) response = {0};
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA);
    uint64_t before = book->frontier.size;
    struct audit_page page;

    if (arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "log.memory", "", "Falta memoria.");
    }
    TRY(duplex_receive(duplex, timeout_ms, &response, fault));
    TRY(codec_audit_page_read(buffer_bytes(&response), arena, &page, fault));
    TRY(logbook_page(book, &page, arena, reader, fault));
    if (book->frontier.size == before && !logbook_is_done(book)) {
        return flaw(fault, "log.short", "El nodo entregó menos hojas de las que su sello cuenta.");
    }
    return RC_OK;
}

static enum rc read_pages(struct logbook *book, struct duplex *duplex, int timeout_ms,
                          struct bytes commitment, struct logbook_reader *reader,
                          struct fault *fault)
{
    do {
        if (ask_page(book, duplex, commitment, fault) != RC_OK) {
            break; /* receiving tells why the stream is over */
        }
        commitment = (struct bytes){0}; /* of the first page */
        TRY(read_page(book, duplex, timeout_ms, reader, fault));
    } while (!logbook_is_done(book));
    if (!logbook_is_done(book)) {
        *fault = (struct fault){0};
        return read_page(book, duplex, timeout_ms, reader, fault);
    }
    return RC_OK;
}

enum rc logbook_read(struct logbook *book, struct session *session, const char *purpose,
                     struct logbook_reader *reader, struct fault *fault)
{
    OWN_PTR(duplex) duplex = NULL;
    uint8_t commitment[HASH_SIZE];
    struct audit_closed closed;
    struct audit_case audit;

    TRY(audit_case_make(purpose, &audit, fault));
    audit_case_commitment(&audit, commitment);
    TRY(duplex_open(session->channel, "/enlace.v1.AuditService/ReadRecords", -1, &duplex));
    TRY(read_pages(book, duplex, session->timeout_ms, BYTES_OF(commitment), reader, fault));
    /* The node logs the reading before it ends the stream, and then what it was for. */
    TRY(audit_case_end_stream(session, duplex, fault));
    return audit_case_close(session, &audit, &closed, fault);
}
