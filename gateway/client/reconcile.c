#include "client/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/ask.h"
#include "client/audit_find.h"
#include "client/audit_seen.h"
#include "client/keepings.h"
#include "client/profile.h"
#include "client/receipt_check.h"
#include "client/session.h"
#include "crypto/digest.h"
#include "model/record.h"
#include "tlog/leaf.h"

#define PURPOSE "conciliacion"
#define ENTRIES_MAX ((size_t)4 << 20)
#define ARENA_MAX ((size_t)1 << 20)

/* A record of ours, proven. */
struct logged {
    struct id id;
    bool is_sent;
    enum message_type type;
    uint64_t leaf;
    uint8_t commitment[HASH_SIZE];
};

struct run {
    struct audit_taker taker; /* first */
    struct session *session;
    struct reconcile_user *user;
    struct reconcile_figures *figures;
    struct arena *arena;
    const char *me; /* the system's identity */
    struct logged *entries;
    size_t count;
    size_t room;
    struct keepings *before; /* read before the log: what it has must be there */
    struct keepings *after;  /* and after: what the log has must be here */
};

static void run_release(struct run *run)
{
    free(run->entries);
    keepings_free(run->before);
    keepings_free(run->after);
    arena_free(run->arena);
}

const char *reconcile_text(enum reconcile_kind kind)
{
    static const char *const texts[] = {"falta aquí", "falta allá", "distinto"};

    return texts[kind];
}

/* ---- the log ---- */

static enum rc take(struct audit_taker *taker, const struct audit_entry *entry,
                    const struct leaf *leaf, const struct record *record, struct fault *fault)
{
    struct run *run = (struct run *)taker;
    const char *member = run->session->profile->member;
    bool is_sent = record->kind == RECORD_SENT && strcmp(record->actor, run->me) == 0;
    bool is_received = record->kind == RECORD_RECEIVED && strcmp(record->to, member) == 0;

    (void)entry;
    if ((!is_sent && !is_received) || record->message_commitment.size != HASH_SIZE) {
        return RC_OK;
    }
    if (run->count == run->room) {
        size_t room = run->room == 0 ? 4096 : 2 * run->room;
        struct logged *entries =
            room <= ENTRIES_MAX ? realloc(run->entries, room * sizeof *entries) : NULL;

        if (entries == NULL) {
            return refuse(fault, RC_RESOURCE_EXHAUSTED, "reconcile.memory", "", "Falta memoria.");
        }
        run->entries = entries;
        run->room = room;
    }
    run->entries[run->count] = (struct logged){
        .id = record->message_id, .is_sent = is_sent, .type = record->type, .leaf = leaf->index};
    memcpy(run->entries[run->count++].commitment, record->message_commitment.data, HASH_SIZE);
    run->figures->sent += is_sent;
    run->figures->received += is_received;
    return RC_OK;
}

static int compare(const void *a, const void *b)
{
    const struct logged *one = a;
    const struct logged *two = b;
    int order = memcmp(one->id.bytes, two->id.bytes, ID_SIZE);

    return order != 0 ? order : (int)two->is_sent - (int)one->is_sent;
}

