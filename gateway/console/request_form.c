#include "console/request_form.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/digest.h"
#include "policy/catalogue.h"
#include "policy/route.h"

#define PATH_SIZE 512
#define SEALS_MAX 8

/* ---- seal certificates ---- */

static bool is_seal_of(const struct directory *directory, const char *member,
                       const uint8_t *fingerprint, int32_t today)
{
    for (size_t i = 0; i < directory->identity_count; i++) {
        const struct identity *identity = &directory->identities[i];

        if (identity->kind == IDENTITY_SYSTEM && identity->has_seal && !identity->is_suspended &&
            strcmp(identity->member, member) == 0 && identity->in_force.from_day <= today &&
            identity->in_force.to_day >= today &&
            digest_equal(identity->seal_fingerprint, fingerprint)) {
            return true;
        }
    }
    return false;
}

static bool is_pem(const char *name)
{
    size_t size = strlen(name);

    return size > 4 && strcmp(name + size - 4, ".pem") == 0;
}

/* Paths of the certificates in the folder that parcels to this member are sealed to. */
static json_t *seals_of(const struct directory *directory, const char *member, int32_t today,
                        const char *folder)
{
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    json_t *paths = json_array();
    const struct dirent *entry;

    while (dir != NULL && json_array_size(paths) < SEALS_MAX && (entry = readdir(dir)) != NULL) {
        OWN_PTR(cert) cert = NULL;
        char path[PATH_SIZE];

        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (is_pem(entry->d_name) && cert_load(path, &cert, NULL) == RC_OK &&
            is_seal_of(directory, member, cert_fingerprint(cert), today)) {
            json_array_append_new(paths, json_string(path));
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return paths;
}

/* ---- forms ---- */

static const struct aviso *aviso_of(const struct directory *directory, const struct route *route)
{
    for (size_t i = 0; i < directory->aviso_count; i++) {
        if (directory->avisos[i].text == route->text &&
            strcmp(directory->avisos[i].id, route->aviso) == 0) {
            return &directory->avisos[i];
        }
    }
    return NULL;
}

static const char *name_of(const struct directory *directory, const char *code, int32_t today)
{
    const char *name = code;

    for (size_t i = 0; i < directory->member_count; i++) {
        const struct member *member = &directory->members[i];

        if (strcmp(member->code, code) == 0 && member->in_force.from_day <= today &&
            member->in_force.to_day >= today) {
            name = member->name;
        }
    }
    return name;
}

static enum compartment_type part_of(const char *path)
{
    size_t size = strcspn(path, ".");

    for (int type = 1; type < COMPARTMENT_TYPES; type++) {
        const char *name = compartment_name((enum compartment_type)type);

        if (strlen(name) == size && strncmp(name, path, size) == 0) {
            return (enum compartment_type)type;
        }
    }
    return COMPARTMENT_NONE;
}

static bool is_sealed(const struct route *route, const char *path)
{
    return (route->sealed_types >> part_of(path) & 1) != 0;
}

/* Files go another way. */
static bool is_allowed(const struct route *route, unsigned number, const char *path)
{
    return part_of(path) != COMPARTMENT_ATTACHMENTS &&
           (field_set_has(route->fields, number) || is_sealed(route, path));
}

static json_t *fields_json(const struct route *route)
{
    json_t *fields = json_array();
    size_t count;
    const struct field *catalogue = field_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        if (catalogue[i].path != NULL && is_allowed(route, (unsigned)i, catalogue[i].path)) {
            json_array_append_new(fields, json_pack("{s:s,s:s,s:s,s:b}", "path", catalogue[i].path,
                                                    "label", catalogue[i].label, "part",
                                                    compartment_name(part_of(catalogue[i].path)),
                                                    "sealed", is_sealed(route, catalogue[i].path)));
        }
    }
    return fields;
}

/* A consultation has a session of its own, and no code. */
static bool opens(enum message_type type)
{
    return type == MESSAGE_REFERRAL || type == MESSAGE_MEASURE_REQUEST ||
           type == MESSAGE_SUPPORT_REQUEST;
}

/* What can be asked: a code with the type that it fits. */
static json_t *asks_json(const struct route *route)
{
    json_t *asks = json_array();

    for (size_t i = 0; i < route->code_count; i++) {
        const struct catalogue_entry *entry = catalogue_find(route->codes[i]);

        for (size_t j = 0; entry != NULL && j < route->type_count; j++) {
            if (opens(route->types[j]) && catalogue_class_fits(entry->class, route->types[j])) {
                json_array_append_new(asks, json_pack("{s:s,s:s,s:s,s:s}", "code", entry->code,
                                                      "phrase", entry->phrase, "class",
                                                      catalogue_class_name(entry->class), "type",
                                                      message_type_name(route->types[j])));
            }
        }
    }
    return asks;
}

static json_t *clocks_json(const struct route *route)
{
    static const char *const units[CLOCK_UNITS] = {"hours", "days", "working-days"};
    json_t *clocks = json_array();

    for (size_t i = 0; i < route->clock_count; i++) {
        const struct clock_rule *rule = &route->clocks[i];
        int64_t limit = rule->unit == CLOCK_INSTANTS ? rule->limit / 3600000 : rule->limit;

        json_array_append_new(clocks, json_pack("{s:s,s:I,s:s,s:b}", "id", rule->id, "limit",
                                                (json_int_t)limit, "unit", units[rule->unit],
                                                "urgent", rule->urgency == URGENCY_URGENT));
    }
    return clocks;
}

static json_t *form_json(const struct directory *directory, const struct route *route,
                         int32_t today, const char *seals)
{
    json_t *sealing = seals_of(directory, route->to, today, seals);
    json_t *form = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:b,s:o,s:o,s:o}", "route", route->id, "to", route->to,
        "name", name_of(directory, route->to, today), "purpose", route->purpose, "basis",
        route->basis, "aviso", route->aviso, "urgent", route->is_urgent_allowed, "second",
        route->needs_second_official, "can_seal", json_array_size(sealing) > 0, "asks",
        asks_json(route), "fields", fields_json(route), "clocks", clocks_json(route));

    json_decref(sealing);
    return form;
}

