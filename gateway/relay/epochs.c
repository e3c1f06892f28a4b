#include "relay/epochs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/directory.h"
#include "policy/law.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "store/seen.h"
#include "tlog/succession.h"

/* One node that was asked about. */
struct seat {
    struct seat *next;
    char code[CODE_SIZE];
    struct epoch *now;
};

struct epochs {
    struct node *node;
    pthread_mutex_t lock; /* the seats, and what each stands at */
    struct seat *seats;
};

enum rc epochs_new(struct node *node, struct epochs **epochs)
{
    struct epochs *made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->node = node;
    pthread_mutex_init(&made->lock, NULL);
    *epochs = made;
    return RC_OK;
}

static void epoch_free(struct epoch *epoch)
{
    while (epoch != NULL) {
        struct epoch *before = epoch->before;

        free(epoch->statement);
        free(epoch);
        epoch = before;
    }
}

void epochs_free(struct epochs *epochs)
{
    if (epochs == NULL) {
        return;
    }
    while (epochs->seats != NULL) {
        struct seat *seat = epochs->seats;

        epochs->seats = seat->next;
        epoch_free(seat->now);
        free(seat);
    }
    pthread_mutex_destroy(&epochs->lock);
    free(epochs);
}

/* ---- what is known at first ---- */

static void kept_name(const char *code, char out[CODE_SIZE + 16])
{
    snprintf(out, CODE_SIZE + 16, "succession/%s", code);
}

/* Its quorum was counted when it was taken. */
static enum rc read_kept(const struct epochs *epochs, const char *code,
                         struct succession *statement)
{
    struct note *note = malloc(sizeof *note);
    char name[CODE_SIZE + 16];
    OWN(buffer) text = {0};
    enum rc rc;

    kept_name(code, name);
    rc = note != NULL ? seen_kept(epochs->node->seen, name, &text) : RC_RESOURCE_EXHAUSTED;
    if (rc == RC_OK &&
        (note_parse(buffer_bytes(&text), note) != RC_OK ||
         succession_parse(note->text, statement) != RC_OK || strcmp(statement->node, code) != 0)) {
        rc = failed(RC_DATA_LOSS, "epochs.kept", "peer=%s cause=damaged", code);
    }
    free(note);
    return rc;
}

static void set_origin(struct epoch *epoch, const char *origin)
{
    snprintf(epoch->origin, sizeof epoch->origin, "%s", origin);
}

/* As the directory says, unless another log of this node was seen and this one never. */
static enum rc take_listed(const struct epochs *epochs, const struct node_entry *peer,
                           struct epoch *epoch)
{
    char prefix[sizeof peer->origin];
    char other[VKEY_NAME_MAX + 1];
    struct checkpoint last;
    char *slash;

    TRY(vkey_parse(bytes_text(peer->log_vkey), &epoch->key));
    set_origin(epoch, peer->origin);
    epoch->is_known = true;
    snprintf(prefix, sizeof prefix, "%s", peer->origin);
    slash = strrchr(prefix, '/');
    if (slash == NULL || seen_get(epochs->node->seen, peer->origin, &last, NULL) == RC_OK) {
        return RC_OK;
    }
    slash[1] = '\0';
    if (seen_other_origin(epochs->node->seen, prefix, peer->origin, other) == RC_OK) {
        log_warn("epochs.unexplained", "peer=%s listed=%s seen=%s it waits for a statement",
                 peer->code, peer->origin, other);
        set_origin(epoch, other);
        epoch->is_known = false;
    }
    return RC_OK;
}

static enum rc first_epoch(const struct epochs *epochs, const struct node_entry *peer,
                           struct epoch *epoch)
{
    enum rc rc;

    epoch->statement = calloc(1, sizeof *epoch->statement);
    if (epoch->statement == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = read_kept(epochs, peer->code, epoch->statement);
    if (rc != RC_OK) {
        free(epoch->statement);
        epoch->statement = NULL;
        return rc == RC_NOT_FOUND ? take_listed(epochs, peer, epoch) : rc;
    }
    epoch->key = epoch->statement->new_key;
    epoch->is_known = true;
    set_origin(epoch, epoch->key.name);
    return RC_OK;
}

/* With the lock held. */
static struct seat *seat_of(struct epochs *epochs, const struct node_entry *peer)
{
    struct seat *seat = epochs->seats;

