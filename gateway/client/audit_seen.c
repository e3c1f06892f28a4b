#include "client/audit_seen.h"

#include "client/audit_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tlog/proof.h"
#include "tlog/vkey.h"

/* With the lines of many witnesses. */
#define SEEN_NOTE_MAX ((size_t)16 << 10)

/* ---- the file ---- */

static enum rc unreadable(const char *path, struct fault *fault)
{
    return refuse(fault, RC_DATA_LOSS, "seen.unreadable", path,
                  "El archivo del último sello visto está dañado: guárdelo aparte y averigüe por "
                  "qué; sin él, se empieza de nuevo.");
}

static enum rc read_note(const char *path, struct buffer *note, struct fault *fault)
{
    uint8_t bytes[SEEN_NOTE_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0) {
        return errno == ENOENT ? RC_NOT_FOUND : unreadable(path, fault);
    }
    size = read(fd, bytes, sizeof bytes);
    close(fd);
    if (size <= 0 || (size_t)size > SEEN_NOTE_MAX) {
        return unreadable(path, fault);
    }
    buffer_put(note, bytes, (size_t)size);
    return note->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* Written beside and renamed: what is there is always whole. A failure is logged: then less is
 * remembered, and nothing false. */
static void write_note(const char *path, struct bytes note)
{
    char beside[AUDIT_SEEN_PATH_MAX + 8];
    bool is_written;
    int fd;

    snprintf(beside, sizeof beside, "%s.part", path);
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    is_written = fd >= 0 && write(fd, note.data, note.size) == (ssize_t)note.size;
    if (fd >= 0 && close(fd) != 0) {
        is_written = false;
    }
    if (!is_written || rename(beside, path) != 0) {
        log_warn("seen.not_kept", "cause=%s", strerror(errno));
    }
}

enum rc audit_seen_load(const char *path, const struct vkey *logs, size_t log_count,
                        struct audit_seen *seen, struct fault *fault)
{
    OWN(buffer) note = {0};
    enum rc rc;

    *seen = (struct audit_seen){.path = ""};
    if (path == NULL) {
        return RC_OK;
    }
    if (strlen(path) >= sizeof seen->path) {
        return refuse(fault, RC_INVALID_ARGUMENT, "file.path", "", "La ruta es demasiado larga.");
    }
    memcpy(seen->path, path, strlen(path) + 1);
    rc = read_note(path, &note, fault);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    rc = RC_NOT_FOUND;
    for (size_t i = 0; i < log_count && rc == RC_NOT_FOUND; i++) {
        rc = checkpoint_open(buffer_bytes(&note), &logs[i], NULL, &seen->last);
    }
    if (rc != RC_OK) {
        seen->last = (struct checkpoint){.size = 0};
    }
    return rc == RC_OK || rc == RC_NOT_FOUND ? RC_OK : unreadable(path, fault);
}

/* ---- comparing ---- */

uint64_t audit_seen_size(const struct audit_seen *seen)
{
    return seen != NULL ? seen->last.size : 0;
}

static enum rc check(const struct checkpoint *last, const struct checkpoint *head,
                     const struct path *consistency, struct fault *fault)
{
    struct proof proof;

    if (head->size < last->size) {
        return refuse(fault, RC_DATA_LOSS, "audit.shorter", "sello",
                      "El nodo muestra una bitácora de %" PRIu64 " hojas; usted ya vio una de "
                      "%" PRIu64 " con su firma. Guarde ambos sellos y avise.",
                      head->size, last->size);
    }
    if (!audit_read_path(consistency, &proof) ||
        proof_check_consistency(last->size, last->root, head->size, head->root, &proof) != RC_OK) {
        return refuse(fault, RC_DATA_LOSS, "audit.other_checkpoint", "sello",
                      "El nodo firmó otra historia: su bitácora de %" PRIu64
                      " hojas no empieza con "
                      "la de %" PRIu64 " que usted vio. Guarde ambos sellos y avise.",
                      head->size, last->size);
    }
    return RC_OK;
}

/* Another epoch is another log: its own first leaf says how it follows. */
enum rc audit_seen_extend(struct audit_seen *seen, const struct checkpoint *head, struct bytes note,
                          const struct path *consistency, struct fault *fault)
{
    if (seen == NULL) {
        return RC_OK;
    }
    if (seen->last.size > 0 && strcmp(seen->last.origin, head->origin) == 0) {
        TRY(check(&seen->last, head, consistency, fault));
        if (seen->last.size == head->size) {
            return RC_OK;
        }
    }
    seen->last = *head;
    if (seen->path[0] != '\0') {
        write_note(seen->path, note);
    }
    return RC_OK;
}
