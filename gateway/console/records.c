#include "console/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "client/audit_seen.h"
#include "client/profile.h"
#include "client/session.h"
#include "console/console.h"
#include "crypto/digest.h"

#define QUESTION_ARENA_MAX ((size_t)64 << 10)

struct records {
    const struct profile *profile;
    char path[CONSOLE_PATH_MAX];
    struct audit_case audit;
    bool is_open;
    struct audit_seen seen;
    /* The running search; find NULL: none. */
    uint64_t number;
    struct arena *arena; /* its petition */
    struct petition petition;
    struct audit_find *find;
    struct audit_back back;
};

/* ---- the audit's file ---- */

static enum rc read_audit(struct records *records, struct fault *fault)
{
    uint8_t bytes[AUDIT_CASE_SIZE_MAX];
    int fd = open(records->path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0 && errno == ENOENT) {
        return RC_OK;
    }
    size = fd >= 0 ? read(fd, bytes, sizeof bytes) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (size < 0 || audit_case_parse(BYTES(bytes, (size_t)size), &records->audit) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "file.audit", records->path,
                      "Ese archivo no es una auditoría; nombre otro con --audit.");
    }
    records->is_open = true;
    return RC_OK;
}

static enum rc write_audit(const struct records *records, const struct audit_case *audit,
                           struct fault *fault)
{
    OWN(buffer) text = {0};
    bool is_written;
    int fd;

    audit_case_write(audit, &text);
    fd = open(records->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    is_written = fd >= 0 && !text.is_failed &&
                 write(fd, text.data, text.size) == (ssize_t)text.size && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_written ? RC_OK
                      : refuse(fault, RC_UNAVAILABLE, "file.unwritable", records->path,
                               "No se puede guardar la auditoría: revise la carpeta y el espacio, "
                               "o nombre otro archivo con --audit.");
}

static void name_file(struct records *records, const char *audit_path)
{
    snprintf(records->path, sizeof records->path, "%s%s",
             audit_path != NULL ? audit_path : records->profile->path,
             audit_path != NULL ? "" : ".auditoria");
}

enum rc records_new(const struct profile *profile, const char *audit_path, struct records **records,
                    struct fault *fault)
{
    OWN_PTR(records) made = calloc(1, sizeof *made);
    char seen_path[CONSOLE_PATH_MAX + 8];

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    made->profile = profile;
    name_file(made, audit_path);
    TRY(read_audit(made, fault));
    snprintf(seen_path, sizeof seen_path, "%s.sello", made->path);
    TRY(audit_seen_load(seen_path, profile->logs, profile->own_log_count, &made->seen, fault));
    *records = MOVE(made);
    return RC_OK;
}

/* ---- the search ---- */

static void end_search(struct records *records)
{
    struct fault fault = {0};

    if (records->find != NULL && audit_find_finish(records->find, &fault) != RC_OK) {
        log_info("audit.not_ended", "reason=%s", fault.reason);
    }
    audit_find_free(records->find);
    arena_free(records->arena);
    records->find = NULL;
    records->arena = NULL;
}

void records_free(struct records *records)
{
    if (records != NULL) {
        end_search(records);
        explicit_bzero(records, sizeof *records);
        free(records);
    }
}

const char *records_path(const struct records *records)
{
    return records->path;
}

const char *records_purpose(const struct records *records)
{
    return records->is_open ? records->audit.purpose : "";
}

const struct checkpoint *records_seen(const struct records *records)
{
    return &records->seen.last;
}

struct audit_seen *records_memory(struct records *records)
{
    return &records->seen;
}

enum rc records_open(struct records *records, const char *purpose, struct fault *fault)
{
    struct audit_case audit;

    if (records->is_open) {
        return refuse(fault, RC_ALREADY_EXISTS, "audit.open", records->path,
                      "Ya hay una auditoría abierta: ciérrela antes de abrir otra.");
    }
    TRY(audit_case_make(purpose, &audit, fault));
    TRY(write_audit(records, &audit, fault));
    records->audit = audit;
    records->is_open = true;
    return RC_OK;
}

enum rc records_close(struct records *records, struct session *session, struct audit_closed *closed,
                      struct fault *fault)
{
    char kept[CONSOLE_PATH_MAX + 40];

    if (!records->is_open) {
        return refuse(fault, RC_FAILED_PRECONDITION, "audit.none", "",
                      "No hay una auditoría abierta.");
    }
    end_search(records);
    TRY(audit_case_close(session, &records->audit, closed, fault));
    snprintf(kept, sizeof kept, "%s.cerrada-%llu", records->path,
             (unsigned long long)closed->index);
    if (rename(records->path, kept) != 0) {
        log_warn("audit.not_renamed", "cause=%s", strerror(errno));
    }
    explicit_bzero(&records->audit, sizeof records->audit);
    records->is_open = false;
    return RC_OK;
}

enum rc records_search(struct records *records, struct session *session, struct audit_query *query,
                       const char *reader, struct fault *fault)
{
    uint8_t commitment[HASH_SIZE];

    if (!records->is_open) {
        return refuse(fault, RC_FAILED_PRECONDITION, "audit.none", "",
                      "Antes de leer la bitácora, diga para qué: abra una auditoría.");
    }
    if (records->profile->own_log_count == 0) {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.node_log", records->profile->path,
                      "El perfil no tiene la llave de la bitácora (node_log): nada se podría "
                      "verificar.");
    }
    end_search(records);
    records->arena = arena_new(QUESTION_ARENA_MAX);
    if (records->arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    audit_case_commitment(&records->audit, commitment);
    random_fill(query->query_id.bytes, ID_SIZE);
    query->reader = reader;
    query->origin = records->profile->logs[0].name;
    query->purpose_commitment = BYTES_OF(commitment);
    TRY(petition_make(&records->audit, query, records->arena, &records->petition));
    TRY(audit_find_open(session, &records->petition, &records->seen, &records->find, fault));
    audit_back_init(&records->back, records->find);
    records->number++;
    return RC_OK;
}

uint64_t records_search_number(const struct records *records)
{
    return records->find != NULL ? records->number : 0;
}

const struct audit_back *records_progress(const struct records *records)
{
    return &records->back;
}

enum rc records_more(struct records *records, size_t wanted, struct arena *arena,
                     struct audit_rows *rows, struct fault *fault)
{
    enum rc rc = audit_back_some(&records->back, wanted, arena, rows, fault);

    if (rc != RC_OK) {
        end_search(records);
    }
    return rc;
}

enum rc records_leaf(struct records *records, uint64_t index, struct arena *arena,
                     struct audit_query_page *page, struct fault *fault)
{
    enum rc rc = audit_find_ask(records->find, index, 1, arena, page, fault);

    if (rc != RC_OK) {
        end_search(records);
    }
    return rc;
}
