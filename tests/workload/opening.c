#include "workload/opening.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/deadline.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "model/field.h"
#include "policy/member.h"

#define OFFICIAL "enlace-01"
#define HOUR_MS ((int64_t)3600 * 1000)
#define SYSTEMS_MAX 16
#define VALUES_MAX 32

/* ---- the route's terms ---- */

static bool takes(const struct route *route, enum message_type type, const char *code)
{
    bool has_type = false;
    bool has_code = route->code_count == 0;

    for (size_t i = 0; i < route->type_count; i++) {
        has_type = has_type || route->types[i] == type;
    }
    for (size_t i = 0; i < route->code_count; i++) {
        has_code = has_code || strcmp(route->codes[i], code) == 0;
    }
    return has_type && has_code;
}

static enum rc find_route(const struct directory *directory, const char *from, const char *to,
                          enum message_type type, const char *code, const struct route **found,
                          struct fault *fault)
{
    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];

        if (strcmp(route->from, from) == 0 && strcmp(route->to, to) == 0 &&
            takes(route, type, code)) {
            *found = route;
            return RC_OK;
        }
    }
    return refuse(fault, RC_NOT_FOUND, "workload.no_route", to,
                  "El directorio no tiene ruta de %s a %s para %s.", from, to, code);
}

static enum rc set_terms(const struct directory *directory, const struct route *route,
                         struct header *header, struct fault *fault)
{
    header->purpose = route->purpose;
    header->legal_basis = route->basis;
    for (size_t i = 0; i < directory->aviso_count; i++) {
        const struct aviso *aviso = &directory->avisos[i];

        if (strcmp(aviso->id, route->aviso) == 0) {
            header->aviso_id = aviso->id;
            header->aviso_version = aviso->version;
            header->aviso_sha256 = BYTES_OF(aviso->sha256);
            return RC_OK;
        }
    }
    return refuse(fault, RC_NOT_FOUND, "workload.no_aviso", route->aviso,
                  "El directorio no tiene el aviso %s.", route->aviso);
}

static void set_parties(struct header *header, const struct plan_exchange *exchange)
{
    header->from = exchange->from;
    header->from_system = exchange->from_system;
    header->to = exchange->to;
    header->to_system = exchange->to_system;
    header->on_behalf_of = OFFICIAL;
    header->urgency = exchange->urgency;
}

/* Those of the law that fit, as far as the route lists them. They run from now. */
static void set_clocks(const struct plan_exchange *exchange, const struct route *route,
                       struct header *header)
{
    static const char *const urgent[] = {"F1", "F2", NULL};
    static const char *const ordinary[] = {"F6", NULL};
    static const char *const support[] = {"F4", "F6", NULL};
    const struct holidays none = {.count = 0};
    const char *const *wanted = exchange->urgency == URGENCY_URGENT         ? urgent
                                : exchange->type == MESSAGE_SUPPORT_REQUEST ? support
                                                                            : ordinary;

    for (; *wanted != NULL; wanted++) {
        for (size_t i = 0; i < route->clock_count; i++) {
            if (strcmp(route->clocks[i].id, *wanted) == 0) {
                header->clocks[header->clock_count++] = (struct message_clock){
                    route->clocks[i].id, header->created_at_ms,
                    deadline_due_ms(&route->clocks[i], header->created_at_ms, &none)};
            }
        }
    }
}

/* ---- the person ---- */

struct value {
    const char *path;
    const char *text;
};

/* A person's fields that the route lets through, compartment by compartment. */
struct pieces {
    struct field_value values[VALUES_MAX];
    size_t value_count;
};

static enum compartment_type type_of_path(const char *path)
{
    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        const char *name = compartment_name((enum compartment_type)type);

        if (strncmp(path, name, strlen(name)) == 0 && path[strlen(name)] == '.') {
            return (enum compartment_type)type;
        }
    }
    return COMPARTMENT_NONE;
}

static void add_compartment(const struct route *route, const struct value *values, size_t count,
                            enum compartment_type type, struct pieces *pieces, struct draft *draft)
{
    bool is_sealed = (route->sealed_types >> type & 1) != 0;
    struct draft_compartment compartment = {
        .type = type, .is_sealed = is_sealed, .values = &pieces->values[pieces->value_count]};

    for (size_t i = 0; i < count; i++) {
        int field = field_number(values[i].path);

        if (type_of_path(values[i].path) != type || values[i].text[0] == '\0' || field < 0 ||
            (!is_sealed && !field_set_has(route->fields, (unsigned)field))) {
            continue;
        }
        pieces->values[pieces->value_count++] =
            (struct field_value){(unsigned)field, 0, values[i].text};
        compartment.value_count++;
    }
    if (compartment.value_count > 0) {
        draft->compartments[draft->compartment_count++] = compartment;
    }
}

