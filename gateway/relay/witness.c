#include "relay/witness.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "relay/chain.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "store/cosigned.h"
#include "store/db.h"
#include "tlog/merkle.h"
#include "tlog/policy.h"
#include "tlog/text.h"

/* Keys of one origin: the directory's, and those of the operator's list. */
#define KEYS_MAX 8

struct known_keys {
    struct vkey keys[KEYS_MAX];
    size_t count;
};

void witness_ask_release(struct witness_ask *ask)
{
    buffer_release(&ask->note);
}

/* ---- whose checkpoint ---- */

static void add_directory_keys(const struct node *node, const char *origin,
                               struct known_keys *known)
{
    int32_t today = clock_local_day(clock_now_ms());
    OWN_EDITION(edition) = inforce_take(node->inforce);

    for (size_t i = 0; i < edition->directory->node_count && known->count < KEYS_MAX; i++) {
        const struct node_entry *entry = &edition->directory->nodes[i];

        if (strcmp(entry->origin, origin) == 0 && dates_cover(entry->in_force, today) &&
            vkey_parse(bytes_text(entry->log_vkey), &known->keys[known->count]) == RC_OK) {
            known->count++;
        }
    }
}

static void add_listed_keys(const struct node *node, const char *origin, struct known_keys *known)
{
    const struct policy *list = node->witnessed_logs;

    for (size_t i = 0; list != NULL && i < list->log_count && known->count < KEYS_MAX; i++) {
        if (strcmp(list->logs[i].vkey.name, origin) == 0) {
            known->keys[known->count++] = list->logs[i].vkey;
        }
    }
}

/* None for a log of our own house: its cosignature would count for nobody. */
static void find_keys(const struct node *node, struct bytes note, struct known_keys *known)
{
    char origin[VKEY_NAME_MAX + 1];
    struct bytes line;

    known->count = 0;
    if (node->witness_key == NULL || !text_line(&note, &line) || line.size > VKEY_NAME_MAX ||
        memchr(line.data, 0, line.size) != NULL) {
        return;
    }
    memcpy(origin, line.data, line.size);
    origin[line.size] = '\0';
    if (!policy_is_same_house(origin, node->witness_vkey.name) &&
        !policy_is_same_house(origin, node->log_vkey.name)) {
        add_directory_keys(node, origin, known);
        add_listed_keys(node, origin, known);
    }
}

/* Text and the log's own line: what other witnesses or nobody added stays out of our memory. */
static enum rc keep_note(const struct note *note, const struct known_keys *known,
                         struct buffer *kept)
{
    uint8_t signature[ED25519_SIGNATURE_SIZE];

    for (size_t i = 0; i < known->count; i++) {
        for (size_t k = 0; note_verify(note, &known->keys[i]) == RC_OK && k < note->count; k++) {
            if (note_line_is_of(&note->lines[k], &known->keys[i])) {
                TRY(note_line_payload(&note->lines[k], signature, sizeof signature));
                buffer_put_bytes(kept, note->text);
                buffer_put_u8(kept, '\n');
                note_put_line(&known->keys[i], BYTES_OF(signature), kept);
                return kept->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
            }
        }
    }
    return RC_NOT_FOUND;
}

/* ---- against what was seen ---- */

/* It may be proof of misbehaviour: a valid signature over what is not proven to be one log. */
static enum witness_status say_unproven(const struct witness_ask *ask,
                                        const struct seen_point *last)
{
    char last_root[2 * DIGEST_SIZE + 1];
    char root[2 * DIGEST_SIZE + 1];

    hex_encode(last->root, DIGEST_SIZE, last_root);
    hex_encode(ask->offered.root, DIGEST_SIZE, root);
    log_error("witness.unproven", "origin=%s seen_size=%llu seen_root=%s size=%llu root=%s",
              ask->offered.origin, (unsigned long long)last->size, last_root,
              (unsigned long long)ask->offered.size, root);
    return WITNESS_UNPROVEN;
}

static enum rc load_last(const struct node *node, const char *origin, struct seen_point *last)
{
    struct checkpoint seen;
    enum rc rc = seen_get(node->seen, origin, &seen, NULL);

    if (rc == RC_NOT_FOUND) {
        last->size = 0;
        merkle_empty(last->root);
        return RC_OK;
    }
    TRY(rc);
    *last = seen_point_of(&seen);
    return RC_OK;
}

static enum witness_status judge(const struct add_checkpoint *request, struct witness_ask *ask,
                                 const struct seen_point *last)
{
    enum witness_status status =
        add_checkpoint_judge(request, &ask->offered, last->size, last->root);

    ask->last_size = last->size;
    ask->seen.proven = *last;
    return status == WITNESS_UNPROVEN ? say_unproven(ask, last) : status;
}

