#include "policy/will_rules.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/member.h"
#include "policy/route.h"

/* ---- names ---- */

enum name_kind { NAME_NONE, NAME_AGENCY, NAME_UNIT, NAME_OFFICIAL };

struct name {
    enum name_kind kind;
    char member[CODE_SIZE];
    const char *label; /* of a unit or an official */
};

static bool read_name(const char *text, struct name *name)
{
    const char *slash = strchr(text, '/');
    const char *end = slash != NULL ? strchr(slash + 1, '/') : NULL;
    size_t size = end != NULL ? (size_t)(end - text) : strlen(text);

    *name = (struct name){.kind = NAME_AGENCY, .label = ""};
    if (size >= sizeof name->member) {
        return false;
    }
    memcpy(name->member, text, size);
    if (!member_code_is_valid(name->member)) {
        return false;
    }
    if (end == NULL) {
        return true;
    }
    if (strncmp(end, "/system/", 8) == 0) {
        name->kind = NAME_UNIT;
        name->label = end + 8;
    } else if (strncmp(end, "/official/", 10) == 0) {
        name->kind = NAME_OFFICIAL;
        name->label = end + 10;
    } else {
        return false;
    }
    return member_label_is_valid(name->label);
}

static bool has_system(const struct directory *directory, const char *member, const char *label)
{
    for (size_t i = 0; i < directory->identity_count; i++) {
        const struct identity *row = &directory->identities[i];

        if (row->kind == IDENTITY_SYSTEM && strcmp(row->member, member) == 0 &&
            strcmp(row->name, label) == 0) {
            return true;
        }
    }
    return false;
}

bool will_name_is_known(const struct directory *directory, const char *text)
{
    struct name name;

    if (!read_name(text, &name) || member_known(directory, name.member) == NULL) {
        return false;
    }
    return name.kind == NAME_AGENCY ||
           (name.kind == NAME_UNIT ? has_system(directory, name.member, name.label)
                                   : official_is_listed(directory, name.member, name.label));
}

/* ---- exclusion ---- */

/* May this system, or any that the message may reach, act for the official? */
static bool reaches_official(const struct directory *directory, const char *member,
                             const char *system, const char *official)
{
    if (system[0] != '\0') {
        return system_acts_for(directory, member, system, official);
    }
    for (size_t i = 0; i < directory->binding_count; i++) {
        const struct binding *binding = &directory->bindings[i];

        if (strcmp(binding->member, member) == 0 && strcmp(binding->official, official) == 0) {
            return true;
        }
    }
    return false;
}

static bool covers(const struct name *name, const struct directory *directory,
                   const struct header *header)
{
    bool is_theirs = strcmp(name->member, header->to) == 0;
    bool is_own = strcmp(name->member, header->from) == 0;

    switch (name->kind) {
    case NAME_AGENCY:
        return is_theirs;
    case NAME_UNIT:
        return (is_theirs &&
                (header->to_system[0] == '\0' || strcmp(name->label, header->to_system) == 0)) ||
               (is_own && strcmp(name->label, header->from_system) == 0);
    case NAME_OFFICIAL:
        return (is_theirs &&
                reaches_official(directory, header->to, header->to_system, name->label)) ||
               (is_own && strcmp(name->label, header->on_behalf_of) == 0);
    default:
        return true; /* what is not understood lets nothing through */
    }
}

bool will_excludes(const struct will *will, const struct directory *directory,
                   const struct header *header, int32_t today)
{
    (void)today;
    for (size_t i = 0; i < will->excluded_count; i++) {
        struct name name;

        if (!read_name(will->excluded[i], &name) || covers(&name, directory, header)) {
            return true;
        }
    }
    return false;
}

bool will_has_standing(const struct will *will, const char *official)
{
    for (size_t i = 0; i < will->standing_count; i++) {
        if (strcmp(will->standing[i], official) == 0) {
            return true;
        }
    }
    return false;
}

bool will_is_asked(const struct message *message)
{
    return message->header.subject_count > 0 &&
           (message_opens(message) || message->compartment_count > 0 ||
            message->header.type == MESSAGE_MEASURE_CHANGE);
}

/* ---- what is told to who has standing ---- */

static void add_permitted(char *list, size_t size, const char *member)
{
    size_t used = strlen(list);

    if (strstr(list, member) == NULL && used + strlen(member) + 3 < size) {
        snprintf(list + used, size - used, "%s%s", used == 0 ? "" : ", ", member);
    }
}

/* Where a message of this type and code may go instead. */
static void list_permitted(const struct will *will, const struct directory *directory,
                           const struct message *message, int32_t today, char *list, size_t size)
{
    list[0] = '\0';
    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];
        struct header other = message->header;

        other.to = route->to;
        other.to_system = "";
        if (strcmp(route->from, message->header.from) == 0 &&
            strcmp(route->to, message->header.from) != 0 &&
            strcmp(route->purpose, message->header.purpose) == 0 &&
            route_is_in_force(directory, route, today) &&
            !will_excludes(will, directory, &other, today)) {
            add_permitted(list, size, route->to);
        }
    }
}

enum rc will_check(const struct will *will, const struct directory *directory,
                   const struct message *message, int64_t now_ms, struct fault *fault)
{
    const struct header *header = &message->header;
    int32_t today = clock_local_day(now_ms);
    char permitted[150];

    if (will_excludes(will, directory, header, today)) {
        list_permitted(will, directory, message, today, permitted, sizeof permitted);
        return refuse(fault, RC_NOT_FOUND, "veto.excluded", "header.to",
                      "La persona excluyó este destino; permitidos: %s.",
                      permitted[0] != '\0' ? permitted : "ninguno");
    }
    if (will->consent == WILL_WITHDRAWN) {
        return refuse(fault, RC_NOT_FOUND, "consent.withdrawn", "header.consent",
                      "La persona retiró su consentimiento: ya no se envía nada nuevo de ella.");
    }
    if (will->consent == WILL_IMPEDED && now_ms > will->ratify_by_ms &&
        header->break_glass[0] == '\0') {
        return refuse(fault, RC_NOT_FOUND, "consent.not_ratified", "header.consent",
                      "Nadie ratificó a tiempo lo que se decidió por la persona: «enlace consent "
                      "ratify».");
    }
    return RC_OK;
}