/* Everything that we know of a synthetic person; the route says what goes. */
static void add_person(const struct route *route, const struct person *person,
                       struct pieces *pieces, struct draft *draft)
{
    const struct value values[] = {
        {"identity.full_name", person->full_name},
        {"identity.curp", person->curp},
        {"identity.birth_date", person->birth_date},
        {"identity.sex", person->sex},
        {"identity.alias", person->full_name},
        {"identity.activity", person->activity},
        {"identity.age_range", person->age_range},
        {"contact.safe_channel", "por el Mecanismo"},
        {"contact.safe_hours", "10:00-18:00"},
        {"location.alcaldia", "09015"},
        {"health.needs", "atención psicológica"},
        {"social.support_needs", "apoyos del plan"},
        {"narrative.summary", "Caso sintético de demostración."},
    };
    size_t count = sizeof values / sizeof values[0];

    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        add_compartment(route, values, count, (enum compartment_type)type, pieces, draft);
    }
}

/* ---- seals ---- */

struct seals {
    struct cert *certs[SYSTEMS_MAX];
    const struct cert *recipients[SYSTEMS_MAX];
    size_t count;
};

static void seals_release(struct seals *seals)
{
    for (size_t i = 0; i < seals->count; i++) {
        cert_free(seals->certs[i]);
    }
    seals->count = 0;
}

static enum rc load_seal(const struct opening_terms *terms, const struct identity *system,
                         struct seals *seals, struct fault *fault)
{
    const char *slash = strchr(system->member, '/');
    char path[512];

    snprintf(path, sizeof path, "%s/system/%.*s.%s.%s/seal.pem", terms->pki,
             slash == NULL ? 0 : (int)(slash - system->member), system->member,
             slash == NULL ? "" : slash + 1, system->name);
    TRY(cert_load(path, &seals->certs[seals->count], fault));
    seals->recipients[seals->count] = seals->certs[seals->count];
    seals->count++;
    if (!digest_equal(cert_fingerprint(seals->recipients[seals->count - 1]),
                      system->seal_fingerprint)) {
        return refuse(fault, RC_FAILED_PRECONDITION, "workload.seal", system->member,
                      "El certificado de sello no es el del directorio: haga de nuevo el "
                      "directorio.");
    }
    return RC_OK;
}

static bool is_any_sealed(const struct draft *draft)
{
    for (size_t i = 0; i < draft->compartment_count; i++) {
        if (draft->compartments[i].is_sealed) {
            return true;
        }
    }
    return false;
}

static enum rc load_seals(const struct opening_terms *terms, const char *member,
                          struct draft *draft, struct seals *seals, struct fault *fault)
{
    const struct identity *systems[SYSTEMS_MAX];
    size_t count;

    if (!is_any_sealed(draft)) {
        return RC_OK;
    }
    count = identities_of_member(terms->directory, member, IDENTITY_SYSTEM,
                                 clock_local_day(clock_now_ms()), systems, SYSTEMS_MAX);
    for (size_t i = 0; i < count && i < SYSTEMS_MAX; i++) {
        if (systems[i]->has_seal) {
            TRY(load_seal(terms, systems[i], seals, fault));
        }
    }
    draft->recipients = seals->recipients;
    draft->recipient_count = seals->count;
    return RC_OK;
}

/* ---- openings ---- */

/* Texts that a draft borrows while it is being composed. */
struct texts {
    char noon[32];
    char plan_id[32];
    uint8_t minutes[DIGEST_SIZE];
    struct item items[PLAN_ITEMS_MAX];
};

static void set_case(const struct plan *plan, const struct plan_exchange *exchange,
                     struct texts *texts, struct header *header)
{
    const struct person *person = &plan->people[exchange->person];
    bool is_collective = strcmp(person->sex, "colectivo") == 0;

    header->case_id = exchange->case_id;
    header->consent = CONSENT_GIVEN;
    header->subjects[0] =
        (struct subject){exchange->pseudonym, is_collective ? ROLE_COLLECTIVE : ROLE_PERSON};
    header->subject_count = 1;
    plan_protection_id(plan, exchange, texts->plan_id);
    if (texts->plan_id[0] != '\0') {
        header->has_plan = true;
        header->plan_issuer = person->group == GROUP_FEDERAL ? "mx/segob" : "cdmx/mpi-cdmx";
        header->plan_id = texts->plan_id;
        header->plan_version = 1;
        header->procedure =
            plan_is_extraordinary(exchange) ? PROCEDURE_EXTRAORDINARY : PROCEDURE_ORDINARY;
    }
    if (exchange->session >= 0) {
        const struct plan_session *session = &plan->sessions[exchange->session];

        /* The minutes of a session do not travel; in the demonstration its code stands for them. */
        digest_of(&(struct bytes){(const uint8_t *)session->code, strlen(session->code)}, 1,
                  texts->minutes);
        header->has_decision = true;
        header->decision_organ = "consejo-de-evaluacion-de-medidas";
        header->decision_session = session->code;
        header->decision_date = session->date;
        header->decision_sha256 = BYTES_OF(texts->minutes);
    }
}