json_t *request_forms(const struct directory *directory, const char *member, int32_t today,
                      const char *seals)
{
    json_t *forms = json_array();

    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];
        json_t *form;

        if (strcmp(route->from, member) != 0 || !route_is_in_force(directory, route, today)) {
            continue;
        }
        form = form_json(directory, route, today, seals);
        if (json_array_size(json_object_get(form, "asks")) > 0) {
            json_array_append(forms, form);
        }
        json_decref(form);
    }
    return forms;
}

/* ---- a draft ---- */

static const char *text_of(const json_t *form, const char *name)
{
    const char *text = json_string_value(json_object_get(form, name));

    return text != NULL ? text : "";
}

/* The compartment of this part in the draft, made when it is the first field of it. */
static json_t *compartment_of(json_t *parts, const struct route *route, const char *path)
{
    const char *name = compartment_name(part_of(path));
    json_t *part;
    size_t i;

    json_array_foreach(parts, i, part)
    {
        if (strcmp(text_of(part, "type"), name) == 0) {
            return part;
        }
    }
    part = json_pack("{s:i,s:s,s:b}", "subject", 0, "type", name, "sealed", is_sealed(route, path));
    json_array_append_new(parts, part);
    return part;
}

static void put_field(json_t *part, const char *path, const json_t *value)
{
    static const char entries[] = "entries.";
    const char *name = strchr(path, '.') + 1;
    bool is_entry = strncmp(name, entries, sizeof entries - 1) == 0;
    json_t *fields = is_entry ? json_array_get(json_object_get(part, "entries"), 0)
                              : json_object_get(part, "fields");

    if (fields == NULL) {
        fields = json_object();
        json_object_set_new(part, is_entry ? "entries" : "fields",
                            is_entry ? json_pack("[o]", fields) : fields);
    }
    json_object_set(fields, is_entry ? name + sizeof entries - 1 : name, (json_t *)value);
}

static enum rc put_fields(const struct route *route, const json_t *form, json_t *parts,
                          bool *is_any_sealed, struct fault *fault)
{
    json_t *values = json_object_get(form, "values");
    const char *path;
    json_t *value;

    *is_any_sealed = false;
    json_object_foreach(values, path, value)
    {
        int number = field_number(path);

        if (number < 0 || !is_allowed(route, (unsigned)number, path) || !json_is_string(value)) {
            return refuse(fault, RC_INVALID_ARGUMENT, "form.field", "values",
                          "La ruta no permite ese dato: recargue la página.");
        }
        if (json_string_length(value) > 0) {
            put_field(compartment_of(parts, route, path), path, value);
            *is_any_sealed = *is_any_sealed || is_sealed(route, path);
        }
    }
    return RC_OK;
}