/* The larger one is on the line: does it begin with the one that is offered? */
static enum witness_status judge_later(const struct node *node,
                                       const struct add_checkpoint *request,
                                       const struct line *later, struct witness_ask *ask,
                                       const struct seen_point *last)
{
    const struct checkpoint *offered = &ask->offered;
    struct seen_point point;
    struct proof proof;

    ask->last_size = last->size;
    if (request->old_size != offered->size || request->proof.count != 0 ||
        later->old_size != offered->size || later->new_size < offered->size ||
        chain_proof(&later->consistency, &proof) != RC_OK) {
        return WITNESS_MALFORMED;
    }
    if (!seen_point(node->seen, offered->origin, later->new_size, &point)) {
        return WITNESS_CONFLICT;
    }
    if (proof_check_consistency(offered->size, offered->root, point.size, point.root, &proof) !=
        RC_OK) {
        return say_unproven(ask, &point);
    }
    ask->seen.proven = point;
    return WITNESS_COSIGNED;
}

/* What `seen` said of it. */
static enum witness_status outcome(struct witness_ask *ask)
{
    switch (ask->seen.rc) {
    case RC_OK:
        return WITNESS_COSIGNED;
    case RC_ABORTED: /* it moved on meanwhile, or left this one behind long ago */
        ask->last_size = ask->seen.last.size;
        return WITNESS_CONFLICT;
    case RC_DATA_LOSS:
        return WITNESS_UNPROVEN;
    default:
        return WITNESS_BUSY;
    }
}

static void on_seen(struct seen_write *seen)
{
    struct witness_ask *ask = (struct witness_ask *)seen;

    ask->status = outcome(ask);
    ask->done(ask);
}

enum witness_status witness_prepare(const struct node *node, struct bytes body,
                                    const struct line *later, struct witness_ask *ask)
{
    struct add_checkpoint request;
    struct known_keys known;
    struct seen_point last;
    struct note note;
    enum witness_status status;

    if (add_checkpoint_parse(body, &request) != RC_OK) {
        return WITNESS_MALFORMED;
    }
    find_keys(node, request.note, &known);
    status = add_checkpoint_open(&request, known.keys, known.count, &note, &ask->offered);
    if (status != WITNESS_COSIGNED) {
        return status;
    }
    if (load_last(node, ask->offered.origin, &last) != RC_OK ||
        keep_note(&note, &known, &ask->note) != RC_OK) {
        return WITNESS_BUSY;
    }
    ask->seen.checkpoint = &ask->offered;
    ask->seen.note = buffer_bytes(&ask->note);
    ask->seen.is_to_cosign = true;
    ask->seen.done = on_seen;
    return later != NULL ? judge_later(node, &request, later, ask, &last)
                         : judge(&request, ask, &last);
}

enum witness_status witness_begin(const struct node *node, struct witness_ask *ask)
{
    if (seen_submit(node->seen, &ask->seen) == RC_OK) {
        return WITNESS_COSIGNED; /* the seen thread's from here on: it sets the status */
    }
    ask->status = WITNESS_BUSY;
    return WITNESS_BUSY;
}

enum witness_status witness_put(const struct node *node, struct witness_ask *ask)
{
    ask->seen.rc = seen_put(node->seen, &ask->seen);
    ask->status = outcome(ask);
    return ask->status;
}

/* ---- what leaves ---- */

enum rc witness_sign(const struct node *node, const struct checkpoint *checkpoint,
                     struct buffer *line)
{
    OWN(buffer) text = {0};

    checkpoint_text(checkpoint, &text);
    if (text.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return checkpoint_cosign(buffer_bytes(&text), node->witness_vkey.name, node->witness_key,
                             (uint64_t)(clock_now_ms() / 1000), line);
}

static bool is_own_log(const struct node *node, const uint8_t origin_sha256[DIGEST_SIZE])
{
    struct bytes name = bytes_text(node->self->origin);
    uint8_t digest[DIGEST_SIZE];

    digest_of(&name, 1, digest);
    return digest_equal(digest, origin_sha256);
}

static enum rc own_last(const struct node *node, struct buffer *note)
{
    OWN_READ(txn) = NULL;
    struct cosigned last;

    TRY(txn_read(node->db, &txn));
    TRY(cosigned_last(txn, &last));
    buffer_put_bytes(note, last.note);
    return note->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc witness_last(const struct node *node, const uint8_t origin_sha256[DIGEST_SIZE],
                     struct buffer *note)
{
    struct checkpoint last;
    struct note parsed;

    if (is_own_log(node, origin_sha256)) {
        return own_last(node, note);
    }
    TRY(seen_note(node->seen, origin_sha256, note));
    if (node->witness_key == NULL) {
        return RC_OK;
    }
    if (note_parse(buffer_bytes(note), &parsed) != RC_OK ||
        checkpoint_parse_text(parsed.text, &last) != RC_OK) {
        return failed(RC_DATA_LOSS, "witness.last", "cause=a stored note is malformed");
    }
    return witness_sign(node, &last, note);
}
