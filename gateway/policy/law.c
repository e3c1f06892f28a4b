#include "policy/law.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "policy/directory_file.h"
#include "policy/member.h"
#include "policy/suspension.h"
#include "tlog/text.h"

struct root {
    char network[CODE_SIZE];
    struct authorities authorities;
};

/* A note in force or, while an offer is looked at, one that may come to be. */
struct held {
    enum law_kind kind;
    char subject[CODE_SIZE];
    uint64_t version;
    uint8_t sha256[HASH_SIZE];
    uint8_t *bytes; /* own */
    size_t size;
    struct bytes text; /* of bytes */
    struct suspension suspension;
    char label[CODE_SIZE + 32]; /* "cdmx v7": for errors and explanations */
};

struct set {
    struct held **items;
    size_t count;
};

struct law {
    struct root roots[LAW_NETWORKS_MAX];
    size_t root_count;
    struct set set;
    struct directory *networks; /* the networks' texts alone: keys and lifts; NULL at first */
};

/* ---- held notes ---- */

static void held_free(struct held *held)
{
    if (held != NULL) {
        free(held->bytes);
        free(held);
    }
}

struct law *law_new(void)
{
    struct law *law = calloc(1, sizeof *law);

    if (law != NULL) {
        law->set.items = calloc(LAW_NOTES_MAX, sizeof(struct held *));
        if (law->set.items == NULL) {
            free(law);
            return NULL;
        }
    }
    return law;
}

void law_free(struct law *law)
{
    if (law == NULL) {
        return;
    }
    for (size_t i = 0; i < law->set.count; i++) {
        held_free(law->set.items[i]);
    }
    free(law->set.items);
    directory_free(law->networks);
    free(law);
}

enum rc law_trust(struct law *law, const char *network, const struct authorities *authorities)
{
    struct root *root = &law->roots[law->root_count];

    if (law->root_count == LAW_NETWORKS_MAX || strlen(network) >= sizeof root->network) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memset(root, 0, sizeof *root);
    memcpy(root->network, network, strlen(network));
    root->authorities = *authorities;
    law->root_count++;
    return RC_OK;
}

/* ---- what a text is ---- */

static enum rc refuse_text(struct fault *fault, const char *why)
{
    return refuse(fault, RC_INVALID_ARGUMENT, "note.malformed", "", "%s", why);
}

static bool header_value(struct bytes *text, const char *name, char *out, size_t size)
{
    struct bytes line;

    if (!text_line(text, &line) || !text_word(&line, name) || line.size == 0 || line.size >= size) {
        return false;
    }
    memcpy(out, line.data, line.size);
    out[line.size] = '\0';
    return true;
}

static enum rc look_directory(struct bytes text, bool is_roster, char subject[CODE_SIZE],
                              uint64_t *version, struct fault *fault)
{
    char number[24];

    if (!header_value(&text, is_roster ? "enlace-roster " : "enlace-directory ", number,
                      sizeof number) ||
        !header_value(&text, is_roster ? "member " : "network ", subject, CODE_SIZE) ||
        !header_value(&text, "version ", number, sizeof number) ||
        text_decimal(bytes_text(number), version) != RC_OK || *version == 0) {
        return refuse_text(fault, "Se esperan al principio cuatro líneas: tipo, red o institución, "
                                  "version, in-force.");
    }
    return RC_OK;
}

enum rc law_look(struct bytes text, enum law_kind *kind, char subject[CODE_SIZE], uint64_t *version,
                 struct fault *fault)
{
    static const struct {
        const char *start;
        enum law_kind kind;
    } rows[] = {{"enlace-directory ", LAW_NETWORK},
                {"enlace-roster ", LAW_ROSTER},
                {"enlace-suspension ", LAW_SUSPENSION}};
    struct suspension suspension;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes rest = text;

        if (!text_word(&rest, rows[i].start)) {
            continue;
        }
        *kind = rows[i].kind;
        if (*kind != LAW_SUSPENSION) {
            return look_directory(text, *kind == LAW_ROSTER, subject, version, fault);
        }
        TRY(suspension_parse(text, &suspension, fault));
        memcpy(subject, suspension.network, CODE_SIZE);
        *version = 0;
        return RC_OK;
    }
    return refuse_text(fault, "No es un directorio, un registro ni una suspensión.");
}

static void label(struct held *held)
{
    switch (held->kind) {
    case LAW_NETWORK:
        snprintf(held->label, sizeof held->label, "%s v%llu", held->subject,
                 (unsigned long long)held->version);
        break;
    case LAW_ROSTER:
        snprintf(held->label, sizeof held->label, "registro %s v%llu", held->subject,
                 (unsigned long long)held->version);
        break;
    default:
        snprintf(held->label, sizeof held->label, "suspensión");
    }
}