    while (seat != NULL && strcmp(seat->code, peer->code) != 0) {
        seat = seat->next;
    }
    if (seat != NULL) {
        return seat;
    }
    seat = calloc(1, sizeof *seat);
    if (seat == NULL) {
        return NULL;
    }
    seat->now = calloc(1, sizeof *seat->now);
    if (seat->now == NULL || first_epoch(epochs, peer, seat->now) != RC_OK) {
        epoch_free(seat->now);
        free(seat);
        return NULL;
    }
    memcpy(seat->code, peer->code, sizeof seat->code);
    seat->next = epochs->seats;
    epochs->seats = seat;
    return seat;
}

const struct epoch *epochs_of(struct epochs *epochs, const struct node_entry *peer)
{
    const struct epoch *epoch;
    struct seat *seat;

    pthread_mutex_lock(&epochs->lock);
    seat = seat_of(epochs, peer);
    epoch = seat != NULL ? seat->now : NULL;
    pthread_mutex_unlock(&epochs->lock);
    return epoch;
}

/* ---- the next one ---- */

static enum rc refuse_epoch(const struct node_entry *peer, struct fault *fault, enum rc rc,
                            const char *reason, const char *remedy)
{
    log_error("peer.epoch", "peer=%s check=%s", peer->code, reason);
    return refuse(fault, rc, reason, "hello.origin", "%s", remedy);
}

static enum rc refuse_unexplained(const struct epoch *now, const struct node_entry *peer,
                                  const char *origin, struct fault *fault)
{
    for (const struct epoch *epoch = now; epoch != NULL; epoch = epoch->before) {
        if (strcmp(epoch->origin, origin) == 0 ||
            (epoch->statement != NULL && strcmp(epoch->statement->old_key.name, origin) == 0)) {
            return refuse_epoch(peer, fault, RC_FAILED_PRECONDITION, "log.succeeded",
                                "Esa bitácora terminó: otra la sucedió. Arranque el nodo con la "
                                "declaración de sucesión.");
        }
    }
    return refuse_epoch(peer, fault, RC_FAILED_PRECONDITION, "log.no_succession",
                        "Esa bitácora no es la que conocemos; hace falta la declaración de "
                        "sucesión firmada por las autoridades.");
}

/* Does it go on from the log that we know? */
static bool follows(const struct epoch *now, const struct node_entry *peer, const char *origin,
                    const struct succession *next)
{
    const struct vkey *old_key = &next->old_key;

    if (strcmp(next->node, peer->code) != 0 || strcmp(next->new_key.name, origin) != 0) {
        return false;
    }
    if (now->statement != NULL && next->epoch <= now->statement->epoch) {
        return false;
    }
    if (now->statement != NULL && next->epoch > now->statement->epoch + 1) {
        log_warn("epochs.skipped", "peer=%s from=%u to=%u", peer->code, now->statement->epoch,
                 next->epoch);
        return true;
    }
    return strcmp(old_key->name, now->origin) == 0 &&
           (!now->is_known ||
            memcmp(old_key->public_key, now->key.public_key, sizeof old_key->public_key) == 0);
}

/* Against what we saw of the old log last. */
static enum rc compare(const struct epochs *epochs, const struct node_entry *peer,
                       const struct succession *next, struct fault *fault)
{
    struct checkpoint last;
    enum rc rc = seen_get(epochs->node->seen, next->old_key.name, &last, NULL);

    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (last.size == next->last.size && !digest_equal(last.root, next->last.root)) {
        return refuse_epoch(peer, fault, RC_DATA_LOSS, "succession.fork",
                            "La declaración nombra otra raíz que la que este nodo vio para las "
                            "mismas hojas; avise a las autoridades.");
    }
    if (last.size > next->last.size) {
        log_error("succession.behind", "peer=%s origin=%s named=%llu seen=%llu cause=%s",
                  peer->code, last.origin, (unsigned long long)next->last.size,
                  (unsigned long long)last.size, succession_cause_name(next->cause));
    }
    return RC_OK;
}

/* The operator's list where there is one, else those of the peer's network in force. */
static enum rc find_authorities(const struct node *node, const char *code,
                                struct authorities *authorities)
{
    OWN_EDITION(edition) = NULL;
    char network[CODE_SIZE];

