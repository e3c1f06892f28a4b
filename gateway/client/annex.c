#include "client/annex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "client/session.h"
#include "crypto/digest.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"
#include "rpc/duplex.h"

#define SERVICE "/enlace.v1.ExchangeService/"
#define ARENA_MAX ((size_t)4 << 20)

/* A descriptor that closes at the end of its block. */
struct descriptor {
    int fd;
};

static void descriptor_release(struct descriptor *descriptor)
{
    if (descriptor->fd >= 0) {
        close(descriptor->fd);
    }
}

static enum rc refuse_path(const char *path, struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "annex.unreadable", path,
                  "No se puede leer o escribir el archivo: %s.",
                  errno == ENOENT ? "no existe" : strerror(errno));
}

/* Digests what stands in the file from where it is to its end. */
static enum rc digest_file(int file, struct digest_stream *stream, uint64_t *size)
{
    uint8_t chunk[65536];
    ssize_t n;

    *size = 0;
    while ((n = read(file, chunk, sizeof chunk)) > 0) {
        digest_stream_add(stream, BYTES(chunk, n));
        *size += (uint64_t)n;
    }
    explicit_bzero(chunk, sizeof chunk);
    return n == 0 ? RC_OK : RC_UNAVAILABLE;
}

enum rc annex_measure(const char *path, struct annex *annex, struct fault *fault)
{
    OWN(descriptor) file = {open(path, O_RDONLY | O_CLOEXEC)};
    OWN_PTR(digest_stream) stream = digest_stream_new();

    if (file.fd < 0 || stream == NULL || digest_file(file.fd, stream, &annex->size) != RC_OK) {
        return refuse_path(path, fault);
    }
    digest_stream_end(stream, annex->sha256);
    if (annex->size > ANNEX_SIZE_MAX) {
        return refuse(fault, RC_OUT_OF_RANGE, "annex.too_large", path,
                      "El archivo pasa de 200 MiB; repártalo en varios.");
    }
    return RC_OK;
}

struct putting {
    struct session *session;
    struct duplex *duplex;
    const struct annex *annex;
    int file;
    uint64_t offset;   /* the next chunk's */
    uint64_t begun_at; /* what the node held already */
    uint64_t durable;  /* what the node said it holds */
    bool is_complete;
};

static enum rc put_hello(struct putting *putting, const char *to, struct fault *fault)
{
    struct attachment_hello hello = {
        .attachment_id = putting->annex->id,
        .size = putting->annex->size,
        .sha256 = BYTES_OF(putting->annex->sha256),
        .to = to,
    };
    OWN(buffer) request = {0};

    codec_put_attachment_write(&hello, NULL, &request);
    return duplex_send(putting->duplex, buffer_bytes(&request), fault);
}

static enum rc put_chunk(struct putting *putting, uint8_t *data, struct fault *fault)
{
    uint64_t left = putting->annex->size - putting->offset;
    size_t size = left < ANNEX_CHUNK_SIZE ? (size_t)left : ANNEX_CHUNK_SIZE;
    uint8_t digest[DIGEST_SIZE];
    struct bytes bytes = {data, size};
    OWN(buffer) request = {0};
    struct attachment_chunk chunk = {putting->offset, bytes, BYTES_OF(digest)};

    if (pread(putting->file, data, size, (off_t)putting->offset) != (ssize_t)size) {
        return refuse(fault, RC_ABORTED, "annex.changed", "",
                      "El archivo cambió mientras se enviaba; envíelo de nuevo.");
    }
    digest_of(&bytes, 1, digest);
    codec_put_attachment_write(NULL, &chunk, &request);
    TRY(duplex_send(putting->duplex, buffer_bytes(&request), fault));
    putting->offset += size;
    return RC_OK;
}

static enum rc put_answer(struct putting *putting, struct fault *fault)
{
    OWN(buffer) response = {0};

    TRY(duplex_receive(putting->duplex, putting->session->timeout_ms, &response, fault));
    TRY(codec_attachment_state_read(buffer_bytes(&response), &putting->durable,
                                    &putting->is_complete, fault));
    if (putting->durable > putting->annex->size) {
        return refuse(fault, RC_DATA_LOSS, "annex.offset", "",
                      "El nodo dice tener más bytes que el archivo; avise a su operador.");
    }
    return RC_OK;
}

/* Each request has an answer; at most ANNEX_WINDOW are outstanding. */
static enum rc put_all(struct putting *putting, uint8_t *data, struct fault *fault)
{
    TRY(put_answer(putting, fault));
    putting->offset = putting->durable;
    putting->begun_at = putting->durable;
    while (!putting->is_complete) {
        if (putting->offset < putting->annex->size &&
            putting->offset - putting->durable < ANNEX_WINDOW * ANNEX_CHUNK_SIZE) {
            TRY(put_chunk(putting, data, fault));
            continue;
        }
        TRY(put_answer(putting, fault));
    }
    return RC_OK;
}

static enum rc put_over_stream(struct putting *putting, const char *to, struct fault *fault)
{
    uint8_t *data = malloc(ANNEX_CHUNK_SIZE);
    struct fault last = {0};
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (data != NULL) {
        rc = put_hello(putting, to, &last);
        rc = rc == RC_OK ? put_all(putting, data, &last) : rc;
        explicit_bzero(data, ANNEX_CHUNK_SIZE);
        free(data);
    }
    if (rc == RC_UNAVAILABLE && strcmp(last.reason, "stream.over") == 0) {
        OWN(buffer) unused = {0};

        last = (struct fault){0};
        rc = duplex_receive(putting->duplex, putting->session->timeout_ms, &unused, &last);
        rc = rc == RC_OK ? RC_UNAVAILABLE : rc;
    }
    if (rc != RC_OK) {
        *fault = last;
        return refuse(fault, rc, "annex.memory", "", "Falta memoria.");
    }
    return RC_OK;
}

