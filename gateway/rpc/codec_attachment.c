#include "rpc/codec_service.h"

#include <string.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"

/* ---- chunks ---- */

static struct attachment_chunk chunk_of(const Enlace__V1__AttachmentChunk *wire)
{
    return (struct attachment_chunk){
        .offset = wire->offset, .data = pb_bytes(wire->data), .sha256 = pb_bytes(wire->sha256)};
}

static void fill_chunk(Enlace__V1__AttachmentChunk *to, const struct attachment_chunk *from)
{
    enlace__v1__attachment_chunk__init(to);
    to->offset = from->offset;
    to->data = pb_data(from->data);
    to->sha256 = pb_data(from->sha256);
}

/* ---- put ---- */

enum rc codec_put_attachment_read(struct bytes from, struct arena *arena,
                                  struct attachment_hello **hello, struct attachment_chunk **chunk,
                                  struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__PutAttachmentRequest *wire;
    void *memory;

    TRY(pb_read(SHAPE_PUT_ATTACHMENT_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__PutAttachmentRequest *)read;
    if (wire->request_case == ENLACE__V1__PUT_ATTACHMENT_REQUEST__REQUEST_CHUNK) {
        TRY(pb_alloc(arena, sizeof **chunk, &memory, fault));
        *hello = NULL;
        *chunk = memory;
        **chunk = chunk_of(wire->chunk);
        return RC_OK;
    }
    TRY(pb_alloc(arena, sizeof **hello, &memory, fault));
    *chunk = NULL;
    *hello = memory;
    **hello = (struct attachment_hello){.attachment_id = pb_id(wire->hello->attachment_id),
                                        .size = wire->hello->size,
                                        .sha256 = pb_bytes(wire->hello->sha256),
                                        .to = wire->hello->to};
    return RC_OK;
}

void codec_put_attachment_write(const struct attachment_hello *hello,
                                const struct attachment_chunk *chunk, struct buffer *out)
{
    Enlace__V1__PutAttachmentRequest wire;
    Enlace__V1__PutAttachmentHello inner;
    Enlace__V1__AttachmentChunk piece;

    enlace__v1__put_attachment_request__init(&wire);
    if (hello != NULL) {
        enlace__v1__put_attachment_hello__init(&inner);
        inner.attachment_id = pb_id_data(&hello->attachment_id);
        inner.size = hello->size;
        inner.sha256 = pb_data(hello->sha256);
        inner.to = pb_text(hello->to);
        wire.request_case = ENLACE__V1__PUT_ATTACHMENT_REQUEST__REQUEST_HELLO;
        wire.hello = &inner;
    } else {
        fill_chunk(&piece, chunk);
        wire.request_case = ENLACE__V1__PUT_ATTACHMENT_REQUEST__REQUEST_CHUNK;
        wire.chunk = &piece;
    }
    pb_write(&wire.base, out);
}

/* ---- where it stands ---- */

void codec_attachment_state_write(uint64_t offset, bool is_complete, struct buffer *out)
{
    Enlace__V1__PutAttachmentResponse wire;

    enlace__v1__put_attachment_response__init(&wire);
    wire.offset = offset;
    wire.is_complete = is_complete;
    pb_write(&wire.base, out);
}

/* The tag of field `id` and its varint, if it comes next; what is read has been checked. */
static uint64_t take_number(struct bytes *rest, unsigned id)
{
    uint64_t value = 0;

    if (rest->size > 0 && rest->data[0] == id << 3) {
        rest->data++;
        rest->size--;
        (void)varint_take(rest, &value);
    }
    return value;
}

enum rc codec_attachment_state_read(struct bytes from, uint64_t *offset, bool *is_complete,
                                    struct fault *fault)
{
    TRY(strict_check(SHAPE_PUT_ATTACHMENT_RESPONSE, from, "", NULL, fault));
    *offset = take_number(&from, 1);
    *is_complete = take_number(&from, 2) != 0;
    return RC_OK;
}

/* ---- get ---- */

void codec_get_attachment_write(const struct id *id, uint64_t offset, struct buffer *out)
{
    Enlace__V1__GetAttachmentRequest wire;

    enlace__v1__get_attachment_request__init(&wire);
    wire.attachment_id = pb_id_data(id);
    wire.offset = offset;
    pb_write(&wire.base, out);
}

enum rc codec_get_attachment_read(struct bytes from, struct id *id, uint64_t *offset,
                                  struct fault *fault)
{
    struct reader reader = {.rest = from};

    TRY(strict_check(SHAPE_GET_ATTACHMENT_REQUEST, from, "", NULL, fault));
    reader_take(&reader, 2); /* tag and length of the id, which is always there */
    reader_copy(&reader, id->bytes, ID_SIZE);
    *offset = take_number(&reader.rest, 2);
    return RC_OK;
}

void codec_got_attachment_write(const struct attachment_chunk *chunk, uint64_t size,
                                struct buffer *out)
{
    Enlace__V1__GetAttachmentResponse wire;
    Enlace__V1__AttachmentChunk piece;

    enlace__v1__get_attachment_response__init(&wire);
    fill_chunk(&piece, chunk);
    wire.chunk = &piece;
    wire.size = size;
    pb_write(&wire.base, out);
}

enum rc codec_got_attachment_read(struct bytes from, struct arena *arena,
                                  struct attachment_chunk *chunk, uint64_t *size,
                                  struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GetAttachmentResponse *wire;

    TRY(pb_read(SHAPE_GET_ATTACHMENT_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GetAttachmentResponse *)read;
    *chunk = chunk_of(wire->chunk);
    *size = wire->size;
    return RC_OK;
}