static void set_content(const struct plan *plan, const struct plan_exchange *exchange,
                        struct texts *texts, struct header *header)
{
    header->type = exchange->type;
    header->catalogue_code = exchange->catalogue_code;
    header->message_id = exchange->id;
    header->created_at_ms = exchange->created_at_ms;
    if (exchange->parent != PLAN_NO_PARENT) {
        header->parent_exchange_id = plan->exchanges[exchange->parent].id;
    }
    plan_noon(exchange->day, texts->noon);
    header->occurred_at = texts->noon;
    for (unsigned i = 0; i < exchange->item_count; i++) {
        const struct plan_item *item = &exchange->items[i];

        /* So many times in all, until it ends. */
        texts->items[i] = (struct item){.number = i + 1,
                                        .code = item->code,
                                        .cadence_count = item->occurrences,
                                        .period = item->occurrences > 0 ? PERIOD_ONCE : PERIOD_NONE,
                                        .ends_on = PLAN_LAST_DAY};
    }
    header->items = texts->items;
    header->item_count = exchange->item_count;
}

/* Ids and blinds are the plan's: the same seed gives the same message. */
static void seed_of(const struct plan *plan, const struct plan_exchange *exchange,
                    uint8_t seed[COMPOSE_SEED_SIZE])
{
    uint32_t n = (uint32_t)(exchange - plan->exchanges);
    struct id halves[2] = {people_id(plan->seed, "compose", n, 0),
                           people_id(plan->seed, "compose", n, 1)};

    memcpy(seed, halves, COMPOSE_SEED_SIZE);
}

enum rc opening_compose(const struct opening_terms *terms, const struct plan *plan,
                        const struct plan_exchange *exchange, struct composed *out,
                        struct fault *fault)
{
    OWN(seals) seals = {.count = 0};
    struct pieces pieces = {.value_count = 0};
    uint8_t seed[COMPOSE_SEED_SIZE];
    const struct route *route;
    struct texts texts;
    struct draft draft;

    draft_init(&draft);
    TRY(find_route(terms->directory, exchange->from, exchange->to, exchange->type,
                   exchange->catalogue_code, &route, fault));
    TRY(set_terms(terms->directory, route, &draft.header, fault));
    set_parties(&draft.header, exchange);
    set_content(plan, exchange, &texts, &draft.header);
    set_case(plan, exchange, &texts, &draft.header);
    set_clocks(exchange, route, &draft.header);
    add_person(route, &plan->people[exchange->person], &pieces, &draft);
    TRY(load_seals(terms, exchange->to, &draft, &seals, fault));
    draft.local_subjects[0] = exchange->local_subject;
    draft.local_subject_count = 1;
    seed_of(plan, exchange, seed);
    return compose(&draft, seed, out, fault);
}

/* ---- what follows ---- */

enum rc opening_close(const struct opening_terms *terms, const struct plan_exchange *exchange,
                      int64_t now_ms, struct composed *out, struct fault *fault)
{
    uint8_t seed[COMPOSE_SEED_SIZE];
    const struct route *route;
    struct draft draft;

    draft_init(&draft);
    TRY(find_route(terms->directory, exchange->from, exchange->to, exchange->type,
                   exchange->catalogue_code, &route, fault));
    TRY(set_terms(terms->directory, route, &draft.header, fault));
    set_parties(&draft.header, exchange);
    draft.header.exchange_id = exchange->id;
    draft.header.regards = exchange->id;
    draft.header.type = MESSAGE_ACT;
    draft.header.event = EVENT_CLOSE;
    draft.header.consent = CONSENT_NOT_NEEDED;
    draft.header.created_at_ms = now_ms;
    random_fill(seed, sizeof seed);
    return compose(&draft, seed, out, fault);
}

enum rc opening_aggregate(const struct opening_terms *terms, const char *to, const struct id *id,
                          const struct figures *figures, const struct draft_signer *signer,
                          int64_t now_ms, struct composed *out, struct fault *fault)
{
    uint8_t seed[COMPOSE_SEED_SIZE];
    struct figures copy = *figures;
    const struct route *route;
    struct draft draft;

    draft_init(&draft);
    TRY(find_route(terms->directory, "cdmx/mpi-cdmx", to, MESSAGE_AGGREGATE, "", &route, fault));
    TRY(set_terms(terms->directory, route, &draft.header, fault));
    draft.header.from = "cdmx/mpi-cdmx";
    draft.header.from_system = "plataforma";
    draft.header.to = to;
    draft.header.on_behalf_of = OFFICIAL;
    draft.header.urgency = URGENCY_ORDINARY;
    draft.header.type = MESSAGE_AGGREGATE;
    draft.header.message_id = *id;
    draft.header.consent = CONSENT_NOT_NEEDED;
    draft.header.created_at_ms = now_ms;
    draft.header.aggregate_id = "informe-2019";
    draft.header.aggregate_from = "2019-01-01";
    draft.header.aggregate_to = PLAN_LAST_DAY;
    draft.header.figures = copy.items;
    draft.header.figure_count = copy.count;
    draft.signers[0] = *signer;
    draft.signer_count = 1;
    random_fill(seed, sizeof seed);
    return compose(&draft, seed, out, fault);
}
