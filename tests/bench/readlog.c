/*
 * readlog - what reading a log costs, inside the process: proofs, one person by the index, the
 * rescan of every leaf by tag. The node must be stopped.
 *
 *     readlog DATA VAULT ORIGIN PERSON     one JSON object
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/facts.h"
#include "relay/node.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/index.h"
#include "store/tagkey.h"
#include "store/vault.h"
#include "tlog/commit.h"

#define PROOFS 2000
#define HITS_MAX 4096
#define RESCAN_SOME 4096

struct reading {
    struct node node;
    uint64_t size;
    struct id person;
};

static enum rc open_all(struct reading *reading, char **argv)
{
    static char path[4096];
    struct node *node = &reading->node;
    struct db_options db = {
        .kind = DB_LOG, .path = path, .origin = argv[3], .epoch = 1, .floor_bytes = 1 << 20};
    struct index_options index = {.path = path, .origin = argv[3], .epoch = 1};
    OWN_READ(txn) = NULL;

    snprintf(path, sizeof path, "%s/log", argv[1]);
    TRY(db_open(&db, &node->db));
    TRY(vault_open(argv[2], path, &node->vault));
    TRY(tagkeys_new(node->vault, 1024, &node->tagkeys));
    snprintf(path, sizeof path, "%s/index", argv[1]);
    TRY(index_open(&index, &node->index));
    TRY(txn_read(node->db, &txn));
    TRY(auditlog_size(txn, &reading->size));
    return id_parse(argv[4], &reading->person);
}

static uint64_t any(uint64_t below)
{
    uint64_t number;

    random_fill(&number, sizeof number);
    return number % below;
}

/* Of leaves anywhere, each with a reader that remembers nothing. */
static enum rc measure_proofs(struct reading *reading, double *mean_us)
{
    int64_t spent_us = 0;

    for (int i = 0; i < PROOFS; i++) {
        OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
        uint64_t index = any(reading->size);
        int64_t began_us = clock_monotonic_us();
        OWN_READ(txn) = NULL;
        struct proof proof;

        if (reader == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        TRY(txn_read(reading->node.db, &txn));
        TRY(auditlog_inclusion(reader, txn, index, reading->size, &proof));
        spent_us += clock_monotonic_us() - began_us;
    }
    *mean_us = (double)spent_us / PROOFS;
    return RC_OK;
}

static enum rc open_hit(struct reading *reading, struct auditlog_reader *reader, uint64_t leaf,
                        struct arena *arena, size_t *hits)
{
    OWN_READ(txn) = NULL;
    struct facts facts;
    struct proof proof;

    TRY(txn_read(reading->node.db, &txn));
    arena_reset(arena);
    TRY(facts_read(txn, leaf, arena, &facts));
    TRY(facts_read_persons(&reading->node, txn, &facts));
    TRY(auditlog_inclusion(reader, txn, leaf, reading->size, &proof));
    for (size_t i = 0; i < facts.persons.count; i++) {
        *hits += id_equal(&facts.persons.ids[i], &reading->person);
    }
    return RC_OK;
}

/* Record, persons and proof of each leaf that the index lists. */
static enum rc measure_person(struct reading *reading, size_t *hits, double *ms)
{
    const struct index_term term = {INDEX_PERSON, BYTES_OF(reading->person.bytes)};
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
    static uint64_t leaves[HITS_MAX];
    struct index_found found = {.leaves = leaves};
    int64_t began_us = clock_monotonic_us();

    if (reader == NULL || arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *hits = 0;
    TRY(index_find(reading->node.index, &term, 0, HITS_MAX, &found));
    for (size_t i = 0; i < found.count; i++) {
        TRY(open_hit(reading, reader, leaves[i], arena, hits));
    }
    *ms = (double)(clock_monotonic_us() - began_us) / 1000;
    return found.up_to >= reading->size ? RC_OK : RC_FAILED_PRECONDITION;
}

static enum rc rescan_some(struct reading *reading, const uint8_t key[TAGKEY_SIZE], uint64_t from,
                           uint64_t to, size_t *hits)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(reading->node.db, &txn));
    for (uint64_t i = from; i < to; i++) {
        uint8_t tag[LEAF_TAG_SIZE];
        struct bytes bytes;
        struct leaf leaf;

        TRY(auditlog_leaf(txn, i, &bytes));
        TRY(leaf_decode(bytes, &leaf));
        commit_tag(key, leaf.nonce, COMMIT_SUBJECT, tag);
        *hits += memcmp(tag, leaf.subject_tag, LEAF_TAG_SIZE) == 0;
    }
    return RC_OK;
}

static enum rc measure_rescan(struct reading *reading, size_t *hits, double *seconds)
{
    const struct tagkey_name name = {
        .member = "cdmx/mpi-cdmx", .kind = TAGKEY_SUBJECT, .name = BYTES_OF(reading->person.bytes)};
    int64_t began_us = clock_monotonic_us();
    uint8_t key[TAGKEY_SIZE];
    OWN_READ(txn) = NULL;

    TRY(txn_read(reading->node.db, &txn));
    TRY(tagkey_find(txn, reading->node.tagkeys, &name, key));
    *hits = 0;
    for (uint64_t at = 0; at < reading->size; at += RESCAN_SOME) {
        uint64_t end = reading->size - at < RESCAN_SOME ? reading->size : at + RESCAN_SOME;

        TRY(rescan_some(reading, key, at, end, hits));
    }
    *seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    return RC_OK;
}

static enum rc measure(struct reading *reading)
{
    double proof_us = 0;
    double person_ms = 0;
    double again_ms = 0;
    double rescan_s = 0;
    size_t listed = 0;
    size_t tagged = 0;

    TRY(measure_proofs(reading, &proof_us));
    TRY(measure_person(reading, &listed, &person_ms));
    TRY(measure_person(reading, &listed, &again_ms));
    TRY(measure_rescan(reading, &tagged, &rescan_s));
    printf("{\"leaves\": %llu, \"proof_us\": %.1f, \"person_ms\": %.2f, \"person_again_ms\": %.2f, "
           "\"listed\": %zu, \"tagged\": %zu, \"rescan_s\": %.2f}\n",
           (unsigned long long)reading->size, proof_us, person_ms, again_ms, listed, tagged,
           rescan_s);
    return listed == tagged && listed > 0 ? RC_OK : RC_DATA_LOSS;
}

int main(int argc, char **argv)
{
    static struct reading reading;
    enum rc rc;

    log_open("readlog", LOG_LEVEL_WARN);
    if (argc != 5) {
        fputs("usage: readlog DATA VAULT ORIGIN PERSON\n", stderr);
        return 2;
    }
    rc = open_all(&reading, argv);
    if (rc == RC_OK) {
        rc = measure(&reading);
    }
    index_free(reading.node.index);
    tagkeys_free(reading.node.tagkeys);
    db_free(reading.node.db);
    vault_free(reading.node.vault);
    if (rc != RC_OK) {
        fprintf(stderr, "readlog: %s\n", rc_name(rc));
    }
    return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
