#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "pgj/pgj.h"
#include "sdk/progress.h"
#include "sdk/refer.h"

#define ARENA_MAX ((size_t)4 << 20)

const char *const pgj_settings_words[] = {REFER_WORDS, NULL};
const char *const pgj_tables[] = {"tipo", "estado", "urgencia", NULL};

static struct pgj *pgj_of(struct poller_user *user)
{
    return (struct pgj *)((char *)user - offsetof(struct pgj, poll));
}

/* ---- one status ---- */

static size_t legal_fields(const struct _xmlNode *status, struct arena *arena,
                           struct field_value values[2])
{
    static const char *const names[][2] = {{"CaseNumber", "legal.carpeta"},
                                           {"CaseOrganization", "legal.authority"}};
    size_t count = 0;

    for (size_t i = 0; i < 2; i++) {
        const char *text = xml_text(status, names[i][0], arena);

        if (text[0] != '\0') {
            values[count++] =
                (struct field_value){.field = (unsigned)field_number(names[i][1]), .text = text};
        }
    }
    return count;
}

/* What stands as evidence: the status itself, as the office sent it. */
static void evidence_of(const struct _xmlNode *status, struct arena *arena,
                        uint8_t digest[DIGEST_SIZE])
{
    static const char *const names[] = {"ActivityIdentification", "ServiceNumber", "ActivityStatus",
                                        "ActivityDate",           "Occurrence",    "CaseNumber"};
    OWN(buffer) text = {0};
    struct bytes whole;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        buffer_put_chunk(&text, bytes_text(xml_text(status, names[i], arena)));
    }
    whole = buffer_bytes(&text);
    digest_of(&whole, 1, digest);
}

static enum rc say_status(const struct pgj *pgj, struct adapter *adapter,
                          const struct _xmlNode *status, struct arena *arena, struct fault *fault)
{
    struct field_value values[2];
    struct draft_compartment legal = {.type = COMPARTMENT_LEGAL, .values = values};
    uint8_t evidence[DIGEST_SIZE];
    struct progress progress;
    const char *state =
        mapping_ours(pgj->context->mapping, "estado", xml_text(status, "ActivityStatus", arena));

    if (state == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "state.unknown", "",
                      "Ese estado no está en la tabla de equivalencias.");
    }
    progress_init(&progress);
    evidence_of(status, arena, evidence);
    legal.value_count = legal_fields(status, arena, values);
    progress.exchange = xml_text(status, "ActivityIdentification", arena);
    progress.state = state;
    progress.occurred_at = xml_text(status, "ActivityDate", arena);
    progress.reason = xml_text(status, "ActivityReason", arena);
    progress.competent = xml_text(status, "CompetentOrganization", arena);
    progress.evidence_sha256 = BYTES_OF(evidence);
    progress.compartments = &legal;
    progress.compartment_count = legal.value_count > 0 ? 1 : 0;
    TRY(progress_number(xml_text(status, "ServiceNumber", arena), &progress.item, fault));
    TRY(progress_number(xml_text(status, "Occurrence", arena), &progress.occurrence, fault));
    return progress_say(adapter, &progress, fault);
}

/* ---- one referral ---- */

static enum rc say_referral(const struct pgj *pgj, struct adapter *adapter,
                            const struct _xmlNode *referral, struct arena *arena,
                            struct fault *fault)
{
    static const struct {
        const char *element;
        const char *path;
        enum compartment_type type;
    } fields[] = {{"PersonFullName", "identity.full_name", COMPARTMENT_IDENTITY},
                  {"ContactTelephoneNumber", "contact.phone", COMPARTMENT_CONTACT},
                  {"ActivityDescription", "narrative.summary", COMPARTMENT_NARRATIVE}};
    struct field_value values[3];
    struct draft_compartment compartments[3];
    struct referral said = {.reference = xml_text(referral, "ReferenceIdentification", arena),
                            .person = xml_text(referral, "PersonIdentification", arena),
                            .code = "",
                            .compartments = compartments};
    struct id exchange;

