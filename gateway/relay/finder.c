#include "relay/finder.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "relay/indexer.h"
#include "relay/node.h"
#include "store/auditlog.h"
#include "store/db.h"

/* Leaves of one read transaction. */
#define SOME 512

struct search {
    const struct node *node;
    const struct finder_question *question;
    struct arena *scratch;
    uint64_t *leaves;
    size_t max;
    size_t *count;
    struct finder_place *place;
    int64_t until_ms;
};

static bool is_text(const char *wanted, const char *text)
{
    return wanted[0] == '\0' || strcmp(wanted, text) == 0;
}

static bool may_be_seen(const struct finder_question *question, const struct record *record)
{
    if (question->is_only_own) {
        return !record_is_of_exchange(record->kind);
    }
    return question->only_of[0] == '\0' || record_is_of(record, question->only_of);
}

static bool matches(const struct finder_question *question, const struct facts *facts)
{
    const struct record *record = &facts->record;

    if (!facts->has_record || !may_be_seen(question, record)) {
        return false;
    }
    return (question->to_s == 0 || facts->leaf.time_s < question->to_s) &&
           facts->leaf.time_s >= question->from_s &&
           (question->kind == RECORD_NONE || question->kind == record->kind) &&
           (question->type == MESSAGE_NONE || question->type == record->type) &&
           (question->event == EVENT_NONE || question->event == record->event) &&
           (question->member[0] == '\0' || strcmp(question->member, record->from) == 0 ||
            strcmp(question->member, record->to) == 0) &&
           is_text(question->route, record->route) &&
           (id_is_zero(&question->exchange_id) ||
            id_equal(&question->exchange_id, &record->exchange_id)) &&
           (question->audit.size == 0 || bytes_equal(question->audit, record->purpose_commitment));
}

static bool has_person(const struct facts *facts, const struct id *person)
{
    for (size_t i = 0; i < facts->persons.count; i++) {
        if (id_equal(&facts->persons.ids[i], person)) {
            return true;
        }
    }
    return false;
}

static enum rc look(struct search *search, struct txn *txn, uint64_t leaf)
{
    const struct finder_question *question = search->question;
    struct facts facts;

    arena_reset(search->scratch);
    TRY(facts_read(txn, leaf, search->scratch, &facts));
    search->place->looked_at++;
    if (!matches(question, &facts)) {
        return RC_OK;
    }
    if (!id_is_zero(&question->person)) {
        TRY(facts_read_persons(search->node, txn, &facts));
        if (!has_person(&facts, &question->person)) {
            return RC_OK;
        }
    }
    search->leaves[(*search->count)++] = leaf;
    return RC_OK;
}

static bool is_enough(const struct search *search)
{
    return *search->count == search->max || search->place->looked_at >= FINDER_LOOK_MAX ||
           clock_monotonic_ms() >= search->until_ms;
}

/* What the index knows by: an act with its event, or another type. */
static bool names_step(const struct finder_question *question, uint8_t step[FACTS_STEP_SIZE],
                       struct index_term *term)
{
    bool is_act = question->event != EVENT_NONE || question->type == MESSAGE_ACT;

    if (is_act ? question->event == EVENT_NONE : question->type == MESSAGE_NONE) {
        return false;
    }
    *term = facts_step(is_act ? MESSAGE_ACT : question->type, question->event, step);
    return true;
}

/* The most telling of what the index knows by. False: the question names nothing. */
static bool best_term(const struct finder_question *question, uint8_t kind[FACTS_STEP_SIZE],
                      struct index_term *term)
{
    if (question->audit.size > 0) {
        *term = (struct index_term){INDEX_AUDIT, question->audit};
    } else if (!id_is_zero(&question->person)) {
        *term = (struct index_term){INDEX_PERSON, BYTES_OF(question->person.bytes)};
    } else if (!id_is_zero(&question->exchange_id)) {
        *term = (struct index_term){INDEX_EXCHANGE, BYTES_OF(question->exchange_id.bytes)};
    } else if (question->kind != RECORD_NONE && question->kind != RECORD_SENT &&
               question->kind != RECORD_RECEIVED) {
        *kind = (uint8_t)question->kind;
        *term = (struct index_term){INDEX_KIND, BYTES(kind, 1)};
    } else if (names_step(question, kind, term)) {
        return true;
    } else if (question->route[0] != '\0') {
        *term = (struct index_term){INDEX_ROUTE, bytes_text(question->route)};
    } else if (question->member[0] != '\0') {
        *term = (struct index_term){INDEX_MEMBER, bytes_text(question->member)};
    } else if (question->only_of[0] != '\0') {
        *term = (struct index_term){INDEX_MEMBER, bytes_text(question->only_of)};
    } else if (question->kind != RECORD_NONE) {
        *kind = (uint8_t)question->kind;
        *term = (struct index_term){INDEX_KIND, BYTES(kind, 1)};
    } else {
        return false;
    }
    return true;
}