enum rc annex_put(struct session *session, const char *path, const struct annex *annex,
                  const char *to, uint64_t *sent, struct fault *fault)
{
    OWN(descriptor) file = {open(path, O_RDONLY | O_CLOEXEC)};
    OWN_PTR(duplex) duplex = NULL;
    struct putting putting = {.session = session, .annex = annex, .file = file.fd};

    if (file.fd < 0) {
        return refuse_path(path, fault);
    }
    /* Always by a hello: the node says how far it is, and refuses other bytes under this id. */
    TRY(duplex_open(session->channel, SERVICE "PutAttachment", -1, &duplex));
    putting.duplex = duplex;
    TRY(put_over_stream(&putting, to, fault));
    if (sent != NULL) {
        *sent = annex->size - putting.begun_at;
    }
    return RC_OK;
}

struct getting {
    struct session *session;
    struct duplex *duplex;
    struct digest_stream *stream;
    struct arena *arena;
    int file;
    uint64_t offset;
    uint64_t size;
};

static enum rc check_chunk(const struct getting *getting, const struct attachment_chunk *chunk,
                           struct fault *fault)
{
    uint8_t digest[DIGEST_SIZE];

    digest_of(&chunk->data, 1, digest);
    if (chunk->offset != getting->offset || chunk->data.size > getting->size - getting->offset ||
        chunk->sha256.size != DIGEST_SIZE || !digest_equal(digest, chunk->sha256.data)) {
        return refuse(fault, RC_DATA_LOSS, "annex.chunk", "",
                      "Un trozo del anexo llegó alterado o fuera de lugar; pídalo de nuevo.");
    }
    return RC_OK;
}

static enum rc get_chunk(struct getting *getting, const char *path, struct fault *fault)
{
    OWN(buffer) response = {0};
    struct attachment_chunk chunk = {0};
    struct fault ended = {0};
    enum rc rc;

    arena_reset(getting->arena);
    rc = duplex_receive(getting->duplex, getting->session->timeout_ms, &response, &ended);
    if (rc == RC_OUT_OF_RANGE && getting->size == 0 && getting->offset > 0) {
        getting->size = getting->offset; /* an earlier try had fetched all of it */
        return RC_OK;
    }
    if (rc != RC_OK) {
        *fault = ended;
        return rc;
    }
    TRY(codec_got_attachment_read(buffer_bytes(&response), getting->arena, &chunk, &getting->size,
                                  fault));
    if (getting->size > ANNEX_SIZE_MAX) {
        return refuse(fault, RC_OUT_OF_RANGE, "annex.too_large", "", "El anexo pasa de 200 MiB.");
    }
    TRY(check_chunk(getting, &chunk, fault));
    if (write(getting->file, chunk.data.data, chunk.data.size) != (ssize_t)chunk.data.size) {
        return refuse_path(path, fault);
    }
    digest_stream_add(getting->stream, chunk.data);
    getting->offset += chunk.data.size;
    return RC_OK;
}

static enum rc get_all(struct getting *getting, const struct id *id, const char *path,
                       struct fault *fault)
{
    OWN(buffer) request = {0};

    codec_get_attachment_write(id, getting->offset, &request);
    TRY(duplex_send(getting->duplex, buffer_bytes(&request), fault));
    do {
        TRY(get_chunk(getting, path, fault));
    } while (getting->offset < getting->size);
    return RC_OK;
}

static enum rc finish(struct getting *getting, const uint8_t *sha256, const char *part,
                      const char *path, struct fault *fault)
{
    uint8_t digest[DIGEST_SIZE];

    digest_stream_end(getting->stream, digest);
    if (sha256 != NULL && !digest_equal(digest, sha256)) {
        (void)unlink(part);
        return refuse(fault, RC_DATA_LOSS, "annex.digest", path,
                      "El archivo no es el que anuncia el mensaje; se borró lo recibido, pídalo "
                      "de nuevo.");
    }
    if (fsync(getting->file) != 0 || rename(part, path) != 0) {
        return refuse_path(path, fault);
    }
    return RC_OK;
}

enum rc annex_get(struct session *session, const struct id *id, const uint8_t *sha256,
                  const char *path, uint64_t *size, struct fault *fault)
{
    char part[512];
    OWN(descriptor) file = {-1};
    OWN_PTR(digest_stream) stream = digest_stream_new();
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN_PTR(duplex) duplex = NULL;
    struct getting getting = {.session = session, .stream = stream, .arena = arena};

    snprintf(part, sizeof part, "%s.part", path);
    file.fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file.fd < 0 || stream == NULL || arena == NULL ||
        digest_file(file.fd, stream, &getting.offset) != RC_OK) {
        return refuse_path(part, fault);
    }
    getting.file = file.fd;
    TRY(duplex_open(session->channel, SERVICE "GetAttachment", -1, &duplex));
    getting.duplex = duplex;
    TRY(get_all(&getting, id, part, fault));
    TRY(finish(&getting, sha256, part, path, fault));
    *size = getting.size;
    return RC_OK;
}
