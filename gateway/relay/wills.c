#include "relay/wills.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "policy/will_rules.h"
#include "relay/clock_doubt.h"
#include "relay/glass.h"
#include "relay/node.h"
#include "store/db.h"
#include "store/dutycall.h"
#include "store/vault.h"
#include "store/willbook.h"

/* What a person wants outlives any message: until it is changed, or the person's key destroyed. */
#define WILL_RETENTION "R99"

enum rc wills_uniform(struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "exchange.unknown", "header.exchange_id",
                  "No hay un intercambio suyo con ese identificador.");
}

static struct tagkey_name name_of(const char *member, const struct id *person)
{
    return (struct tagkey_name){
        .member = member, .kind = TAGKEY_SUBJECT, .name = BYTES(person->bytes, ID_SIZE)};
}

static enum rc find_key(const struct node *node, struct txn *txn, const struct tagkey_name *name,
                        uint8_t key[TAGKEY_SIZE])
{
    enum rc rc = tagkey_cached(node->tagkeys, name, key);

    return rc == RC_NOT_FOUND ? tagkey_find(txn, node->tagkeys, name, key) : rc;
}

static enum rc find_will(const struct node *node, struct txn *txn, const char *member,
                         const struct id *person, struct will *will)
{
    const struct tagkey_name name = name_of(member, person);
    uint8_t key[TAGKEY_SIZE];
    enum rc rc = find_key(node, txn, &name, key);

    rc = rc == RC_OK ? willbook_get(txn, member, key, will) : rc;
    explicit_bzero(key, sizeof key);
    return rc;
}

/* ---- before anything leaves ---- */

static enum rc refuse_unnamed(struct txn *txn, const char *member, struct fault *fault)
{
    bool is_any = false;

    TRY(willbook_any(txn, member, &is_any));
    return !is_any ? RC_OK
                   : refuse(fault, RC_INVALID_ARGUMENT, "subject.not_named",
                            "submission.local_subjects",
                            "Diga de quién trata («local» de cada persona): sin eso no se puede "
                            "saber qué destinos excluyó.");
}

static enum rc ask_one(const struct node *node, const struct directory *directory, struct txn *txn,
                       const struct message *message, const struct id *person, struct will *will,
                       struct fault *told, struct fault *fault)
{
    const struct header *header = &message->header;
    struct fault why = {0};
    enum rc rc = find_will(node, txn, header->from, person, will);

    if (rc == RC_NOT_FOUND) {
        memset(will, 0, sizeof *will);
        return RC_OK;
    }
    TRY(rc); /* it can not be read: nothing leaves */
    if (will_check(will, directory, message, clock_doubt_now_ms(node), &why) == RC_OK) {
        return RC_OK;
    }
    if (will_has_standing(will, header->on_behalf_of)) {
        *told = why;
    }
    return wills_uniform(fault);
}

enum rc wills_ask(const struct node *node, const struct directory *directory,
                  const struct message *message, const struct id *local, size_t local_count,
                  struct will *pending, bool *is_pending, struct fault *told, struct fault *fault)
{
    struct will will;
    OWN_READ(txn) = NULL;
    enum rc rc = RC_OK;

    *is_pending = false;
    if (!will_is_asked(message)) {
        return RC_OK;
    }
    TRY(txn_read(node->db, &txn));
    if (local_count == 0) {
        return refuse_unnamed(txn, message->header.from, fault);
    }
    for (size_t i = 0; i < local_count && rc == RC_OK; i++) {
        rc = ask_one(node, directory, txn, message, &local[i], &will, told, fault);
        if (i == 0) {
            *pending = will;
        }
    }
    explicit_bzero(&will, sizeof will);
    *is_pending = rc == RC_OK && message->header.consent == CONSENT_IMPEDED &&
                  pending->consent == WILL_UNKNOWN;
    return rc;
}

/* ---- what an official decided for the person ---- */

static void ratification(const char *member, const struct id *message, struct dutycall_key *key)
{
    memset(key, 0, sizeof *key);
    key->kind = DUTYCALL_REVIEW;
    key->exchange = *message;
    snprintf(key->member, sizeof key->member, "%s", member);
    snprintf(key->clock, sizeof key->clock, "%s", GLASS_RATIFICATION);
}