static enum rc look_at_some(struct search *search, const uint64_t *leaves, size_t count,
                            uint64_t end, uint64_t next)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(search->node->db, &txn));
    for (size_t i = 0; i < count && leaves[i] < end; i++) {
        if (*search->count == search->max) {
            search->place->next = leaves[i];
            return RC_OK;
        }
        TRY(look(search, txn, leaves[i]));
    }
    search->place->next = next < end ? next : end;
    return RC_OK;
}

/* What the index lists from the place on; leaves the place where it ends, or where it is enough. */
static enum rc find_listed(struct search *search, const struct index_term *term, uint64_t end)
{
    uint64_t leaves[SOME];
    struct finder_place *place = search->place;

    while (place->next < end && !is_enough(search)) {
        struct index_found found = {.leaves = leaves};
        enum rc rc = index_find(search->node->index, term, place->next, SOME, &found);

        if (rc == RC_DATA_LOSS) {
            indexer_distrust(search->node->indexer);
            place->indexed_to = place->next;
            return RC_OK; /* the rest is looked at leaf by leaf */
        }
        TRY(rc);
        place->indexed_to = found.up_to;
        if (found.up_to <= place->next) {
            return RC_OK;
        }
        TRY(look_at_some(search, leaves, found.count, end,
                         found.count == SOME ? leaves[SOME - 1] + 1 : found.up_to));
    }
    return RC_OK;
}

static enum rc find_unlisted(struct search *search, uint64_t end)
{
    uint64_t leaves[SOME];
    struct finder_place *place = search->place;

    while (place->next < end && !is_enough(search)) {
        size_t count = 0;

        for (; count < SOME && place->next + count < end; count++) {
            leaves[count] = place->next + count;
        }
        TRY(look_at_some(search, leaves, count, end, place->next + count));
    }
    return RC_OK;
}

enum rc finder_time(const struct node *node, uint64_t time_s, uint64_t size, uint64_t *leaf)
{
    OWN_READ(txn) = NULL;
    uint64_t low = 0;
    uint64_t high = size;

    TRY(txn_read(node->db, &txn));
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct bytes bytes;
        struct leaf found;

        TRY(auditlog_leaf(txn, middle, &bytes));
        TRY(leaf_decode(bytes, &found));
        if (found.time_s < time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *leaf = low;
    return RC_OK;
}

enum rc finder_find(const struct node *node, const struct finder_question *question, uint64_t size,
                    size_t max, struct arena *scratch, uint64_t *leaves, size_t *count,
                    struct finder_place *place)
{
    struct search search = {.node = node,
                            .question = question,
                            .scratch = scratch,
                            .leaves = leaves,
                            .max = max,
                            .count = count,
                            .place = place,
                            .until_ms = clock_monotonic_ms() + FINDER_LOOK_MS};
    struct index_term term;
    uint64_t begin = 0;
    uint64_t end = size;
    uint8_t kind[FACTS_STEP_SIZE];

    if (question->from_s > 0) {
        TRY(finder_time(node, question->from_s, size, &begin));
    }
    if (question->to_s > 0) {
        TRY(finder_time(node, question->to_s, size, &end));
    }
    place->next = place->next < begin ? begin : place->next;
    place->indexed_to = index_up_to(node->index);
    place->looked_at = 0;
    if (best_term(question, kind, &term)) {
        TRY(find_listed(&search, &term, end));
        if (place->next < end && place->next < place->indexed_to) {
            return RC_OK; /* enough for once */
        }
    }
    TRY(find_unlisted(&search, end));
    place->next = place->next >= end ? size : place->next;
    return RC_OK;
}