    if (node->authorities->count > 0) {
        *authorities = *node->authorities;
        return RC_OK;
    }
    edition = inforce_take(node->inforce);
    snprintf(network, sizeof network, "%.*s", (int)strcspn(code, "/"), code);
    return directory_authorities(edition->directory, network, authorities);
}

static enum rc open_next(const struct epochs *epochs, const struct node_entry *peer,
                         struct bytes statement, struct succession *next, struct fault *fault)
{
    struct authorities authorities;
    enum rc rc = find_authorities(epochs->node, peer->code, &authorities);

    rc = rc == RC_OK ? succession_open(statement, &authorities, next, NULL) : RC_PERMISSION_DENIED;

    if (rc == RC_PERMISSION_DENIED || rc == RC_UNAUTHENTICATED) {
        return refuse_epoch(peer, fault, RC_FAILED_PRECONDITION, "succession.authorities",
                            "La declaración de sucesión no tiene las firmas de las autoridades que "
                            "este nodo conoce.");
    }
    return rc == RC_INVALID_ARGUMENT
               ? refuse_epoch(peer, fault, RC_FAILED_PRECONDITION, "succession.malformed",
                              "La declaración de sucesión no se entiende.")
               : rc;
}

static enum rc adopt(struct epochs *epochs, struct seat *seat, const struct node_entry *peer,
                     struct bytes statement, struct epoch *next, struct fault *fault)
{
    const struct succession *said = next->statement;
    char name[CODE_SIZE + 16];

    TRY(compare(epochs, peer, said, fault));
    kept_name(peer->code, name);
    TRY(seen_keep(epochs->node->seen, name, statement));
    next->key = said->new_key;
    next->is_known = true;
    set_origin(next, said->new_key.name);
    next->before = seat->now;
    seat->now = next;
    log_warn("epoch.adopted", "peer=%s epoch=%u cause=%s old=%s last=%llu new=%s", peer->code,
             said->epoch, succession_cause_name(said->cause), said->old_key.name,
             (unsigned long long)said->last.size, said->new_key.name);
    return RC_OK;
}

/* With the lock held. */
static enum rc admit(struct epochs *epochs, struct seat *seat, const struct node_entry *peer,
                     const char *origin, struct bytes statement, struct fault *fault)
{
    struct epoch *next;
    enum rc rc;

    if (seat->now->is_known && strcmp(seat->now->origin, origin) == 0) {
        return RC_OK;
    }
    if (statement.size == 0) {
        return refuse_unexplained(seat->now, peer, origin, fault);
    }
    next = calloc(1, sizeof *next);
    if (next == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    next->statement = calloc(1, sizeof *next->statement);
    rc = next->statement != NULL ? open_next(epochs, peer, statement, next->statement, fault)
                                 : RC_RESOURCE_EXHAUSTED;
    if (rc == RC_OK && !follows(seat->now, peer, origin, next->statement)) {
        rc =
            refuse_epoch(peer, fault, RC_FAILED_PRECONDITION, "succession.other_log",
                         "La declaración de sucesión no sigue a la bitácora que este nodo conoce.");
    }
    rc = rc == RC_OK ? adopt(epochs, seat, peer, statement, next, fault) : rc;
    if (rc != RC_OK) {
        epoch_free(next);
    }
    return rc;
}

enum rc epochs_admit(struct epochs *epochs, const struct node_entry *peer, const char *origin,
                     struct bytes statement, struct fault *fault)
{
    struct seat *seat;
    enum rc rc;

    pthread_mutex_lock(&epochs->lock);
    seat = seat_of(epochs, peer);
    rc = seat != NULL ? admit(epochs, seat, peer, origin, statement, fault) : RC_UNAVAILABLE;
    pthread_mutex_unlock(&epochs->lock);
    return rc;
}
