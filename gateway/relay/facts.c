#include "relay/facts.h"

#include <string.h>

#include "relay/node.h"
#include "rpc/codec.h"
#include "store/auditlog.h"
#include "store/body.h"

enum rc facts_read(struct txn *txn, uint64_t index, struct arena *arena, struct facts *facts)
{
    enum rc rc;

    *facts = (struct facts){.index = index};
    TRY(auditlog_leaf(txn, index, &facts->leaf_bytes));
    if (leaf_decode(facts->leaf_bytes, &facts->leaf) != RC_OK) {
        return failed(RC_DATA_LOSS, "facts.leaf", "index=%llu", (unsigned long long)index);
    }
    rc = auditlog_record(txn, index, &facts->blind, &facts->record_bytes);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    facts->has_record = true;
    rc = codec_record_read(facts->record_bytes, arena, &facts->record, NULL);
    return rc == RC_INVALID_ARGUMENT
               ? failed(RC_DATA_LOSS, "facts.record", "index=%llu", (unsigned long long)index)
               : rc;
}

enum rc facts_read_persons(const struct node *node, struct txn *txn, struct facts *facts)
{
    struct bytes keys;
    struct bytes body;
    enum rc rc;

    facts->has_persons = true;
    facts->persons.count = 0;
    if (!facts->has_record ||
        (facts->record.kind != RECORD_SENT && facts->record.kind != RECORD_RECEIVED)) {
        return RC_OK;
    }
    rc = body_get(txn, facts->index, &keys, &body);
    if (rc == RC_OK) {
        rc = content_persons_open(node->vault, keys, facts->leaf.nonce, &facts->persons);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static size_t add(struct index_term *terms, size_t count, enum index_field field,
                  struct bytes value)
{
    if (value.size > 0) {
        terms[count++] = (struct index_term){field, value};
    }
    return count;
}

struct index_term facts_step(enum message_type type, enum event event,
                             uint8_t step[FACTS_STEP_SIZE])
{
    step[0] = (uint8_t)type;
    step[1] = (uint8_t)event;
    return (struct index_term){INDEX_STEP, BYTES(step, FACTS_STEP_SIZE)};
}

size_t facts_terms_of(const struct record *record, const struct content_persons *persons,
                      uint8_t kind[1 + FACTS_STEP_SIZE], struct index_term terms[FACTS_TERMS_MAX])
{
    size_t count = 0;

    kind[0] = (uint8_t)record->kind;
    count = add(terms, count, INDEX_KIND, BYTES(kind, 1));
    if (record->type != MESSAGE_NONE) {
        terms[count++] = facts_step(record->type, record->event, kind + 1);
    }
    count = add(terms, count, INDEX_MEMBER, bytes_text(record->from));
    count = add(terms, count, INDEX_MEMBER, bytes_text(record->to));
    count = add(terms, count, INDEX_ROUTE, bytes_text(record->route));
    count = add(terms, count, INDEX_AUDIT, record->purpose_commitment);
    if (!id_is_zero(&record->exchange_id)) {
        count = add(terms, count, INDEX_EXCHANGE, BYTES_OF(record->exchange_id.bytes));
    }
    for (size_t i = 0; i < persons->count; i++) {
        count = add(terms, count, INDEX_PERSON, BYTES_OF(persons->ids[i].bytes));
    }
    return count;
}

size_t facts_terms(struct facts *facts, struct index_term terms[FACTS_TERMS_MAX])
{
    return facts->has_record ? facts_terms_of(&facts->record, &facts->persons, facts->kind, terms)
                             : 0;
}
