#include "rpc/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"

#define COMPARTMENT_MEMORY_MAX ((size_t)2 << 20)
_Static_assert(CODEC_ENTRIES_MAX >= MESSAGE_ATTACHMENTS_MAX, "entries of any compartment fit");

/* The rule whose value a field of the catalogue is; *entries: the repeated rule around it. */
static const struct rule *find_rule(const struct shape *shape, unsigned field,
                                    const struct rule **entries)
{
    for (unsigned i = 0; i < shape->rule_count; i++) {
        const struct rule *rule = &shape->rules[i];

        if (rule->kind == RULE_MESSAGE) {
            const struct rule *inside = find_rule(rule->of, field, entries);

            if (inside != NULL) {
                *entries = rule;
                return inside;
            }
        } else if (rule->catalogue == (int)field) {
            *entries = NULL;
            return rule;
        }
    }
    return NULL;
}

static void *member_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (uint8_t *)message + field->offset;
}

static const void *member_in(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (const uint8_t *)message + field->offset;
}

/* ---- writing ---- */

static enum rc parse_bytes(const struct rule *rule, const char *text, struct arena *arena,
                           ProtobufCBinaryData *out)
{
    out->data = arena_alloc(arena, rule->size_max);
    out->len = rule->size_max;
    if (out->data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (rule->size_max == ID_SIZE) {
        struct id id;

        TRY(id_parse(text, &id));
        memcpy(out->data, id.bytes, ID_SIZE);
        return RC_OK;
    }
    return hex_decode(text, out->data, rule->size_max);
}

static enum rc parse_number(const char *text, uint64_t *out)
{
    char *end;

    if (text[0] < '1' || text[0] > '9') {
        return RC_INVALID_ARGUMENT; /* zero is the default, and is not written */
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' ? RC_OK : RC_INVALID_ARGUMENT;
}

static enum rc set_member(ProtobufCMessage *message, const struct rule *rule, const char *text,
                          struct arena *arena)
{
    void *member = member_of(message, rule->field);

    switch (rule->kind) {
    case RULE_TEXT:
        if ((*(char **)member)[0] != '\0') {
            return RC_INVALID_ARGUMENT; /* set before */
        }
        *(char **)member = (char *)text;
        return RC_OK;
    case RULE_BYTES:
        if (((ProtobufCBinaryData *)member)->len != 0) {
            return RC_INVALID_ARGUMENT;
        }
        return parse_bytes(rule, text, arena, member);
    case RULE_INT64:
        return *(uint64_t *)member == 0 ? parse_number(text, member) : RC_INVALID_ARGUMENT;
    default:
        return RC_INVALID_ARGUMENT; /* no compartment has another kind */
    }
}

/* The entries of a compartment under construction, all of one repeated field. */
struct entries {
    ProtobufCMessage *at[CODEC_ENTRIES_MAX];
    size_t count;
};

static ProtobufCMessage *message_new(const struct shape *shape, struct arena *arena)
{
    ProtobufCMessage *message = arena_alloc(arena, shape->descriptor->sizeof_message);

    if (message != NULL) {
        protobuf_c_message_init(shape->descriptor, message);
    }
    return message;
}

static enum rc entry_get(struct entries *entries, const struct rule *rule, unsigned index,
                         struct arena *arena, ProtobufCMessage **entry)
{
    if (index >= CODEC_ENTRIES_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    if (entries->at[index] == NULL) {
        entries->at[index] = message_new(rule->of, arena);
        if (entries->at[index] == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
    }
    entries->count = index + 1 > entries->count ? index + 1 : entries->count;
    *entry = entries->at[index];
    return RC_OK;
}

static enum rc set_value(const struct shape *shape, ProtobufCMessage *message,
                         struct entries *entries, const struct field_value *value,
                         struct arena *arena)
{
    const struct rule *repeated = NULL;
    const struct rule *rule = find_rule(shape, value->field, &repeated);

    if (rule == NULL || (repeated == NULL && value->entry != 0)) {
        return RC_INVALID_ARGUMENT;
    }
    if (value->text[0] == '\0') {
        return RC_OK;
    }
    if (repeated != NULL) {
        TRY(entry_get(entries, repeated, value->entry, arena, &message));
    }
    return set_member(message, rule, value->text, arena);
}

static enum rc attach_entries(const struct shape *shape, ProtobufCMessage *message,
                              struct entries *entries)
{
    const struct rule *rule = &shape->rules[0];

    for (size_t i = 0; i < entries->count; i++) {
        if (entries->at[i] == NULL) {
            return RC_INVALID_ARGUMENT; /* a gap */
        }
    }
    if (rule->is_repeated) {
        *(size_t *)((uint8_t *)message + rule->field->quantifier_offset) = entries->count;
        *(ProtobufCMessage ***)member_of(message, rule->field) = entries->at;
    }
    return RC_OK;
}

/* What is written must be what a reader accepts. */
static enum rc append_checked(enum shape_name shape, const ProtobufCMessage *message,
                              struct arena *arena, struct buffer *out)
{
    struct bytes packed;
    uint8_t *memory = arena_alloc(arena, protobuf_c_message_get_packed_size(message));

    if (memory == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    packed = BYTES(memory, protobuf_c_message_pack(message, memory));
    TRY(strict_check(shape, packed, "", NULL, NULL));
    if (packed.size > 0) {
        buffer_put_bytes(out, packed);
    }
    return out->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc codec_compartment_write(enum compartment_type type, const struct field_value *values,
                                size_t count, struct buffer *out)
{
    OWN_PTR(arena) arena = arena_new(COMPARTMENT_MEMORY_MAX);
    struct entries entries = {.count = 0};
    const struct shape *shape;
    ProtobufCMessage *message;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (type <= COMPARTMENT_NONE || type >= COMPARTMENT_TYPES) {
        return RC_INVALID_ARGUMENT;
    }
    shape = shape_get(shape_of_compartment(type));
    message = message_new(shape, arena);
    if (message == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < count; i++) {
        TRY(set_value(shape, message, &entries, &values[i], arena));
    }
    TRY(attach_entries(shape, message, &entries));
    return append_checked(shape_of_compartment(type), message, arena, out);
}

/* ---- reading ---- */

struct values {
    struct field_value *at;
    size_t count;
    size_t capacity;
    struct arena *arena;
    struct fault *fault;
};

static enum rc text_of_bytes(ProtobufCBinaryData data, struct values *values, const char **text)
{
    void *memory;

    TRY(pb_alloc(values->arena, 2 * data.len + ID_TEXT_SIZE, &memory, values->fault));
    if (data.len == ID_SIZE) {
        struct id id = pb_id(data);

        id_format(&id, memory);
    } else {
        hex_encode(data.data, data.len, memory);
    }
    *text = memory;
    return RC_OK;
}

static enum rc text_of_number(uint64_t number, struct values *values, const char **text)
{
    void *memory;

    TRY(pb_alloc(values->arena, 24, &memory, values->fault));
    snprintf(memory, 24, "%" PRIu64, number);
    *text = memory;
    return RC_OK;
}

/* NULL when the field is not there. */
static enum rc text_of_member(const ProtobufCMessage *message, const struct rule *rule,
                              struct values *values, const char **text)
{
    const void *member = member_in(message, rule->field);

    *text = NULL;
    if (rule->kind == RULE_TEXT) {
        const char *own = *(char *const *)member;

        *text = own[0] != '\0' ? own : NULL;
    } else if (rule->kind == RULE_BYTES && ((const ProtobufCBinaryData *)member)->len > 0) {
        return text_of_bytes(*(const ProtobufCBinaryData *)member, values, text);
    } else if (rule->kind == RULE_INT64 && *(const uint64_t *)member != 0) {
        return text_of_number(*(const uint64_t *)member, values, text);
    }
    return RC_OK;
}

static enum rc list_values(const struct shape *shape, const ProtobufCMessage *message,
                           unsigned entry, struct values *values)
{
    for (unsigned i = 0; i < shape->rule_count; i++) {
        const struct rule *rule = &shape->rules[i];

        if (rule->kind == RULE_MESSAGE) {
            size_t count =
                *(const size_t *)((const uint8_t *)message + rule->field->quantifier_offset);
            ProtobufCMessage *const *entries =
                *(ProtobufCMessage *const *const *)member_in(message, rule->field);

            for (size_t k = 0; k < count; k++) {
                TRY(list_values(rule->of, entries[k], (unsigned)k, values));
            }
        } else {
            struct field_value value = {.field = (unsigned)rule->catalogue, .entry = entry};

            TRY(text_of_member(message, rule, values, &value.text));
            if (value.text != NULL && values->count < values->capacity) {
                values->at[values->count++] = value;
            }
        }
    }
    return RC_OK;
}

/* At least as many as there can be values: the widest entry has eight fields. */
#define VALUES_MAX ((size_t)CODEC_ENTRIES_MAX * 8)

enum rc codec_compartment_read(enum compartment_type type, struct bytes from, struct arena *arena,
                               struct field_value **values, size_t *count, struct fault *fault)
{
    struct values list = {.capacity = VALUES_MAX, .arena = arena, .fault = fault};
    enum shape_name shape = shape_of_compartment(type);
    ProtobufCMessage *read = NULL;
    void *memory;

    if (type <= COMPARTMENT_NONE || type >= COMPARTMENT_TYPES) {
        return refuse(fault, RC_INVALID_ARGUMENT, "decode.unknown_value", "part",
                      "El tipo de compartimento no está en el esquema.");
    }
    TRY(pb_read(shape, from, compartment_name(type), arena, &read, fault));
    TRY(pb_alloc(arena, VALUES_MAX * sizeof *list.at, &memory, fault));
    list.at = memory;
    TRY(list_values(shape_get(shape), read, 0, &list));
    *values = list.at;
    *count = list.count;
    return RC_OK;
}
