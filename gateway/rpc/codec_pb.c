#include "rpc/codec_pb.h"

#include <string.h>

#include "base/arena.h"
#include "rpc/codec_strict.h"

static void *arena_take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

/* The arena frees everything at once. */
static void arena_keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static enum rc refuse_memory(struct fault *fault)
{
    return refuse(fault, RC_RESOURCE_EXHAUSTED, "decode.memory", "",
                  "El mensaje ocupa demasiada memoria: repártalo en varios.");
}

enum rc pb_unpack_part(const ProtobufCMessageDescriptor *descriptor, struct bytes from,
                       struct arena *arena, ProtobufCMessage **message, struct fault *fault)
{
    ProtobufCAllocator allocator = {arena_take, arena_keep, arena};

    *message = protobuf_c_message_unpack(descriptor, &allocator, from.size, from.data);
    return *message != NULL ? RC_OK : refuse_memory(fault);
}

enum rc pb_unpack(enum shape_name shape, struct bytes from, struct arena *arena,
                  ProtobufCMessage **message, struct fault *fault)
{
    return pb_unpack_part(shape_get(shape)->descriptor, from, arena, message, fault);
}

enum rc pb_read(enum shape_name shape, struct bytes from, const char *root, struct arena *arena,
                ProtobufCMessage **message, struct fault *fault)
{
    TRY(strict_check(shape, from, root, NULL, fault));
    return pb_unpack(shape, from, arena, message, fault);
}

enum rc pb_alloc(struct arena *arena, size_t size, void **memory, struct fault *fault)
{
    *memory = arena_alloc(arena, size);
    return *memory != NULL ? RC_OK : refuse_memory(fault);
}

/* A ProtobufCBuffer that is one of our buffers. */
struct sink {
    ProtobufCBuffer base;
    struct buffer *out;
};

static void sink_append(ProtobufCBuffer *base, size_t size, const uint8_t *data)
{
    buffer_put(((struct sink *)base)->out, data, size);
}

void pb_write(const ProtobufCMessage *message, struct buffer *out)
{
    struct sink sink = {.base = {sink_append}, .out = out};

    protobuf_c_message_pack_to_buffer(message, &sink.base);
}

struct bytes pb_bytes(ProtobufCBinaryData data)
{
    return BYTES(data.data, data.len);
}

ProtobufCBinaryData pb_data(struct bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size, .data = (uint8_t *)bytes.data};
}

struct id pb_id(ProtobufCBinaryData data)
{
    struct id id = {{0}};

    if (data.len == ID_SIZE) {
        memcpy(id.bytes, data.data, ID_SIZE);
    }
    return id;
}

ProtobufCBinaryData pb_id_data(const struct id *id)
{
    return id_is_zero(id) ? (ProtobufCBinaryData){0} : pb_data(BYTES_OF(id->bytes));
}

char *pb_text(const char *text)
{
    return (char *)(text != NULL ? text : protobuf_c_empty_string);
}
