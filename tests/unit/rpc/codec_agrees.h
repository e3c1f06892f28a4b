/*
 * codec_agrees - holds strict_check against protobuf-c: what is accepted must pack to the same
 * bytes without unknown fields, and what is refused for its encoding must not.
 */
#ifndef UNIT_RPC_CODEC_AGREES_H
#define UNIT_RPC_CODEC_AGREES_H

#include <stdlib.h>
#include <string.h>

#include "rpc/codec_shape.h"
#include "rpc/codec_strict.h"

static inline bool has_unknown(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    bool is_found = message->n_unknown_fields > 0;

    for (unsigned i = 0; i < descriptor->n_fields && !is_found; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const uint8_t *at = (const uint8_t *)message + field->offset;
        const uint8_t *quantifier = (const uint8_t *)message + field->quantifier_offset;

        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            for (size_t k = 0; k < *(const size_t *)quantifier && !is_found; k++) {
                is_found = has_unknown((*(ProtobufCMessage *const *const *)at)[k]);
            }
        } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
                   *(const uint32_t *)quantifier == field->id) {
            const ProtobufCMessage *inner = *(ProtobufCMessage *const *)at;

            is_found = inner != NULL && has_unknown(inner);
        }
    }
    return is_found;
}

/* Does protobuf-c read it completely and pack the same bytes? */
static inline bool is_own_packing(enum shape_name shape, struct bytes from)
{
    ProtobufCMessage *read =
        protobuf_c_message_unpack(shape_get(shape)->descriptor, NULL, from.size, from.data);
    bool is_same = false;

    if (read == NULL) {
        return false;
    }
    if (protobuf_c_message_get_packed_size(read) == from.size && !has_unknown(read)) {
        uint8_t *packed = malloc(from.size + 1);

        protobuf_c_message_pack(read, packed);
        is_same = from.size == 0 || memcmp(packed, from.data, from.size) == 0;
        free(packed);
    }
    protobuf_c_message_free_unpacked(read, NULL);
    return is_same;
}

static inline bool is_about_encoding(const struct fault *fault)
{
    return strcmp(fault->reason, "decode.malformed") == 0 ||
           strcmp(fault->reason, "decode.unknown_field") == 0 ||
           strcmp(fault->reason, "decode.not_canonical") == 0;
}

static inline bool codec_agrees(enum shape_name shape, struct bytes from)
{
    struct fault fault = {0};
    bool is_accepted = strict_check(shape, from, "", NULL, &fault) == RC_OK;

    if (is_accepted) {
        return is_own_packing(shape, from);
    }
    return !is_about_encoding(&fault) || !is_own_packing(shape, from);
}

/* Every field set, at every depth; of lists the first entry; members of a oneof if they are there.
 */
static inline bool is_complete(const ProtobufCMessage *message);

static inline bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    static const uint64_t zero;
    const uint8_t *at = (const uint8_t *)message + field->offset;
    const uint8_t *quantifier = (const uint8_t *)message + field->quantifier_offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return *(const size_t *)quantifier > 0 &&
               (field->type != PROTOBUF_C_TYPE_MESSAGE ||
                is_complete((*(ProtobufCMessage *const *const *)at)[0]));
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *(const uint32_t *)quantifier != field->id) {
        return true;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)at != NULL &&
               is_complete(*(ProtobufCMessage *const *)at);
    case PROTOBUF_C_TYPE_STRING:
        return (*(const char *const *)at)[0] != '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len > 0;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return memcmp(at, &zero, 8) != 0;
    default:
        return memcmp(at, &zero, 4) != 0;
    }
}

static inline bool is_complete(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        if (!is_set(message, &message->descriptor->fields[i])) {
            return false;
        }
    }
    return true;
}

static inline bool holds_every_field(enum shape_name shape, struct bytes from)
{
    ProtobufCMessage *read =
        protobuf_c_message_unpack(shape_get(shape)->descriptor, NULL, from.size, from.data);
    bool is_whole = read != NULL && is_complete(read);

    if (read != NULL) {
        protobuf_c_message_free_unpacked(read, NULL);
    }
    return is_whole;
}

#endif
