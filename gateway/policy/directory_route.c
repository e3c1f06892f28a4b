#include "policy/directory_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "policy/allowed.h"
#include "policy/catalogue.h"
#include "policy/directory_clock.h"
#include "policy/directory_stanza.h"

enum rc directory_route_set_from(struct reading *reading, const char *value)
{
    return value_refer(reading, REFERENCE_MEMBER, value, reading->stanza.route.from);
}

enum rc directory_route_set_to(struct reading *reading, const char *value)
{
    return value_refer(reading, REFERENCE_MEMBER, value, reading->stanza.route.to);
}

static enum rc complain_full(struct reading *reading, size_t max)
{
    return complain(reading, reading->line, "expected at most %zu elements", max);
}

static enum rc complain_twice(struct reading *reading, const char *value)
{
    return complain(reading, reading->line, "\"%.60s\": expected once, stands twice", value);
}

enum rc directory_route_add_type(struct reading *reading, const char *value)
{
    struct route *route = &reading->stanza.route;
    enum message_type type = message_type_from_name(value);
    const char *names[16] = {NULL};

    if (type == MESSAGE_NONE) {
        for (int i = 0; i < 10; i++) {
            names[i] = message_type_name((enum message_type)(MESSAGE_REFERRAL + i));
        }
        return complain_near(reading, "a type of message", value, conf_nearest(value, names));
    }
    for (size_t i = 0; i < route->type_count; i++) {
        if (route->types[i] == type) {
            return complain_twice(reading, value);
        }
    }
    if (route->type_count == ROUTE_TYPES_MAX) {
        return complain_full(reading, ROUTE_TYPES_MAX);
    }
    route->types[route->type_count++] = type;
    return RC_OK;
}

enum rc directory_route_add_code(struct reading *reading, const char *value)
{
    struct route *route = &reading->stanza.route;
    const char *names[128] = {NULL};
    size_t count;
    const struct catalogue_entry *entries = catalogue_entries(&count);

    if (catalogue_find(value) == NULL) {
        for (size_t i = 0; i < count && i < 127; i++) {
            names[i] = entries[i].code;
        }
        return complain_near(reading, "a code of the catalogue", value, conf_nearest(value, names));
    }
    for (size_t i = 0; i < route->code_count; i++) {
        if (strcmp(route->codes[i], value) == 0) {
            return complain_twice(reading, value);
        }
    }
    if (route->code_count == ROUTE_CODES_MAX) {
        return complain_full(reading, ROUTE_CODES_MAX);
    }
    snprintf(route->codes[route->code_count++], sizeof route->codes[0], "%s", value);
    return RC_OK;
}

enum rc directory_route_set_purpose(struct reading *reading, const char *value)
{
    return value_word(reading, value, "-", reading->stanza.route.purpose, CODE_SIZE);
}

enum rc directory_route_set_basis(struct reading *reading, const char *value)
{
    return value_refer(reading, REFERENCE_BASIS, value, reading->stanza.route.basis);
}

enum rc directory_route_set_aviso(struct reading *reading, const char *value)
{
    return value_refer(reading, REFERENCE_AVISO, value, reading->stanza.route.aviso);
}

static enum compartment_type compartment_of(const char *word, size_t size)
{
    for (int i = COMPARTMENT_IDENTITY; i < COMPARTMENT_TYPES; i++) {
        const char *name = compartment_name((enum compartment_type)i);

        if (strlen(name) == size && memcmp(name, word, size) == 0) {
            return (enum compartment_type)i;
        }
    }
    return COMPARTMENT_NONE;
}

static enum rc add_to_set(struct reading *reading, const char *value, struct field_set *set)
{
    int number = field_number(value);
    enum compartment_type type = compartment_of(value, strcspn(value, "."));