enum rc wills_note(struct txn *txn, const struct message *message, const uint8_t key[TAGKEY_SIZE],
                   const struct will *pending)
{
    const struct header *header = &message->header;
    int64_t now_ms = clock_now_ms();
    struct will will = *pending;
    struct dutycall call;
    enum rc rc;

    will.consent = WILL_IMPEDED;
    will.since_ms = now_ms;
    will.ratify_by_ms = now_ms + WILL_RATIFY_MS;
    will.impeded_by = header->message_id;
    snprintf(will.official, sizeof will.official, "%s", header->on_behalf_of);
    if (will.standing_count == 0) {
        snprintf(will.standing[will.standing_count++], CODE_SIZE, "%s", header->on_behalf_of);
    }
    memset(&call, 0, sizeof call);
    ratification(header->from, &header->message_id, &call.key);
    call.urgency = header->urgency;
    call.made_at_ms = call.wake_at_ms = now_ms;
    call.due_ms = will.ratify_by_ms;
    snprintf(call.because, sizeof call.because, "%s", header->on_behalf_of);
    rc = dutycall_put(txn, &call);
    rc = rc == RC_OK || rc == RC_ALREADY_EXISTS ? willbook_put(txn, header->from, key, &will) : rc;
    explicit_bzero(&will, sizeof will);
    return rc;
}

/* ---- changes by officials ---- */

static enum rc refuse_person(struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "person.unknown", "act.subject",
                  "No lleva usted el caso de una persona con ese identificador.");
}

static bool remove_text(char *texts, size_t size, size_t *count, const char *text)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(texts + i * size, text) == 0) {
            memmove(texts + i * size, texts + (i + 1) * size, (*count - i - 1) * size);
            (*count)--;
            return true;
        }
    }
    return false;
}

static enum rc add_text(char *texts, size_t size, size_t *count, size_t max, const char *text,
                        struct fault *fault)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(texts + i * size, text) == 0) {
            return RC_OK;
        }
    }
    if (*count == max) {
        return refuse(fault, RC_FAILED_PRECONDITION, "will.too_many", "act.target",
                      "Ya no caben más; quite otro primero.");
    }
    snprintf(texts + (*count)++ * size, size, "%s", text);
    return RC_OK;
}

static void set_consent(struct will *will, enum will_consent consent, const struct identity *by,
                        const char *reference)
{
    will->consent = consent;
    will->since_ms = clock_now_ms();
    will->ratify_by_ms = 0;
    snprintf(will->official, sizeof will->official, "%s", by->name);
    snprintf(will->reference, sizeof will->reference, "%s", reference);
}

static enum rc change(struct will *will, const struct identity *by, const struct official_act *act,
                      struct fault *fault)
{
    switch (act->kind) {
    case OFFICIAL_RATIFY:
        set_consent(will, WILL_GIVEN, by, act->target);
        return RC_OK;
    case OFFICIAL_WITHDRAW:
        set_consent(will, WILL_WITHDRAWN, by, act->target);
        return RC_OK;
    case OFFICIAL_EXCLUDE:
        return add_text(will->excluded[0], WILL_NAME_SIZE, &will->excluded_count, WILL_EXCLUDED_MAX,
                        act->target, fault);
    case OFFICIAL_INCLUDE:
        return remove_text(will->excluded[0], WILL_NAME_SIZE, &will->excluded_count, act->target)
                   ? RC_OK
                   : refuse(fault, RC_FAILED_PRECONDITION, "will.not_excluded", "act.target",
                            "La persona no excluyó ese destino.");
    default:
        return add_text(will->standing[0], CODE_SIZE, &will->standing_count, WILL_STANDING_MAX,
                        act->target, fault);
    }
}

