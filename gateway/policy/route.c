#include "policy/route.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "policy/explain.h"
#include "policy/member.h"

/* ---- look-ups ---- */

static int order_parties(const struct route *route, const char *from, const char *to)
{
    int order = strcmp(route->from, from);

    return order != 0 ? order : strcmp(route->to, to);
}

/* The first route between two members, or that with this id; NULL: none. */
static const struct route *first_between(const struct directory *directory, const char *from,
                                         const char *to, const char *id)
{
    size_t low = 0;
    size_t high = directory->route_count;
    const struct route *found;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct route *route = &directory->routes[middle];
        int order = order_parties(route, from, to);

        order = order != 0 ? order : strcmp(route->id, id);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    found = &directory->routes[low];
    return low < directory->route_count && order_parties(found, from, to) == 0 ? found : NULL;
}

const struct route *route_between(const struct directory *directory, const char *from,
                                  const char *to, const char *id)
{
    const struct route *found = first_between(directory, from, to, id);

    return found != NULL && strcmp(found->id, id) == 0 ? found : NULL;
}

const struct route *route_by_id(const struct directory *directory, const char *id)
{
    for (size_t i = 0; i < directory->route_count; i++) {
        if (strcmp(directory->routes[i].id, id) == 0) {
            return &directory->routes[i];
        }
    }
    return NULL;
}