    if (number < 0) {
        const char *names[FIELD_MAX + 1] = {NULL};
        size_t count;
        const struct field *fields = field_catalogue(&count);

        for (size_t i = 0; i < count; i++) {
            names[i] = fields[i].path;
        }
        return complain_near(reading, "a field such as identity.full_name", value,
                             conf_nearest(value, names));
    }
    if ((ALLOWED_ALWAYS_SEALED >> type & 1) != 0) {
        return complain(reading, reading->line,
                        "%s: expected no field of %s in clear: it travels sealed or not at all",
                        value, compartment_name(type));
    }
    if (field_set_has(*set, (unsigned)number)) {
        return complain_twice(reading, value);
    }
    field_set_add(set, (unsigned)number);
    return RC_OK;
}

enum rc directory_route_add_field(struct reading *reading, const char *value)
{
    return add_to_set(reading, value, &reading->stanza.route.fields);
}

enum rc directory_route_add_reply_field(struct reading *reading, const char *value)
{
    return add_to_set(reading, value, &reading->stanza.route.reply_fields);
}

enum rc directory_route_add_sealed(struct reading *reading, const char *value)
{
    struct route *route = &reading->stanza.route;
    enum compartment_type type = compartment_of(value, strlen(value));

    if (type == COMPARTMENT_NONE) {
        const char *names[COMPARTMENT_TYPES] = {NULL};

        for (int i = 1; i < COMPARTMENT_TYPES; i++) {
            names[i - 1] = compartment_name((enum compartment_type)i);
        }
        return complain_near(reading, "a compartment", value, conf_nearest(value, names));
    }
    if ((route->sealed_types >> type & 1) != 0) {
        return complain_twice(reading, value);
    }
    route->sealed_types |= 1u << type;
    return RC_OK;
}

enum rc directory_route_set_retention(struct reading *reading, const char *value)
{
    size_t digits = value[0] == 'R' ? strspn(value + 1, "0123456789") : 0;

    if (digits == 0 || digits > 2 || value[1 + digits] != '\0' || value[1] == '0') {
        return complain(reading, reading->line, "\"%.60s\": expected R and a number of years, R5",
                        value);
    }
    memcpy(reading->stanza.route.retention, value, digits + 2);
    return RC_OK;
}

enum rc directory_route_set_urgent(struct reading *reading, const char *value)
{
    return value_yes(reading, value, "no", "yes", &reading->stanza.route.is_urgent_allowed);
}

enum rc directory_route_add_ladder(struct reading *reading, const char *value)
{
    struct route *route = &reading->stanza.route;

    if (route->ladder_count == ROUTE_LADDER_MAX) {
        return complain_full(reading, ROUTE_LADDER_MAX);
    }
    TRY(value_refer(reading, REFERENCE_MEMBER, value, route->ladder[route->ladder_count]));
    route->ladder_count++;
    return RC_OK;
}

enum rc directory_route_set_second_official(struct reading *reading, const char *value)
{
    return value_yes(reading, value, "no", "yes", &reading->stanza.route.needs_second_official);
}

enum rc directory_route_set_onward(struct reading *reading, const char *value)
{
    return value_yes(reading, value, "never", "through-origin",
                     &reading->stanza.route.is_onward_through_origin);
}

static bool route_takes(const struct route *route, enum message_type type)
{
    for (size_t i = 0; i < route->type_count; i++) {
        if (route->types[i] == type) {
            return true;
        }
    }
    return false;
}

enum rc directory_route_close(struct reading *reading)
{
    const struct route *route = &reading->stanza.route;
    unsigned line = reading->stanza.line;
    size_t count;
    const struct field *fields = field_catalogue(&count);

    for (unsigned i = 0; i < count; i++) {
        enum compartment_type type = compartment_of(fields[i].path, strcspn(fields[i].path, "."));

        if ((route->sealed_types >> type & 1) != 0 &&
            (field_set_has(route->fields, i) || field_set_has(route->reply_fields, i))) {
            return complain(reading, line,
                            "%s: expected either its compartment in sealed or the field in clear, "
                            "not both",
                            fields[i].path);
        }
    }
    if (route->code_count == 0 &&
        (route_takes(route, MESSAGE_REFERRAL) || route_takes(route, MESSAGE_MEASURE_REQUEST) ||
         route_takes(route, MESSAGE_SUPPORT_REQUEST))) {
        return complain(reading, line, "codes: expected, since items travel along this route");
    }
    return directory_clock_close(reading);
}