static enum rc check_target(const struct directory *directory, const struct identity *by,
                            const struct official_act *act, struct fault *fault)
{
    bool is_exclusion = act->kind == OFFICIAL_EXCLUDE;

    if (is_exclusion && !will_name_is_known(directory, act->target)) {
        return refuse(
            fault, RC_INVALID_ARGUMENT, "will.target", "act.target",
            "Escriba una institución, uno de sus sistemas o una de sus personas del "
            "directorio: cdmx/ssc, cdmx/ssc/system/adapter, cdmx/ssc/official/enlace-01.");
    }
    if (act->kind == OFFICIAL_GIVE_STANDING &&
        !official_is_listed(directory, by->member, act->target)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "will.target", "act.target",
                      "Nombre a una persona del registro de su institución.");
    }
    return RC_OK;
}

enum rc will_change_prepare(struct will_change *job, const struct node *node,
                            const struct directory *directory, const struct identity *by,
                            const struct official_act *act, struct fault *fault)
{
    OWN_READ(txn) = NULL;
    int32_t month;
    enum rc rc;

    TRY(check_target(directory, by, act, fault));
    job->person = act->subject;
    job->by = by;
    job->act = act;
    job->name = name_of(by->member, &job->person);
    TRY(vault_month(WILL_RETENTION, clock_now_ms(), &month));
    TRY(vault_shard(node->vault, by->member, WILL_RETENTION, month, true, &job->shard));
    TRY(txn_read(node->db, &txn));
    rc = find_key(node, txn, &job->name, job->key);
    if (rc == RC_NOT_FOUND) {
        rc = tagkey_make(node->vault, job->shard, &job->name, &job->row, job->key);
    }
    return rc;
}

enum rc will_change_check(struct will_change *job, struct txn *txn, struct fault *fault)
{
    enum rc rc = willbook_get(txn, job->name.member, job->key, &job->will);

    if (rc == RC_NOT_FOUND) { /* the first who declares something for the person attends the case */
        memset(&job->will, 0, sizeof job->will);
        snprintf(job->will.standing[job->will.standing_count++], CODE_SIZE, "%s", job->by->name);
        rc = RC_OK;
    }
    TRY(rc);
    if (!will_has_standing(&job->will, job->by->name)) {
        return refuse_person(fault);
    }
    job->was = job->will.consent;
    return change(&job->will, job->by, job->act, fault);
}

static enum rc put_key(struct will_change *job, const struct node *node, struct txn *txn)
{
    bool is_added = false;

    if (job->row.size > 0) {
        TRY(tagkey_add(txn, node->tagkeys, &job->name, buffer_bytes(&job->row), job->key,
                       &is_added));
        job->is_new = is_added;
        return RC_OK;
    }
    buffer_clear(&job->extended);
    return tagkey_extend(txn, node->tagkeys, &job->name, job->shard, &job->extended);
}

enum rc will_change_put(struct will_change *job, const struct node *node, struct txn *txn)
{
    struct dutycall_key key;
    enum rc rc;

    TRY(put_key(job, node, txn));
    if (job->was == WILL_IMPEDED && job->will.consent != WILL_IMPEDED) {
        ratification(job->name.member, &job->will.impeded_by, &key);
        rc = dutycall_end(txn, &key, clock_now_ms());
        TRY(rc == RC_NOT_FOUND ? RC_OK : rc);
    }
    return willbook_put(txn, job->name.member, job->key, &job->will);
}

void will_change_done(struct will_change *job, const struct node *node)
{
    if (job->is_new) {
        tagkey_remember(node->tagkeys, &job->name, buffer_bytes(&job->row), job->key);
    } else if (job->extended.size > 0) {
        tagkey_remember(node->tagkeys, &job->name, buffer_bytes(&job->extended), job->key);
    }
}

void will_change_release(struct will_change *job)
{
    explicit_bzero(job->key, sizeof job->key);
    explicit_bzero(&job->will, sizeof job->will);
    buffer_release(&job->row);
    buffer_release(&job->extended);
}

enum rc wills_read(const struct node *node, const struct identity *by, const struct id *person,
                   struct will *will)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(node->db, &txn));
    TRY(find_will(node, txn, by->member, person, will));
    return will_has_standing(will, by->name) ? RC_OK : RC_NOT_FOUND;
}