static enum rc held_new(struct bytes note_bytes, struct held **out, struct note *note,
                        struct fault *fault)
{
    struct held *held = calloc(1, sizeof *held);
    enum rc rc = RC_OK;

    if (held == NULL || (held->bytes = malloc(note_bytes.size + 1)) == NULL) {
        held_free(held);
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(held->bytes, note_bytes.data, note_bytes.size);
    held->size = note_bytes.size;
    if (note_parse(BYTES(held->bytes, held->size), note) != RC_OK) {
        rc = refuse_text(fault, "No es una nota firmada (C2SP signed-note).");
    } else {
        held->text = note->text;
        rc = law_look(held->text, &held->kind, held->subject, &held->version, fault);
    }
    if (rc == RC_OK && held->kind == LAW_SUSPENSION) {
        rc = suspension_parse(held->text, &held->suspension, fault);
    }
    if (rc != RC_OK) {
        held_free(held);
        return rc;
    }
    digest_of(&held->text, 1, held->sha256);
    label(held);
    *out = held;
    return RC_OK;
}

/* ---- keys ---- */

enum rc directory_authorities(const struct directory *directory, const char *network,
                              struct authorities *authorities)
{
    memset(authorities, 0, sizeof *authorities);
    for (size_t i = 0; i < directory->authority_count; i++) {
        const struct authority *row = &directory->authorities[i];

        if (strcmp(row->network, network) == 0 && authorities->count < AUTHORITIES_MAX &&
            vkey_parse(bytes_text(row->vkey), &authorities->keys[authorities->count]) == RC_OK) {
            authorities->count++;
            authorities->quorum = directory->texts[row->text].quorum;
        }
    }
    return authorities->count > 0 ? RC_OK : RC_NOT_FOUND;
}

enum rc law_authorities(const struct law *law, const char *network, struct authorities *authorities)
{
    if (law->networks != NULL &&
        directory_authorities(law->networks, network, authorities) == RC_OK) {
        return RC_OK;
    }
    for (size_t i = 0; i < law->root_count; i++) {
        if (strcmp(law->roots[i].network, network) == 0) {
            *authorities = law->roots[i].authorities;
            return RC_OK;
        }
    }
    return RC_NOT_FOUND;
}

static enum rc check_quorum(const struct authorities *authorities, const struct note *note,
                            struct fault *fault)
{
    unsigned signed_by = 0;
    enum rc rc = authorities_check(authorities, note, &signed_by);

    if (rc == RC_UNAUTHENTICATED) {
        return refuse(fault, rc, "note.signature", "",
                      "Una de las firmas no corresponde al texto.");
    }
    if (rc != RC_OK) {
        return refuse(fault, rc, "law.quorum", "",
                      "Faltan firmas: hay %u de autoridades vigentes y se necesitan %u.", signed_by,
                      authorities->quorum);
    }
    return RC_OK;
}

static enum rc check_roster_key(const struct member *member, const struct note *note,
                                struct fault *fault)
{
    for (size_t i = 0; i < member->roster_key_count; i++) {
        struct vkey key;
        enum rc rc = vkey_parse(bytes_text(member->roster_vkeys[i]), &key) == RC_OK
                         ? note_verify(note, &key)
                         : RC_NOT_FOUND;

        if (rc == RC_OK) {
            return RC_OK;
        }
        if (rc != RC_NOT_FOUND) {
            return refuse(fault, RC_UNAUTHENTICATED, "note.signature", "",
                          "La firma no corresponde al texto.");
        }
    }
    return refuse(fault, RC_PERMISSION_DENIED, "law.roster_key", "",
                  "No la firma la llave que el directorio señala para esta institución.");
}

/* The rows of one code may differ by date; any of them that has keys will do. */
enum rc law_check_member_note(const struct directory *networks, const char *code,
                              const struct note *note, struct fault *fault)
{
    const struct member *end = networks != NULL ? networks->members + networks->member_count : NULL;
    const struct member *member = networks != NULL ? member_known(networks, code) : NULL;

    if (member == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "law.unknown_member", "",
                      "%s no está en el directorio de su red.", code);
    }
    while (member + 1 < end && member->roster_key_count == 0 && strcmp(member[1].code, code) == 0) {
        member++;
    }
    return check_roster_key(member, note, fault);
}

