#include "rpc/codec_strict.h"

#include <stdio.h>

#define WIRE_VARINT 0
#define WIRE_LENGTH 2
#define VARINT_BYTES_MAX 10

/* Where the walk stands: a chain up to the root, looked at only to name a refused field. */
struct place {
    const struct place *up;
    const struct rule *rule; /* NULL: the root */
    uint32_t index;
};

struct walk {
    const char *root;
    struct field_set fields;
    struct fault *fault;
};

struct path_text {
    char text[sizeof((struct fault *)0)->path];
    size_t used;
};

static void path_put(struct path_text *path, const char *text)
{
    while (*text != '\0' && path->used < sizeof path->text - 1) {
        path->text[path->used++] = *text++;
    }
    path->text[path->used] = '\0';
}

static void path_put_name(struct path_text *path, const char *name)
{
    if (path->used > 0) {
        path_put(path, ".");
    }
    path_put(path, name);
}

static void path_put_place(struct path_text *path, const struct walk *walk,
                           const struct place *place)
{
    if (place->rule == NULL) {
        path_put(path, walk->root);
        return;
    }
    path_put_place(path, walk, place->up);
    path_put_name(path, place->rule->name);
    if (place->rule->is_repeated) {
        char index[16];

        snprintf(index, sizeof index, "[%u]", place->index);
        path_put(path, index);
    }
}

/* `name`, unless empty, is a field of the message at `place`. */
static enum rc refuse_at(const struct walk *walk, const struct place *place, const char *name,
                         const char *reason, const char *remedy)
{
    struct path_text path = {.used = 0};

    path_put_place(&path, walk, place);
    if (name[0] != '\0') {
        path_put_name(&path, name);
    }
    return refuse(walk->fault, RC_INVALID_ARGUMENT, reason, path.text, "%s", remedy);
}

static enum rc refuse_malformed(const struct walk *walk, const struct place *place)
{
    return refuse_at(walk, place, "", "decode.malformed",
                     "Los bytes no son un mensaje protobuf completo: vuelva a serializarlo.");
}

static enum rc refuse_not_canonical(const struct walk *walk, const struct place *place)
{
    return refuse_at(walk, place, "", "decode.not_canonical",
                     "Serialice los campos una sola vez, en orden, sin valores por omisión ni "
                     "relleno.");
}

static enum rc refuse_missing(const struct walk *walk, const struct place *place, const char *name)
{
    return refuse_at(walk, place, name, "decode.missing", "Falta un campo obligatorio.");
}

enum varint varint_take(struct bytes *rest, uint64_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < rest->size && i < VARINT_BYTES_MAX; i++) {
        uint8_t byte = rest->data[i];

        sum |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            bool is_padded = (i > 0 && byte == 0) || (i == VARINT_BYTES_MAX - 1 && byte > 1);

            rest->data += i + 1;
            rest->size -= i + 1;
            *value = sum;
            return is_padded ? VARINT_PADDED : VARINT_OK;
        }
    }
    return VARINT_CUT_OFF;
}

/* Nearly all tags, lengths and numbers are one byte. */
static inline enum rc take_varint(const struct walk *walk, const struct place *place,
                                  struct bytes *rest, uint64_t *value)
{
    if (rest->size > 0 && rest->data[0] < 0x80) {
        *value = rest->data[0];
        rest->data++;
        rest->size--;
        return RC_OK;
    }
    switch (varint_take(rest, value)) {
    case VARINT_OK:
        return RC_OK;
    case VARINT_PADDED:
        return refuse_not_canonical(walk, place);
    default:
        return refuse_malformed(walk, place);
    }
}

static enum rc check_number(const struct walk *walk, const struct place *place, struct bytes *rest)
{
    const struct rule *rule = place->rule;
    uint64_t value;

    TRY(take_varint(walk, place, rest, &value));
    if ((value == 0 && !rule->is_in_oneof) || (rule->kind == RULE_UINT32 && value > UINT32_MAX) ||
        (rule->kind == RULE_BOOL && value > 1)) {
        return refuse_not_canonical(walk, place);
    }
    if (rule->kind == RULE_ENUM && value > rule->value_max) {
        return refuse_at(walk, place, "", "decode.unknown_value",
                         "Use un valor de la versión del esquema que declara el mensaje.");
    }
    return RC_OK;
}

static enum rc check_size(const struct walk *walk, const struct place *place, size_t size)
{
    const struct rule *rule = place->rule;

    if (size == 0 && !rule->is_repeated && !rule->is_in_oneof && rule->kind != RULE_MESSAGE) {
        return refuse_not_canonical(walk, place); /* a default, written out */
    }
    if (size < rule->size_min && rule->kind == RULE_MESSAGE) {
        return refuse_missing(walk, place, "");
    }
    if (size < rule->size_min || (rule->size_min == rule->size_max && size != rule->size_max)) {
        return refuse_at(walk, place, "", "decode.size",
                         "Identificadores: 16 bytes; huellas y cegadores: 32 bytes.");
    }
    if (size > rule->size_max) {
        return refuse_at(walk, place, "", "decode.too_large",
                         "Acorte este campo; los archivos viajan como anexos.");
    }
    return RC_OK;
}

