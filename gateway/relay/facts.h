/*
 * facts - what a leaf is about: its record decoded, the persons of its message, what it is found
 * by.
 *
 * For whoever reads the log behind the commits: the indexer and the queries. Texts live in the
 * arena, leaf and record bytes are borrowed from the transaction.
 */
#ifndef RELAY_FACTS_H
#define RELAY_FACTS_H

#include "model/record.h"
#include "store/content.h"
#include "store/index.h"
#include "tlog/leaf.h"

struct arena;
struct node;
struct txn;

/* member (two), kind, step, route, exchange, audit; persons */
#define FACTS_TERMS_MAX (7 + MESSAGE_SUBJECTS_MAX)
#define FACTS_STEP_SIZE 2

struct facts {
    uint64_t index;
    struct bytes leaf_bytes;
    struct leaf leaf;
    bool has_record;
    struct bytes blind;
    struct bytes record_bytes;
    struct record record;
    bool has_persons; /* they were read */
    struct content_persons persons;
    uint8_t kind[1 + FACTS_STEP_SIZE]; /* for facts_terms to point at */
};

/* RC_NOT_FOUND: no such leaf. RC_DATA_LOSS, logged: leaf or record cannot be read. */
MUST_CHECK enum rc facts_read(struct txn *txn, uint64_t index, struct arena *arena,
                              struct facts *facts);
/* None, when the message was erased or is no message. RC_DATA_LOSS. */
MUST_CHECK enum rc facts_read_persons(const struct node *node, struct txn *txn,
                                      struct facts *facts);
/* After both; returns how many. Borrowed from the facts. */
size_t facts_terms(struct facts *facts, struct index_term terms[FACTS_TERMS_MAX]);

/* The same of a record and persons that are at hand; `kind` is where two terms point. */
size_t facts_terms_of(const struct record *record, const struct content_persons *persons,
                      uint8_t kind[1 + FACTS_STEP_SIZE], struct index_term terms[FACTS_TERMS_MAX]);
/* What a message of this type, or an act of this event, is found by; points at `step`. */
struct index_term facts_step(enum message_type type, enum event event,
                             uint8_t step[FACTS_STEP_SIZE]);

#endif