/* ---- a set of notes, and its directory ---- */

static bool is_same_place(const struct held *a, const struct held *b)
{
    return a->kind == b->kind && strcmp(a->subject, b->subject) == 0 &&
           (a->kind != LAW_SUSPENSION || memcmp(a->sha256, b->sha256, HASH_SIZE) == 0);
}

static struct held *in_place_of(const struct set *set, const struct held *held)
{
    for (size_t i = 0; i < set->count; i++) {
        if (is_same_place(set->items[i], held)) {
            return set->items[i];
        }
    }
    return NULL;
}

static struct directory_source *sources_of(const struct set *set, bool with_rosters, size_t *count)
{
    struct directory_source *sources = calloc(set->count + 1, sizeof *sources);

    *count = 0;
    for (size_t i = 0; sources != NULL && i < set->count; i++) {
        const struct held *held = set->items[i];

        if (held->kind == LAW_NETWORK || (held->kind == LAW_ROSTER && with_rosters)) {
            sources[*count].text = held->text;
            sources[*count].name = held->label;
            (*count)++;
        }
    }
    return sources;
}

static enum rc assemble(const struct set *set, bool with_rosters, struct directory **directory,
                        struct fault *fault)
{
    char error[DIRECTORY_ERROR_SIZE] = "";
    size_t count;
    struct directory_source *sources = sources_of(set, with_rosters, &count);
    enum rc rc;

    if (sources == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (count == 0) {
        free(sources);
        return RC_FAILED_PRECONDITION;
    }
    rc = directory_assemble(sources, count, directory, error);
    free(sources);
    return rc == RC_OK ? RC_OK : refuse(fault, rc, "law.contradiction", "", "%.220s", error);
}

/* Suspensions in force are part of what the digest names. */
static int order_digests(const void *left, const void *right)
{
    return memcmp(left, right, HASH_SIZE);
}

static enum rc suspend(const struct set *set, struct directory *directory)
{
    uint8_t(*digests)[HASH_SIZE] = calloc(set->count + 1, HASH_SIZE);
    size_t count = 0;
    struct bytes all;
    enum rc rc = RC_OK;

    if (digests == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < set->count && rc == RC_OK; i++) {
        const struct held *held = set->items[i];

        if (held->kind == LAW_SUSPENSION && !suspension_is_lifted(&held->suspension, directory)) {
            rc = suspension_apply(&held->suspension, directory);
            memcpy(digests[++count], held->sha256, HASH_SIZE);
        }
    }
    if (count > 0) {
        qsort(digests + 1, count, HASH_SIZE, order_digests);
        memcpy(digests[0], directory->sha256, HASH_SIZE);
        all = BYTES(digests, (count + 1) * HASH_SIZE);
        digest_of(&all, 1, directory->sha256);
    }
    free(digests);
    return rc;
}

static enum rc make(const struct set *set, struct directory **directory, struct fault *fault)
{
    OWN_PTR(directory) made = NULL;

    TRY(assemble(set, true, &made, fault));
    TRY(suspend(set, made));
    *directory = MOVE(made);
    return RC_OK;
}

/* ---- taking an offer ---- */

static enum rc check_version(const struct held *in_force, const struct held *held,
                             struct fault *fault)
{
    if (in_force == NULL || held->version > in_force->version) {
        return RC_OK;
    }
    if (memcmp(in_force->sha256, held->sha256, HASH_SIZE) == 0) {
        return RC_ALREADY_EXISTS;
    }
    if (held->version == in_force->version) {
        return refuse(fault, RC_FAILED_PRECONDITION, "law.two_of_one_version", "",
                      "Hay otro texto de %s con la misma versión %llu: avise a las autoridades.",
                      held->subject, (unsigned long long)held->version);
    }
    return refuse(fault, RC_FAILED_PRECONDITION, "law.lower_version", "",
                  "La versión %llu de %s es menor que la vigente, %llu.",
                  (unsigned long long)held->version, held->subject,
                  (unsigned long long)in_force->version);
}

/* Puts `held` in its place; *old is what stood there (NULL: nothing, it was added at the end). */
static enum rc put(struct set *set, struct held *held, struct held **old, struct fault *fault)
{
    for (size_t i = 0; i < set->count; i++) {
        if (is_same_place(set->items[i], held)) {
            *old = set->items[i];
            set->items[i] = held;
            return RC_OK;
        }
    }
    *old = NULL;
    if (set->count == LAW_NOTES_MAX) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "law.full", "",
                      "Hay demasiados textos en vigor.");
    }
    set->items[set->count++] = held;
    return RC_OK;
}