static bool is_all_zero(struct bytes value)
{
    uint8_t any = 0;

    for (size_t i = 0; i < value.size; i++) {
        any |= value.data[i];
    }
    return any == 0;
}

static enum rc check_message(struct walk *walk, const struct shape *shape, struct bytes rest,
                             const struct place *place);

static enum rc check_sized(struct walk *walk, const struct place *place, struct bytes *rest)
{
    const struct rule *rule = place->rule;
    struct bytes value;
    uint64_t size;

    TRY(take_varint(walk, place, rest, &size));
    if (size > rest->size) {
        return refuse_malformed(walk, place);
    }
    TRY(check_size(walk, place, (size_t)size));
    value = BYTES(rest->data, size);
    rest->data += size;
    rest->size -= size;
    if (rule->kind == RULE_BYTES && rule->size_max == ID_SIZE && is_all_zero(value)) {
        return refuse_missing(walk, place, ""); /* zero stands for "none", which is not written */
    }
    if (rule->kind == RULE_TEXT && !codec_text_is_clean(value, rule->is_several_lines)) {
        return refuse_at(walk, place, "", "decode.text",
                         "Use texto UTF-8 sin caracteres de control.");
    }
    return rule->kind == RULE_MESSAGE ? check_message(walk, rule->of, value, place) : RC_OK;
}

static enum rc check_value(struct walk *walk, const struct place *place, unsigned wire,
                           struct bytes *rest)
{
    const struct rule *rule = place->rule;

    if (wire != (rule->kind < RULE_TEXT ? WIRE_VARINT : WIRE_LENGTH)) {
        return refuse_malformed(walk, place);
    }
    if (rule->catalogue >= 0) {
        field_set_add(&walk->fields, (unsigned)rule->catalogue);
    }
    return rule->kind < RULE_TEXT ? check_number(walk, place, rest)
                                  : check_sized(walk, place, rest);
}

/* No rule from here on has this number: out of order, or not a field at all. */
static enum rc refuse_field(const struct walk *walk, const struct shape *shape,
                            const struct place *place, uint64_t id)
{
    char name[24];

    if (id == 0 || id > UINT32_MAX >> 3) {
        return refuse_malformed(walk, place);
    }
    for (unsigned i = 0; i < shape->rule_count; i++) {
        if (shape->rules[i].id == id) {
            return refuse_not_canonical(walk,
                                        &(struct place){.up = place, .rule = &shape->rules[i]});
        }
    }
    snprintf(name, sizeof name, "%u", (unsigned)id);
    return refuse_at(walk, place, name, "decode.unknown_field",
                     "Quite este campo: no está en el esquema.");
}

static enum rc check_presence(const struct walk *walk, const struct shape *shape, uint64_t seen,
                              const struct place *place)
{
    uint64_t missing = shape->required & ~seen;
    const char *name = "";

    if (missing != 0) {
        name = shape->rules[__builtin_ctzll(missing)].name;
    } else if (!shape->is_oneof_required || (seen & shape->oneof) != 0) {
        return RC_OK;
    }
    return refuse_missing(walk, place, name);
}

static enum rc check_repetition(const struct walk *walk, const struct shape *shape, uint64_t seen,
                                uint64_t bit, const struct place *place)
{
    const struct rule *rule = place->rule;

    if (rule->is_repeated) {
        return place->index < rule->count_max
                   ? RC_OK
                   : refuse_at(walk, place, "", "decode.too_many",
                               "Reparta el contenido en varios mensajes.");
    }
    if ((seen & bit) != 0 || (rule->is_in_oneof && (seen & shape->oneof) != 0)) {
        return refuse_not_canonical(walk, place);
    }
    return RC_OK;
}

/* Fields ascend, so one cursor over the rules, moving forward only, finds each field's rule. */
static enum rc check_message(struct walk *walk, const struct shape *shape, struct bytes rest,
                             const struct place *up)
{
    struct place place = {.up = up};
    uint64_t seen = 0;
    unsigned at = 0;

    while (rest.size > 0) {
        uint64_t tag;
        uint64_t bit;

        TRY(take_varint(walk, up, &rest, &tag));
        while (at < shape->rule_count && shape->rules[at].id < tag >> 3) {
            at++;
        }
        if (at == shape->rule_count || shape->rules[at].id != tag >> 3) {
            return refuse_field(walk, shape, up, tag >> 3);
        }
        bit = (uint64_t)1 << at;
        place.rule = &shape->rules[at];
        place.index = (seen & bit) != 0 ? place.index + 1 : 0;
        TRY(check_repetition(walk, shape, seen, bit, &place));
        TRY(check_value(walk, &place, tag & 7, &rest));
        seen |= bit;
    }
    return check_presence(walk, shape, seen, up);
}

enum rc strict_check(enum shape_name name, struct bytes from, const char *root,
                     struct field_set *fields, struct fault *fault)
{
    struct walk walk = {.root = root, .fault = fault};

    TRY(check_message(&walk, shape_get(name), from, &(struct place){.up = NULL}));
    if (fields != NULL) {
        fields->bits |= walk.fields.bits;
    }
    return RC_OK;
}