static const struct logged *find_logged(const struct run *run, const struct id *id)
{
    for (int is_sent = 0; is_sent < 2 && run->count > 0; is_sent++) {
        struct logged wanted = {.id = *id, .is_sent = is_sent != 0};
        const struct logged *found =
            bsearch(&wanted, run->entries, run->count, sizeof *run->entries, compare);

        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

static enum rc read_log(struct run *run, struct fault *fault)
{
    const struct profile *profile = run->session->profile;
    uint8_t commitment[HASH_SIZE];
    struct audit_query query = {.origin = profile->logs[0].name, .reader = run->me};
    OWN_PTR(audit_find) find = NULL;
    struct audit_find_end end;
    struct petition petition;
    struct audit_case audit;
    struct audit_closed closed;
    struct audit_seen seen;

    TRY(audit_case_make(PURPOSE, &audit, fault));
    audit_case_commitment(&audit, commitment);
    random_fill(query.query_id.bytes, ID_SIZE);
    query.purpose_commitment = BYTES_OF(commitment);
    TRY(petition_make(&audit, &query, run->arena, &petition));
    TRY(audit_seen_load(NULL, profile->logs, profile->own_log_count, &seen, fault));
    TRY(audit_find_open(run->session, &petition, &seen, &find, fault));
    TRY(audit_find_all(find, 0, &run->taker, &end, fault));
    TRY(audit_find_finish(find, fault));
    run->figures->size = end.size;
    snprintf(run->figures->origin, sizeof run->figures->origin, "%s", end.head.origin);
    if (run->count > 0) {
        qsort(run->entries, run->count, sizeof *run->entries, compare);
    }
    return audit_case_close(run->session, &audit, &closed, fault);
}

/* ---- comparing ---- */

static void tell(struct run *run, enum reconcile_kind kind, bool is_sent, const struct id *id,
                 const struct logged *logged, const char *why)
{
    struct reconcile_difference difference = {
        .kind = kind,
        .is_sent = is_sent,
        .id = *id,
        .type = logged != NULL ? logged->type : MESSAGE_NONE,
        .leaf = logged != NULL ? logged->leaf : UINT64_MAX,
        .commitment = logged != NULL ? logged->commitment : NULL,
        .why = why,
    };

    run->figures->missing_here += kind == RECONCILE_MISSING_HERE;
    run->figures->missing_there += kind == RECONCILE_MISSING_THERE;
    run->figures->differing += kind == RECONCILE_DIFFERS;
    run->user->differs(run->user, &difference);
}

/* *is_known false: it is erased, or was another system's. */
static enum rc ask_delivery(struct run *run, const struct id *id, bool *is_known,
                            struct given_again *delivery, struct fault *fault)
{
    struct fault unknown = {0};
    enum rc rc;

    arena_reset(run->arena);
    rc = ask_give_again(run->session, id, true, run->arena, delivery, &unknown);
    *is_known = rc == RC_OK;
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        *fault = unknown;
        return rc;
    }
    return RC_OK;
}

static enum rc look_here(struct run *run, const struct logged *logged, struct fault *fault)
{
    const struct kept_receipt *kept = keepings_find(run->before, &logged->id);
    struct given_again delivery = {false, false};
    bool is_known;

    if (kept != NULL) {
        const char *why = kept->why[0] != '\0' ? kept->why
                          : memcmp(kept->commitment, logged->commitment, HASH_SIZE) != 0
                              ? "message.commitment"
                              : "";

        if (why[0] != '\0') {
            tell(run, RECONCILE_DIFFERS, logged->is_sent, &logged->id, logged, why);
        }
        return RC_OK;
    }
    if (keepings_find(run->after, &logged->id) != NULL) {
        return RC_OK;
    }
    if (logged->is_sent) {
        if (keepings_is_waiting(run->after, &logged->id)) {
            run->figures->waiting++;
        } else {
            tell(run, RECONCILE_MISSING_HERE, true, &logged->id, logged, "");
        }
        return RC_OK;
    }
    if (keepings_has_come(run->after, &logged->id)) {
        return RC_OK;
    }
    TRY(ask_delivery(run, &logged->id, &is_known, &delivery, fault));
    if (!is_known || delivery.was_owed) {
        run->figures->waiting += is_known;
    } else if (delivery.maybe_another_has) {
        run->figures->elsewhere++;
    } else {
        tell(run, RECONCILE_MISSING_HERE, false, &logged->id, logged, "");
    }
    return RC_OK;
}

/* A record can be given up; what it was of is still there, and is proven by its receipts. */
static enum rc is_there(struct run *run, const struct id *id, bool *found, struct fault *fault)
{
    struct receipts receipts;
    struct fault unknown = {0};
    struct given_again delivery;
    enum rc rc;

    *found = find_logged(run, id) != NULL;
    if (*found) {
        return RC_OK;
    }
    arena_reset(run->arena);
    rc = ask_receipts(run->session, id, run->arena, &receipts, &unknown);
    if (rc == RC_NOT_FOUND) {
        return ask_delivery(run, id, found, &delivery, fault);
    }
    if (rc != RC_OK) {
        *fault = unknown;
        return rc;
    }
    *found = receipts.count > 0 && receipts.message_commitment.size == HASH_SIZE &&
             receipt_check(receipts.message_commitment.data, &receipts.items[0],
                           run->session->profile->logs, run->session->profile->own_log_count, NULL,
                           &unknown) == RC_OK;
    return RC_OK;
}

static enum rc look_there(struct run *run, const struct id *id, bool is_sent, const char *why,
                          struct fault *fault)
{
    bool found;

    TRY(is_there(run, id, &found, fault));
    if (!found) {
        tell(run, RECONCILE_MISSING_THERE, is_sent, id, NULL, why);
    }
    return RC_OK;
}

static enum rc compare_all(struct run *run, struct fault *fault)
{
    const struct kept_receipt *kept;
    const struct id *handled;

    for (size_t i = 0; i < run->count; i++) {
        TRY(look_here(run, &run->entries[i], fault));
    }
    for (size_t i = 0; (kept = keepings_receipt(run->before, i)) != NULL; i++) {
        TRY(look_there(run, &kept->id, kept->is_sent, kept->why, fault));
    }
    for (size_t i = 0; (handled = keepings_handled(run->before, i)) != NULL; i++) {
        if (keepings_find(run->before, handled) == NULL) {
            TRY(look_there(run, handled, false, "", fault));
        }
    }
    return RC_OK;
}

/* ---- the whole ---- */

static enum rc check_profile(const struct profile *profile, struct fault *fault)
{
    if (profile->spool[0] == '\0' || profile->system[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.system", profile->path,
                      "Se concilia lo de un sistema: el perfil necesita «system» y «spool».");
    }
    return profile->own_log_count > 0
               ? RC_OK
               : refuse(fault, RC_FAILED_PRECONDITION, "profile.node_log", profile->path,
                        "El perfil no tiene la llave de la bitácora (node_log): nada se podría "
                        "verificar.");
}

static enum rc read_spool(struct run *run, bool checks, struct keepings **keepings,
                          struct fault *fault)
{
    return keepings_read(run->session->profile, checks, keepings) == RC_OK
               ? RC_OK
               : refuse(fault, RC_UNAVAILABLE, "spool.unreadable", run->session->profile->spool,
                        "No se puede leer la carpeta; la bitácora de operación dice cuál.");
}

enum rc reconcile_run(struct session *session, struct reconcile_user *user,
                      struct reconcile_figures *figures, struct fault *fault)
{
    OWN(run) run = {.taker = {take}, .session = session, .user = user, .figures = figures};
    struct ping ping;
    char me[256];

    *figures = (struct reconcile_figures){.size = 0};
    TRY(check_profile(session->profile, fault));
    run.arena = arena_new(ARENA_MAX);
    if (run.arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "reconcile.memory", "", "Falta memoria.");
    }
    TRY(ask_ping(session, run.arena, &ping, fault));
    snprintf(me, sizeof me, "%s", ping.you);
    run.me = me;
    TRY(read_spool(&run, true, &run.before, fault));
    TRY(read_log(&run, fault));
    TRY(read_spool(&run, false, &run.after, fault));
    figures->kept = keepings_count(run.before);
    return compare_all(&run, fault);
}