static void put_back(struct set *set, const struct held *held, struct held *old)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i] != held) {
            continue;
        }
        if (old != NULL) {
            set->items[i] = old;
        } else {
            set->items[i] = set->items[--set->count];
        }
        return;
    }
}

static void drop(struct set *set, size_t i)
{
    held_free(set->items[i]);
    set->items[i] = set->items[--set->count];
}

/* Rosters whose member is gone, or whose key is. */
static void drop_rosters(struct law *law)
{
    for (size_t i = law->set.count; i > 0; i--) {
        const struct held *held = law->set.items[i - 1];
        struct note note;

        if (held->kind == LAW_ROSTER &&
            (note_parse(BYTES(held->bytes, held->size), &note) != RC_OK ||
             law_check_member_note(law->networks, held->subject, &note, NULL) != RC_OK)) {
            drop(&law->set, i - 1);
        }
    }
}

static enum rc take_network(struct law *law, struct held *held, const struct note *note,
                            struct fault *fault)
{
    struct authorities authorities;
    OWN_PTR(directory) networks = NULL;
    struct held *old = NULL;
    enum rc rc;

    if (law_authorities(law, held->subject, &authorities) != RC_OK) {
        return refuse(fault, RC_PERMISSION_DENIED, "law.unknown_network", "",
                      "No se conocen autoridades de la red %s.", held->subject);
    }
    TRY(check_version(in_place_of(&law->set, held), held, fault));
    TRY(check_quorum(&authorities, note, fault));
    TRY(put(&law->set, held, &old, fault));
    rc = assemble(&law->set, false, &networks, fault);
    if (rc == RC_OK) {
        rc = directory_authorities(networks, held->subject, &authorities);
    }
    if (rc == RC_OK) {
        rc = check_quorum(&authorities, note, fault);
    }
    if (rc != RC_OK) {
        put_back(&law->set, held, old);
        return rc;
    }
    held_free(old);
    directory_free(law->networks);
    law->networks = MOVE(networks);
    drop_rosters(law);
    return RC_OK;
}

/* Is it well-formed by itself? Whether it fits with the rest is seen when all are put together. */
static enum rc take_roster(struct law *law, struct held *held, const struct note *note,
                           struct held **old, struct fault *fault)
{
    TRY(law_check_member_note(law->networks, held->subject, note, fault));
    TRY(check_version(in_place_of(&law->set, held), held, fault));
    return put(&law->set, held, old, fault);
}

static size_t suspensions(const struct law *law, const char *owner)
{
    size_t count = 0;

    for (size_t i = 0; i < law->set.count; i++) {
        const struct held *held = law->set.items[i];

        count += held->kind == LAW_SUSPENSION &&
                 (owner == NULL || strcmp(held->suspension.owner, owner) == 0);
    }
    return count;
}

static enum rc take_suspension(struct law *law, struct held *held, const struct note *note,
                               bool is_archived, struct fault *fault)
{
    struct suspension *suspension = &held->suspension;
    struct held *old = NULL;
    struct fault unsaid = {0};
    enum rc rc;

    if (in_place_of(&law->set, held) != NULL) {
        return RC_ALREADY_EXISTS;
    }
    if (law->networks == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "law.unknown_network", "",
                      "No hay todavía un directorio de la red %s.", suspension->network);
    }
    rc = suspension_check(law->networks, note, suspension, is_archived ? &unsaid : fault);
    if (rc != RC_OK && !(is_archived && strcmp(unsaid.reason, "suspension.issuer") == 0)) {
        return is_archived ? refuse(fault, rc, unsaid.reason, "", "%s", unsaid.remedy) : rc;
    }
    if (suspensions(law, NULL) >= LAW_SUSPENSIONS_MAX ||
        (suspension->owner[0] != '\0' &&
         suspensions(law, suspension->owner) >= LAW_SUSPENSIONS_OF_MEMBER)) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "law.full", "",
                      "Hay demasiadas suspensiones en vigor.");
    }
    return put(&law->set, held, &old, fault);
}

/* ---- offers ---- */

struct staged {
    struct held *held;
    struct held *old;
    struct law_offer *offer;
};

/* Everything of one kind. Rosters are staged: they count once the whole fits together. */
static enum rc take_one(struct law *law, struct law_offer *offer, enum law_kind kind,
                        struct staged *staged, size_t *staged_count)
{
    struct held *held = NULL;
    struct held *old = NULL;
    struct note note;
    enum rc rc = held_new(offer->note, &held, &note, &offer->fault);

