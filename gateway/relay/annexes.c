#include "relay/annexes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "crypto/digest.h"
#include "policy/member.h"
#include "policy/route.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/who.h"
#include "store/files.h"

struct annexes {
    struct chore tidying; /* first */
    struct node *node;
    struct worker *worker;
    int64_t tidy_at_ms; /* the scheduler's */
    atomic_bool is_tidying;
    atomic_uint_fast64_t places[ANNEX_STREAMS_MAX]; /* whose, by digest; 0: free */
};

static void tidy(struct chore *chore)
{
    struct annexes *annexes = (struct annexes *)chore;
    struct files *files = annexes->node->files;
    size_t expired = files_expire(files, clock_now_ms() - ANNEX_UNFINISHED_MS);
    size_t erased = files_sweep(files);

    if (expired + erased > 0) {
        log_info("attachments.tidied", "unfinished=%zu erased=%zu", expired, erased);
    }
    atomic_store(&annexes->is_tidying, false);
}

struct annexes *annexes_new(struct node *node)
{
    struct annexes *annexes = calloc(1, sizeof *annexes);

    if (annexes == NULL) {
        return NULL;
    }
    annexes->node = node;
    annexes->tidying.run = tidy;
    annexes->worker = worker_new("annexes", ANNEX_CHORES_MAX);
    if (annexes->worker == NULL) {
        free(annexes);
        return NULL;
    }
    return annexes;
}

void annexes_free(struct annexes *annexes)
{
    if (annexes != NULL) {
        worker_free(annexes->worker);
        free(annexes);
    }
}

enum rc annexes_do(struct annexes *annexes, struct chore *chore)
{
    return worker_put(annexes->worker, chore);
}

void annexes_tidy(struct annexes *annexes)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < annexes->tidy_at_ms || atomic_exchange(&annexes->is_tidying, true)) {
        return;
    }
    annexes->tidy_at_ms = now_ms + ANNEX_TIDY_EVERY_MS;
    if (annexes_do(annexes, &annexes->tidying) != RC_OK) {
        atomic_store(&annexes->is_tidying, false);
    }
}

/* ---- places ---- */

/* Owners come and go with editions of the directory: a place remembers 64 bits of its name. */
static uint_fast64_t mark_of(const char *owner)
{
    struct bytes text = bytes_text(owner);
    uint8_t digest[DIGEST_SIZE];

    digest_of(&text, 1, digest);
    return get_u64(digest) | 1;
}

static unsigned places_of(struct annexes *annexes, uint_fast64_t mark)
{
    unsigned count = 0;

    for (size_t i = 0; i < ANNEX_STREAMS_MAX; i++) {
        count += atomic_load(&annexes->places[i]) == mark;
    }
    return count;
}

enum rc annexes_enter(struct annexes *annexes, const char *owner, struct fault *fault)
{
    uint_fast64_t mark = mark_of(owner);

    if (places_of(annexes, mark) < ANNEX_STREAMS_PER_OWNER) {
        for (size_t i = 0; i < ANNEX_STREAMS_MAX; i++) {
            uint_fast64_t none = 0;

            if (atomic_compare_exchange_strong(&annexes->places[i], &none, mark)) {
                return RC_OK;
            }
        }
    }
    return refuse(fault, RC_RESOURCE_EXHAUSTED, "attachment.streams", "",
                  "Hay demasiados anexos en tránsito; espere a que termine alguno.");
}

void annexes_leave(struct annexes *annexes, const char *owner)
{
    uint_fast64_t mark = mark_of(owner);

    for (size_t i = 0; i < ANNEX_STREAMS_MAX; i++) {
        uint_fast64_t mine = mark;

        if (atomic_compare_exchange_strong(&annexes->places[i], &mine, 0)) {
            return;
        }
    }
}

/* ---- rules ---- */

enum rc annex_caller(const struct node *node, const struct rpc_peer *peer,
                     struct identity *identity, struct fault *fault)
{
    TRY(who_is(node, peer, identity, fault));
    if (identity->kind != IDENTITY_SYSTEM && identity->kind != IDENTITY_OFFICIAL) {
        log_warn("identity.refused", "uri=%s check=attachments", identity->uri);
        return refuse(fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
                      "Esta identidad no puede usar este servicio.");
    }
    return RC_OK;
}

static bool carries(const struct route *route, const char *from, const char *to)
{
    unsigned number = (unsigned)field_number("attachments.entries.attachment_id");
    bool is_sealed = (route->sealed_types >> COMPARTMENT_ATTACHMENTS & 1) != 0;

    if (strcmp(route->from, from) == 0 && strcmp(route->to, to) == 0) {
        return is_sealed || field_set_has(route->fields, number);
    }
    return strcmp(route->from, to) == 0 && strcmp(route->to, from) == 0 &&
           field_set_has(route->reply_fields, number);
}

static enum rc refuse_route(struct fault *fault)
{
    return refuse(fault, RC_PERMISSION_DENIED, "route.none", "to",
                  "Ninguna ruta vigente permite enviar anexos a esa institución.");
}

enum rc annex_route(const struct node *node, const char *from, const char *to,
                    char retention[RETENTION_SIZE], struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct directory *directory = edition->directory;
    int32_t today = clock_local_day(clock_now_ms());

    if (node_of_member(directory, to, today) == NULL) {
        return refuse_route(fault);
    }
    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *candidate = &directory->routes[i];

        if (carries(candidate, from, to) && route_is_in_force(directory, candidate, today)) {
            memcpy(retention, candidate->retention, RETENTION_SIZE);
            return RC_OK;
        }
    }
    return refuse_route(fault);
}

enum rc annex_peer_route(const struct node *node, const struct node_entry *peer, const char *to,
                         char retention[RETENTION_SIZE], struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct directory *directory = edition->directory;
    int32_t today = clock_local_day(clock_now_ms());

    for (size_t i = 0; i < directory->member_count; i++) {
        const struct member *member = &directory->members[i];

        if (node_is(node_of_member(directory, member->code, today), peer) &&
            annex_route(node, member->code, to, retention, NULL) == RC_OK) {
            return RC_OK;
        }
    }
    return refuse_route(fault);
}

enum rc annex_unknown(struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "attachment.unknown", "attachment_id",
                  "No hay un anexo suyo con ese identificador.");
}