static enum rc put_seals(const struct directory *directory, const struct route *route,
                         int32_t today, const char *seals, json_t *draft, struct fault *fault)
{
    json_t *paths = seals_of(directory, route->to, today, seals);

    json_object_set_new(draft, "seal_to", paths);
    return json_array_size(paths) > 0
               ? RC_OK
               : refuse(fault, RC_FAILED_PRECONDITION, "form.seal", "location",
                        "Ese dato viaja sellado y falta el certificado de sello de quien lo "
                        "recibe: abra la consola con --seals CARPETA.");
}

static json_t *aviso_json(const struct directory *directory, const struct route *route)
{
    const struct aviso *aviso = aviso_of(directory, route);
    char hex[2 * HASH_SIZE + 1];

    if (aviso == NULL) {
        return json_object();
    }
    hex_encode(aviso->sha256, HASH_SIZE, hex);
    return json_pack("{s:s,s:s,s:s}", "id", aviso->id, "version", aviso->version, "sha256", hex);
}

static json_t *item_json(const json_t *form)
{
    json_t *item = json_pack("{s:s}", "code", text_of(form, "code"));
    json_t *cadence = json_object_get(form, "cadence");

    if (json_is_object(cadence)) {
        json_object_set(item, "cadence", cadence);
    }
    return json_pack("[o]", item);
}

static void put_optional(const json_t *form, json_t *draft)
{
    static const char *const names[] = {"occurred_at", "out_of_band", "break_glass", "case_id"};
    const char *plan = text_of(form, "plan");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_of(form, names[i])[0] != '\0') {
            json_object_set(draft, names[i], json_object_get(form, names[i]));
        }
    }
    if (plan[0] != '\0') {
        json_object_set_new(draft, "plan",
                            json_pack("{s:s,s:s,s:i,s:s}", "issuer", text_of(draft, "from"), "id",
                                      plan, "version", 1, "procedure", "ordinary"));
    }
}

static const struct route *route_of(const struct directory *directory, const char *member,
                                    int32_t today, const char *id)
{
    const struct route *route = route_by_id(directory, id);

    return route != NULL && strcmp(route->from, member) == 0 &&
                   route_is_in_force(directory, route, today)
               ? route
               : NULL;
}

enum rc request_draft(const struct directory *directory, const char *member, int32_t today,
                      const char *seals, const json_t *form, json_t **draft, struct fault *fault)
{
    const struct route *route = route_of(directory, member, today, text_of(form, "route"));
    const char *person = text_of(form, "person");
    json_t *parts = json_array();
    bool is_any_sealed = false;
    json_t *made;
    enum rc rc;

    if (route == NULL) {
        json_decref(parts);
        return refuse(fault, RC_INVALID_ARGUMENT, "form.route", "route",
                      "Elija qué se pide y a quién: esa ruta no está en vigor.");
    }
    made = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:{s:s,s:s},s:[{s:s}],s:o,s:o}", "type",
                     text_of(form, "type"), "from", member, "to", route->to, "urgency",
                     json_is_true(json_object_get(form, "urgent")) ? "urgent" : "ordinary",
                     "catalogue_code", text_of(form, "code"), "purpose", route->purpose,
                     "legal_basis", route->basis, "aviso", aviso_json(directory, route), "consent",
                     "state", text_of(form, "consent"), "reference", text_of(form, "reference"),
                     "subjects", "role", "person", "items", item_json(form), "compartments", parts);
    if (person[0] != '\0') {
        json_t *subject = json_array_get(json_object_get(made, "subjects"), 0);

        json_object_set_new(subject, "local", json_string(person));
    }
    put_optional(form, made);
    rc = put_fields(route, form, parts, &is_any_sealed, fault);
    if (rc == RC_OK && is_any_sealed) {
        rc = put_seals(directory, route, today, seals, made, fault);
    }
    if (rc != RC_OK) {
        json_decref(made);
        return rc;
    }
    *draft = made;
    return RC_OK;
}