    if (rc != RC_OK) {
        return rc;
    }
    if (held->kind != kind) {
        held_free(held);
        return RC_CANCELLED; /* another round's */
    }
    switch (kind) {
    case LAW_NETWORK:
        rc = take_network(law, held, &note, &offer->fault);
        break;
    case LAW_ROSTER:
        rc = take_roster(law, held, &note, &old, &offer->fault);
        break;
    default:
        rc = take_suspension(law, held, &note, offer->is_archived, &offer->fault);
    }
    if (rc != RC_OK) {
        held_free(held);
        return rc;
    }
    if (kind == LAW_ROSTER) {
        staged[(*staged_count)++] = (struct staged){.held = held, .old = old, .offer = offer};
    }
    return RC_OK;
}

static int order_offers(const void *left, const void *right)
{
    const struct law_offer *const *a = left, *const *b = right;
    char subject[CODE_SIZE];
    struct note note;
    uint64_t versions[2] = {0, 0};
    enum law_kind kind;

    for (int i = 0; i < 2; i++) {
        if (note_parse(i == 0 ? (*a)->note : (*b)->note, &note) == RC_OK &&
            law_look(note.text, &kind, subject, &versions[i], NULL) != RC_OK) {
            versions[i] = 0;
        }
    }
    return (versions[0] > versions[1]) - (versions[0] < versions[1]);
}

/* None of the staged rosters, the last one first; *refused gets why, where the caller has that. */
static void unstage(struct law *law, const struct staged *staged, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        put_back(&law->set, staged[i - 1].held, staged[i - 1].old);
    }
}

/* Which of them does not fit? Put back one at a time; those that do not are refused. */
static void restage(struct law *law, struct staged *staged, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        OWN_PTR(directory) unused = NULL;
        struct staged *one = &staged[i];
        enum rc rc = put(&law->set, one->held, &one->old, &one->offer->fault);

        if (rc == RC_OK) {
            rc = assemble(&law->set, true, &unused, &one->offer->fault);
            if (rc != RC_OK) {
                put_back(&law->set, one->held, one->old);
            }
        }
        if (rc != RC_OK) {
            one->offer->rc = rc;
            held_free(one->held);
            one->held = NULL;
        }
    }
}

static void settle(struct staged *staged, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (staged[i].held != NULL) {
            held_free(staged[i].old);
        }
    }
}

static void take_all(struct law *law, struct law_offer **ordered, size_t count,
                     struct staged *staged)
{
    static const enum law_kind kinds[] = {LAW_NETWORK, LAW_ROSTER, LAW_SUSPENSION};

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        OWN_PTR(directory) unused = NULL;
        size_t staged_count = 0;

        for (size_t i = 0; i < count; i++) {
            if (ordered[i]->rc == RC_CANCELLED) {
                ordered[i]->rc = take_one(law, ordered[i], kinds[k], staged, &staged_count);
            }
        }
        if (staged_count > 0 && assemble(&law->set, true, &unused, NULL) != RC_OK) {
            unstage(law, staged, staged_count);
            restage(law, staged, staged_count);
        }
        settle(staged, staged_count);
    }
}

enum rc law_offer(struct law *law, struct law_offer *offers, size_t count,
                  struct directory **directory)
{
    struct law_offer **ordered = calloc(count + 1, sizeof(struct law_offer *));
    struct staged *staged = calloc(count + 1, sizeof *staged);
    bool is_changed = false;

    if (ordered == NULL || staged == NULL) {
        free(ordered);
        free(staged);
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < count; i++) {
        offers[i].rc = RC_CANCELLED;
        offers[i].fault = (struct fault){0};
        ordered[i] = &offers[i];
    }
    qsort(ordered, count, sizeof(struct law_offer *), order_offers);
    take_all(law, ordered, count, staged);
    for (size_t i = 0; i < count; i++) {
        is_changed = is_changed || offers[i].rc == RC_OK;
    }
    free(ordered);
    free(staged);
    if (law->networks == NULL) {
        return RC_FAILED_PRECONDITION;
    }
    return is_changed ? make(&law->set, directory, NULL) : RC_OK;
}

size_t law_count(const struct law *law)
{
    return law->set.count;
}

void law_at(const struct law *law, size_t i, struct law_note *note)
{
    const struct held *held = law->set.items[i];

    note->kind = held->kind;
    memcpy(note->subject, held->subject, CODE_SIZE);
    note->version = held->version;
    memcpy(note->sha256, held->sha256, HASH_SIZE);
    note->note = BYTES(held->bytes, held->size);
}