    for (size_t i = 0; i < 3; i++) {
        const char *text = xml_text(referral, fields[i].element, arena);

        if (text[0] != '\0') {
            values[i] =
                (struct field_value){.field = (unsigned)field_number(fields[i].path), .text = text};
            compartments[said.compartment_count++] = (struct draft_compartment){
                .type = fields[i].type, .values = &values[i], .value_count = 1};
        }
    }
    return refer(adapter, pgj->context->mapping, &said, &exchange, fault);
}

/* ---- a list ---- */

static bool is_ours(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_RESOURCE_EXHAUSTED || rc == RC_INTERNAL;
}

typedef enum rc say_one(const struct pgj *pgj, struct adapter *adapter, const struct _xmlNode *node,
                        struct arena *arena, struct fault *fault);

/* Every element of that name; what cannot be said is logged and left, the rest goes on. */
static enum rc say_all(const struct pgj *pgj, struct adapter *adapter, const struct _xmlNode *root,
                       const char *name, say_one *say, struct bytes text, size_t *refused)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (const struct _xmlNode *at = xml_child(root, name); at != NULL; at = xml_next(at, name)) {
        struct fault fault = {0};
        enum rc rc = say(pgj, adapter, at, arena, &fault);

        if (is_ours(rc)) {
            return rc;
        }
        if (rc != RC_OK) {
            (*refused)++;
            log_error("status.refused", "reason=%s path=%s", fault.reason, fault.path);
            adapter_set_aside(adapter, text, &fault);
        }
        arena_reset(arena);
    }
    return RC_OK;
}

enum rc pgj_apply(struct pgj *pgj, struct adapter *adapter, const struct xml *list,
                  struct bytes text, size_t *refused)
{
    TRY(say_all(pgj, adapter, xml_root(list), "Status", say_status, text, refused));
    return say_all(pgj, adapter, xml_root(list), "Referral", say_referral, text, refused);
}

struct applying {
    struct adapter_call call; /* first */
    struct pgj *pgj;
    const struct xml *list;
    struct bytes text;
    size_t refused;
};

static enum rc apply(struct adapter_call *call, struct adapter *adapter)
{
    struct applying *applying = (struct applying *)call;

    return pgj_apply(applying->pgj, adapter, applying->list, applying->text, &applying->refused);
}

static enum rc fetch(struct pgj *pgj, const char *since, struct https_answer *answer,
                     struct xml **list, struct fault *fault)
{
    char path[64];
    struct https_request request = {.method = "GET", .path = path};

    snprintf(path, sizeof path, "/statuses?since=%.20s", since);
    TRY(https_call(pgj->lines[PGJ_POLL], &request, answer, fault));
    if (answer->status != 200) {
        return refuse(fault, RC_UNAVAILABLE, "agency.status", "",
                      "La institución contestó %d a la consulta de estados.", answer->status);
    }
    TRY(xml_read(buffer_bytes(&answer->body), pgj->schemas[PGJ_POLL], list, fault));
    return xml_is(xml_root(*list), "StatusList")
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "agency.answer", "",
                        "No es una lista de estados.");
}

static enum rc poll_once(struct pgj *pgj, struct fault *fault)
{
    OWN(https_answer) answer = {0};
    OWN_PTR(xml) list = NULL;
    OWN_PTR(arena) arena = arena_new(4096);
    char since[BOOK_VALUE_MAX + 1] = "0";
    struct applying applying = {.call.run = apply, .pgj = pgj};

    if (arena == NULL ||
        (book_find(pgj->position, "next", since) != RC_OK && strcmp(since, "0") != 0)) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(fetch(pgj, since, &answer, &list, fault));
    applying.list = list;
    applying.text = buffer_bytes(&answer.body);
    TRY(adapter_call(pgj->context->adapter, &applying.call));
    return book_put(pgj->position, "next", xml_attribute(xml_root(list), "next", arena));
}

enum rc pgj_poll(struct poller_user *user)
{
    struct fault fault = {0};
    enum rc rc = poll_once(pgj_of(user), &fault);

    if (rc != RC_OK && fault.reason[0] != '\0') {
        log_warn("poll.failed", "reason=%s path=%s", fault.reason, fault.path);
    }
    return rc;
}