/* Bases and avisos are looked for in the text that the route stands in. */
static const struct basis *find_basis(const struct directory *directory, const struct route *route)
{
    size_t low = 0;
    size_t high = directory->basis_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct basis *basis = &directory->bases[middle];
        int order = basis->text != route->text ? (basis->text < route->text ? -1 : 1)
                                               : strcmp(basis->id, route->basis);

        if (order == 0) {
            return basis;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static const struct aviso *find_aviso(const struct directory *directory, const struct route *route,
                                      const char *version)
{
    size_t low = 0;
    size_t high = directory->aviso_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct aviso *aviso = &directory->avisos[middle];
        int order = aviso->text != route->text ? (aviso->text < route->text ? -1 : 1)
                                               : strcmp(aviso->id, route->aviso);

        order = order != 0 ? order : strcmp(aviso->version, version);
        if (order == 0) {
            return aviso;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static bool takes_type(const struct route *route, enum message_type type)
{
    for (size_t i = 0; i < route->type_count; i++) {
        if (route->types[i] == type) {
            return true;
        }
    }
    return false;
}

/* No code at all fits a route without codes. */
static bool takes_code(const struct route *route, const char *code)
{
    for (size_t i = 0; i < route->code_count; i++) {
        if (strcmp(route->codes[i], code) == 0) {
            return true;
        }
    }
    return code[0] == '\0' && route->code_count == 0;
}

/* ---- sides ---- */

enum side route_event_side(enum event event)
{
    static const enum side sides[EVENTS] = {
        [EVENT_CUSTODY] = SIDE_EXECUTOR,
        [EVENT_ACCEPT] = SIDE_EXECUTOR,
        [EVENT_DECLINE] = SIDE_EXECUTOR,
        [EVENT_START] = SIDE_EXECUTOR,
        [EVENT_IN_FORCE] = SIDE_EXECUTOR,
        [EVENT_END] = SIDE_EXECUTOR,
        [EVENT_CONFIRM] = SIDE_REQUESTER,
        [EVENT_DISPUTE] = SIDE_REQUESTER,
        [EVENT_CLOSE] = SIDE_REQUESTER,
        [EVENT_HOLD] = SIDE_EXECUTOR,
        [EVENT_RESUME] = SIDE_EXECUTOR,
        [EVENT_FAIL] = SIDE_EXECUTOR,
        [EVENT_PURGE] = SIDE_EXECUTOR,
        [EVENT_KEEP] = SIDE_EXECUTOR,
        [EVENT_ENTERED_IN_ERROR] = SIDE_REQUESTER,
    };

    return (unsigned)event < EVENTS ? sides[event] : SIDE_NONE;
}

/* The side that a type belongs to; SIDE_NONE: either. */
static enum side side_of_content(const struct header *header)
{
    switch (header->type) {
    case MESSAGE_ACT:
        return route_event_side(header->event);
    case MESSAGE_STATUS_REPORT:
        return SIDE_EXECUTOR;
    case MESSAGE_NOTICE:
        return SIDE_NONE;
    default:
        return SIDE_REQUESTER;
    }
}

enum side route_side(const struct route *route, const struct message *message)
{
    const struct header *header = &message->header;
    bool is_forth = strcmp(header->from, route->from) == 0 && strcmp(header->to, route->to) == 0;
    bool is_back = strcmp(header->from, route->to) == 0 && strcmp(header->to, route->from) == 0;

    if (is_forth && is_back) {
        return side_of_content(header) == SIDE_EXECUTOR ? SIDE_EXECUTOR : SIDE_REQUESTER;
    }
    return is_forth ? SIDE_REQUESTER : is_back ? SIDE_EXECUTOR : SIDE_NONE;
}

/* ---- checks ---- */

static enum rc deny(struct fault *fault, const char *reason, const char *path, const char *remedy)
{
    return refuse(fault, RC_PERMISSION_DENIED, reason, path, "%s", remedy);
}

static enum rc check_codes(const struct route *route, const struct header *header,
                           struct fault *fault)
{
    for (size_t i = 0; i < header->item_count; i++) {
        if (!takes_code(route, header->items[i].code)) {
            char path[64];

            snprintf(path, sizeof path, "header.items[%zu].code", i);
            return deny(fault, "route.code_not_allowed", path,
                        "La ruta no incluye esta clave del catálogo: pídala por otra ruta.");
        }
    }
    if (header->action_code[0] != '\0' && !takes_code(route, header->action_code)) {
        return deny(fault, "route.code_not_allowed", "header.action_code",
                    "La ruta no incluye esta clave del catálogo.");
    }
    return RC_OK;
}

static enum rc check_aviso(const struct directory *directory, const struct route *route,
                           const struct header *header, struct fault *fault)
{
    const struct aviso *aviso;

    if (strcmp(header->aviso_id, route->aviso) != 0) {
        return deny(fault, "aviso.mismatch", "header.aviso.id",
                    "Use el aviso de privacidad que señala la ruta.");
    }
    aviso = find_aviso(directory, route, header->aviso_version);
    if (aviso == NULL) {
        return deny(fault, "aviso.mismatch", "header.aviso.version",
                    "Use una versión vigente del aviso de privacidad.");
    }
    if (header->aviso_sha256.size != HASH_SIZE ||
        memcmp(header->aviso_sha256.data, aviso->sha256, HASH_SIZE) != 0) {
        return deny(fault, "aviso.mismatch", "header.aviso.sha256",
                    "El resumen SHA-256 no corresponde al aviso de privacidad publicado.");
    }
    return RC_OK;
}

/* ---- dates, and what an urgent message does not wait for ---- */

/* How long ago these dates ended: 0 in force, -1 not begun. */
static int32_t days_over(struct dates dates, int32_t today)
{
    return today < dates.from_day ? -1 : today > dates.to_day ? today - dates.to_day : 0;
}

static bool is_late(struct dates dates, int32_t today, bool is_urgent)
{
    int32_t days = days_over(dates, today);

    return days < 0 || days > (is_urgent ? ROUTE_WAIVER_DAYS : 0);
}

/* The texts by which a message is judged: both networks', and the sender's roster. */
struct grounds {
    const struct directory_text *texts[3];
    size_t count;
};

static void add_ground(const struct directory *directory, uint16_t text, struct grounds *grounds)
{
    const struct directory_text *ground = &directory->texts[text];

    if (text != TEXT_NONE && (grounds->count == 0 || grounds->texts[0] != ground)) {
        grounds->texts[grounds->count++] = ground;
    }
}

static void find_grounds(const struct directory *directory, const struct header *header,
                         struct grounds *grounds)
{
    const struct member *from = member_known(directory, header->from);
    const struct member *to = member_known(directory, header->to);

    grounds->count = 0;
    if (from != NULL && to != NULL) {
        add_ground(directory, from->text, grounds);
        add_ground(directory, to->text, grounds);
        add_ground(directory, from->roster, grounds);
    }
}

static enum rc check_directory(const struct directory *directory, const struct header *header,
                               int32_t today, struct fault *fault)
{
    bool is_urgent = header->urgency == URGENCY_URGENT;
    struct grounds grounds;

    find_grounds(directory, header, &grounds);
    for (size_t i = 0; i < grounds.count; i++) {
        if (is_late(grounds.texts[i]->in_force, today, is_urgent)) {
            return refuse(fault, RC_FAILED_PRECONDITION, "directory.not_in_force", "",
                          "El texto de %s en el directorio de este nodo no está vigente: avise a "
                          "quien lo opera.",
                          grounds.texts[i]->subject);
        }
    }
    return RC_OK;
}

const char *route_waiver(const struct directory *directory, const struct route *route,
                         const struct message *message, int32_t today)
{
    const struct basis *basis = find_basis(directory, route);
    struct grounds grounds;

    if (message->header.urgency != URGENCY_URGENT) {
        return NULL;
    }
    find_grounds(directory, &message->header, &grounds);
    for (size_t i = 0; i < grounds.count; i++) {
        if (days_over(grounds.texts[i]->in_force, today) != 0) {
            return "directory.not_in_force";
        }
    }
    return basis != NULL && days_over(basis->in_force, today) != 0 ? "basis.not_in_force" : NULL;
}

static enum rc check_basis(const struct directory *directory, const struct route *route,
                           const struct header *header, int32_t today, bool must_be_in_force,
                           struct fault *fault)
{
    const struct basis *basis = find_basis(directory, route);

    if (strcmp(header->legal_basis, route->basis) != 0) {
        return deny(fault, "basis.mismatch", "header.legal_basis",
                    "Use el fundamento legal que señala la ruta.");
    }
    if (must_be_in_force &&
        (basis == NULL || is_late(basis->in_force, today, header->urgency == URGENCY_URGENT))) {
        return deny(fault, "basis.not_in_force", "header.legal_basis",
                    "El convenio o artículo que fundamenta la ruta no está vigente hoy.");
    }
    return RC_OK;
}

static enum rc check_purpose(const struct route *route, const struct header *header,
                             struct fault *fault)
{
    if (strcmp(header->purpose, route->purpose) != 0) {
        return deny(fault, "purpose.not_allowed", "header.purpose",
                    "Los datos solo se transfieren para la finalidad que señala la ruta.");
    }
    return RC_OK;
}

static const struct clock_rule *find_clock(const struct route *route, const char *id)
{
    for (size_t i = 0; i < route->clock_count; i++) {
        if (strcmp(route->clocks[i].id, id) == 0) {
            return &route->clocks[i];
        }
    }
    return NULL;
}

/* The latest that a message may say of a clock; from R3, or a recall, nobody knows yet. */
static int64_t latest_due_ms(const struct directory *directory, const struct route *route,
                             const struct clock_rule *rule, int64_t anchored_ms)
{
    const struct holiday_list *list = &directory->working_terms[route->text];
    struct holidays holidays = {.days = list->days, .count = list->count};

    return rule->anchor == ANCHOR_ACCEPT || rule->anchor == ANCHOR_RECALL
               ? INT64_MAX
               : deadline_due_ms(rule, anchored_ms, &holidays);
}

static enum rc check_clock(const struct directory *directory, const struct route *route,
                           const struct message_clock *clock, size_t index, struct fault *fault)
{
    const struct clock_rule *rule = find_clock(route, clock->id);
    char path[64];

    if (rule == NULL) {
        snprintf(path, sizeof path, "header.clocks[%zu].id", index);
        return deny(fault, "clock.not_listed", path, "La ruta no tiene este plazo: quítelo.");
    }
    if (clock->due_at_ms > latest_due_ms(directory, route, rule, clock->anchored_at_ms)) {
        snprintf(path, sizeof path, "header.clocks[%zu].due_at_ms", index);
        return deny(fault, "clock.too_long", path, "El plazo excede el que fija la ruta.");
    }
    return RC_OK;
}

static enum rc check_urgency(const struct route *route, const struct header *header,
                             struct fault *fault)
{
    if (header->urgency == URGENCY_URGENT && !route->is_urgent_allowed) {
        return deny(fault, "urgency.not_allowed", "header.urgency",
                    "Esta ruta no admite mensajes urgentes: envíelo como ordinario.");
    }
    return RC_OK;
}

static enum rc check_clocks(const struct directory *directory, const struct route *route,
                            const struct header *header, struct fault *fault)
{
    for (size_t i = 0; i < header->clock_count; i++) {
        TRY(check_clock(directory, route, &header->clocks[i], i, fault));
    }
    return RC_OK;
}

/* The line that decides is the route's, its basis's or its aviso's. */
static unsigned basis_line(const struct directory *directory, const struct route *route)
{
    const struct basis *basis = find_basis(directory, route);

    return basis != NULL ? basis->line : route->line;
}

/* What every message along a route must carry. With an explanation each check is noted, and the
 * next one runs whatever became of it. */
static enum rc check_terms(const struct directory *directory, const struct route *route,
                           const struct message *message, int32_t today, bool must_be_in_force,
                           struct explanation *why, struct fault *fault)
{
    const struct header *header = &message->header;
    uint16_t text = route->text;

    TRY(explain_note(why, "las claves del catálogo son de la ruta", text, route->line,
                     check_codes(route, header, fault), fault));
    TRY(explain_note(why, "el fundamento es el de la ruta y está en vigor ese día", text,
                     why != NULL ? basis_line(directory, route) : 0,
                     check_basis(directory, route, header, today, must_be_in_force, fault), fault));
    TRY(explain_note(why, "la finalidad es la de la ruta", text, route->line,
                     check_purpose(route, header, fault), fault));
    TRY(explain_note(why, "el aviso de privacidad es el publicado", text, route->line,
                     check_aviso(directory, route, header, fault), fault));
    TRY(explain_note(why, "la urgencia está permitida", text, route->line,
                     check_urgency(route, header, fault), fault));
    return explain_note(why, "los plazos son los de la ruta", text, route->line,
                        check_clocks(directory, route, header, fault), fault);
}

/* ---- opening messages ---- */

/* How far a message got among the routes between its parties. */
enum reach { REACH_PARTIES, REACH_TYPE, REACH_CODE };

static enum rc refuse_reach(enum reach reach, struct fault *fault)
{
    switch (reach) {
    case REACH_CODE:
        return deny(fault, "route.not_in_force", "header.to",
                    "La ruta existe, pero no está vigente hoy.");
    case REACH_TYPE:
        return deny(fault, "route.code_not_allowed", "header.catalogue_code",
                    "Ninguna ruta hacia esta institución admite esta clave del catálogo.");
    default:
        return deny(fault, "route.type_not_allowed", "header.content",
                    "Ninguna ruta hacia esta institución admite este tipo de mensaje.");
    }
}

static enum rc refuse_none(struct fault *fault)
{
    return deny(fault, "route.none", "header.to",
                "No hay una ruta vigente hacia esta institución: revise el directorio.");
}

static enum rc select_route(const struct directory *directory, const struct header *header,
                            int32_t today, const struct route **route, struct fault *fault)
{
    const struct route *end = directory->routes + directory->route_count;
    const struct route *at = first_between(directory, header->from, header->to, "");
    enum reach reach = REACH_PARTIES;

    if (at == NULL || member_find(directory, header->to, today) == NULL ||
        member_find(directory, header->from, today) == NULL) {
        return refuse_none(fault);
    }
    for (; at < end && order_parties(at, header->from, header->to) == 0; at++) {
        if (!takes_type(at, header->type)) {
            continue;
        }
        reach = reach < REACH_TYPE ? REACH_TYPE : reach;
        if (!takes_code(at, header->catalogue_code)) {
            continue;
        }
        reach = REACH_CODE;
        if (dates_cover(at->in_force, today) && !at->is_one_sided) {
            *route = at;
            return RC_OK;
        }
    }
    return refuse_reach(reach, fault);
}

static enum rc find(const struct directory *directory, const struct message *message, int32_t today,
                    const struct route **route, struct explanation *why, struct fault *fault)
{
    const struct route *found = NULL;

    TRY(explain_note(why, "el directorio está en vigor ese día", TEXT_NONE, 0,
                     check_directory(directory, &message->header, today, fault), fault));
    TRY(explain_note(why, "hay una ruta en vigor para este tipo y esta clave", TEXT_NONE, 0,
                     select_route(directory, &message->header, today, &found, fault), fault));
    if (found == NULL) {
        return RC_PERMISSION_DENIED; /* only when explaining: there is nothing more to check by */
    }
    if (why != NULL) {
        why->checks[why->count - 1].text = found->text;
        why->checks[why->count - 1].line = found->line;
    }
    TRY(check_terms(directory, found, message, today, true, why, fault));
    *route = found;
    return RC_OK;
}

enum rc route_find(const struct directory *directory, const struct message *message, int32_t today,
                   const struct route **route, struct fault *fault)
{
    return find(directory, message, today, route, NULL, fault);
}

enum rc route_explain(const struct directory *directory, const struct message *message,
                      int32_t today, const struct route **route, struct explanation *explanation,
                      struct fault *fault)
{
    return find(directory, message, today, route, explanation, fault);
}

/* ---- messages inside an exchange ---- */

static enum rc check_direction(const struct route *route, const struct message *message,
                               struct fault *fault)
{
    enum side belongs = side_of_content(&message->header);

    if (!takes_type(route, message->header.type)) {
        return deny(fault, "route.type_not_allowed", "header.content",
                    "La ruta de este intercambio no admite este tipo de mensaje.");
    }
    if (belongs != SIDE_NONE && belongs != route_side(route, message)) {
        return deny(fault, "route.direction", "header.content",
                    "Este mensaje corresponde a la otra parte del intercambio.");
    }
    return RC_OK;
}

/* An exchange may report and close after its route's end; new data and new measures may not. */
static bool needs_force(const struct message *message)
{
    return message->compartment_count > 0 || message->header.type == MESSAGE_MEASURE_CHANGE;
}

enum rc route_follow(const struct directory *directory, const char *route_id,
                     const struct message *message, int32_t today, const struct route **route,
                     struct fault *fault)
{
    const struct header *header = &message->header;
    const struct route *found = route_between(directory, header->from, header->to, route_id);
    bool must_be_in_force = needs_force(message);

    if (found == NULL) {
        found = route_between(directory, header->to, header->from, route_id);
    }
    if (found == NULL) {
        return refuse_none(fault);
    }
    TRY(check_direction(found, message, fault));
    if (must_be_in_force) {
        TRY(check_directory(directory, header, today, fault));
        if (!dates_cover(found->in_force, today) || found->is_one_sided) {
            return refuse_reach(REACH_CODE, fault);
        }
    }
    if (header->catalogue_code[0] != '\0' && !takes_code(found, header->catalogue_code)) {
        return refuse_reach(REACH_TYPE, fault);
    }
    TRY(check_terms(directory, found, message, today, must_be_in_force, NULL, fault));
    *route = found;
    return RC_OK;
}

/* ---- notices ---- */

static bool is_party(const struct route *route, const char *member)
{
    return strcmp(route->from, member) == 0 || strcmp(route->to, member) == 0;
}

static bool is_rung(const struct route *route, const char *member)
{
    for (size_t i = 0; i < route->ladder_count; i++) {
        if (strcmp(route->ladder[i], member) == 0) {
            return true;
        }
    }
    return false;
}

static enum rc check_notice(const struct route *route, const struct message *message,
                            struct fault *fault)
{
    const struct header *header = &message->header;

    if (!is_party(route, header->from) ||
        (!is_party(route, header->to) && !is_rung(route, header->to))) {
        return deny(fault, "notice.ladder", "header.to",
                    "El aviso va de una de las partes a quien está en la escala de la ruta.");
    }
    if (!is_party(route, header->notice_late)) {
        return deny(fault, "notice.late", "header.notice.late",
                    "Solo una de las partes de la ruta puede estar en falta.");
    }
    if (find_clock(route, header->notice_clock) == NULL &&
        strcmp(header->notice_clock, CADENCE_CLOCK) != 0 &&
        strcmp(header->notice_clock, RECALL_CLOCK) != 0) {
        return deny(fault, "notice.clock", "header.notice.clock",
                    "Ese plazo no corre en la ruta que el aviso cita.");
    }
    if (message->compartment_count > 0 || header->subject_count > 0) {
        return deny(fault, "notice.person", "compartments",
                    "Un aviso de plazo no lleva datos de personas.");
    }
    return RC_OK;
}

enum rc route_notice(const struct directory *directory, const struct message *message,
                     int32_t today, const struct route **route, struct fault *fault)
{
    const struct route *found = route_by_id(directory, message->header.notice_route);

    if (found == NULL) {
        return refuse_none(fault);
    }
    TRY(check_notice(found, message, fault));
    TRY(check_terms(directory, found, message, today, false, NULL, fault));
    *route = found;
    return RC_OK;
}

const struct aviso *route_aviso(const struct directory *directory, const struct route *route)
{
    const struct aviso *newest = NULL;

    for (size_t i = 0; i < directory->aviso_count; i++) {
        const struct aviso *aviso = &directory->avisos[i];

        if (aviso->text == route->text && strcmp(aviso->id, route->aviso) == 0) {
            newest = aviso; /* they stand in the order of their versions */
        }
    }
    return newest;
}

bool route_is_in_force(const struct directory *directory, const struct route *route, int32_t today)
{
    const struct basis *basis = find_basis(directory, route);
    const struct member *from = member_find(directory, route->from, today);
    const struct member *to = member_find(directory, route->to, today);

    return !route->is_one_sided && dates_cover(route->in_force, today) && basis != NULL &&
           dates_cover(basis->in_force, today) && from != NULL && to != NULL &&
           dates_cover(directory->texts[from->text].in_force, today) &&
           dates_cover(directory->texts[to->text].in_force, today);
}
