/*
 * fake_log - for tests of offline: a log in memory that its owner may rewrite, its witnesses, and
 * folders exported from it.
 *
 * Leaves hold what real ones hold: commitments under fresh nonces, tags, times that grow. Witness 0
 * is of the log's own institution, 1 to 5 are foreign.
 */
#ifndef TESTS_OFFLINE_FAKE_LOG_H
#define TESTS_OFFLINE_FAKE_LOG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "offline/log_check.h"
#include "offline/log_folder.h"
#include "offline/report.h"
#include "tlog/commit.h"
#include "tlog/merkle.h"

#define FAKE_WITNESSES 6
#define FAKE_MAX 1200
#define FAKE_START UINT64_C(1795467167)
/* Seconds between two leaves. */
#define FAKE_STEP 30

struct fake_log {
    char origin[64];
    struct keyring *key;
    struct keyring *witness_keys[FAKE_WITNESSES];
    size_t size;
    uint8_t leaves[FAKE_MAX][LEAF_SIZE];
};

/* What a verifier holds, and what it found. */
struct fake_reader {
    struct trust trust;
    struct report report;
    struct checkpoint head;
};

static inline void fake_witness_name(unsigned i, char out[64])
{
    static const char *const houses[FAKE_WITNESSES] = {"gw.cdmx", "gw.ssc",   "gw.mpi",
                                                       "gw.fgj",  "gw.segob", "gw.sedesa"};

    snprintf(out, 64, "%s/witness", houses[i]);
}

/* The message that both sides of an exchange log at this index: M. */
static inline void fake_message(size_t index, uint8_t out[DIGEST_SIZE])
{
    char text[32];

    snprintf(text, sizeof text, "message %zu", index);
    digest_of(&(struct bytes){(const uint8_t *)text, strlen(text)}, 1, out);
}

/* r_A and the record; the blind is of this log alone. */
static inline struct bytes fake_record(const struct fake_log *log, size_t index, char out[96])
{
    uint8_t blind[DIGEST_SIZE];
    const struct bytes parts[] = {bytes_text(log->origin), BYTES(&index, sizeof index)};

    digest_of(parts, 2, blind);
    memcpy(out, blind, COMMIT_BLIND_SIZE);
    snprintf(out + COMMIT_BLIND_SIZE, 64, "record %zu", index);
    return BYTES(out, COMMIT_BLIND_SIZE + strlen(out + COMMIT_BLIND_SIZE));
}

static inline void fake_encode(struct fake_log *log, size_t index, uint64_t time_s)
{
    struct leaf leaf = {.class = LEAF_RECORD, .time_s = time_s, .index = index};
    uint8_t key[COMMIT_KEY_SIZE];
    uint8_t message[DIGEST_SIZE];
    char text[96];
    struct bytes record = fake_record(log, index, text);

    random_fill(leaf.nonce, sizeof leaf.nonce);
    random_fill(key, sizeof key);
    fake_message(index, message);
    commit_leaf(log->origin, leaf.nonce, message, leaf.message);
    commit_record(record.data,
                  BYTES(record.data + COMMIT_BLIND_SIZE, record.size - COMMIT_BLIND_SIZE),
                  leaf.record);
    commit_tag(key, leaf.nonce, COMMIT_SUBJECT, leaf.subject_tag);
    commit_tag(key, leaf.nonce, COMMIT_SENDER, leaf.sender_tag);
    commit_tag(key, leaf.nonce, COMMIT_RECEIVER, leaf.receiver_tag);
    leaf_encode(&leaf, log->leaves[index]);
}

static inline void fake_grow(struct fake_log *log, size_t count)
{
    for (; count > 0; count--, log->size++) {
        fake_encode(log, log->size, FAKE_START + log->size * FAKE_STEP);
    }
}

static inline struct fake_log *fake_new(const char *origin, uint8_t seed_byte, size_t size)
{
    struct fake_log *log = calloc(1, sizeof *log);
    uint8_t seed[ED25519_SEED_SIZE] = {seed_byte, 1};

    snprintf(log->origin, sizeof log->origin, "%s", origin);
    log->key = keyring_from_seed(seed);
    for (unsigned i = 0; i < FAKE_WITNESSES; i++) {
        seed[0] = (uint8_t)i;
        seed[1] = 2;
        log->witness_keys[i] = keyring_from_seed(seed);
    }
    fake_grow(log, size);
    return log;
}

static inline void fake_free(struct fake_log *log)
{
    keyring_free(log->key);
    for (unsigned i = 0; i < FAKE_WITNESSES; i++) {
        keyring_free(log->witness_keys[i]);
    }
    free(log);
}

static inline void fake_root(const struct fake_log *log, size_t size, uint8_t out[DIGEST_SIZE])
{
    uint8_t(*hashes)[DIGEST_SIZE] = calloc(size + 1, DIGEST_SIZE);

    for (size_t i = 0; i < size; i++) {
        merkle_leaf(BYTES_OF(log->leaves[i]), hashes[i]);
    }
    merkle_root((const uint8_t(*)[DIGEST_SIZE])hashes, size, out);
    free(hashes);
}

/* By the witnesses in "1234", at that time; appended. */
static inline void fake_cosign(const struct fake_log *log, const char *by, uint64_t time_s,
                               struct buffer *note)
{
    struct note parsed;
    OWN(buffer) text = {0};
    char name[64];

    assert_int_equal(note_parse(buffer_bytes(note), &parsed), RC_OK);
    buffer_put_bytes(&text, parsed.text);
    for (; *by != '\0'; by++) {
        unsigned i = (unsigned)(*by - '0');

        fake_witness_name(i, name);
        assert_int_equal(
            checkpoint_cosign(buffer_bytes(&text), name, log->witness_keys[i], time_s, note),
            RC_OK);
    }
}

/* The honest time of a checkpoint of that size: just after its last leaf. */
static inline uint64_t fake_time(size_t size)
{
    return FAKE_START + size * FAKE_STEP;
}

static inline void fake_note(const struct fake_log *log, size_t size, const char *by,
                             struct buffer *note)
{
    struct checkpoint head = {.size = size};

    snprintf(head.origin, sizeof head.origin, "%s", log->origin);
    fake_root(log, size, head.root);
    buffer_clear(note);
    assert_int_equal(checkpoint_sign(&head, log->key, note), RC_OK);
    fake_cosign(log, by, fake_time(size), note);
}

static inline void fake_vkey(const struct fake_log *log, struct vkey *vkey)
{
    assert_int_equal(vkey_of(log->origin, VKEY_ED25519, log->key, vkey), RC_OK);
}

/* Up to `size`, into a new folder or one from before; by the witnesses in `by`. */
static inline enum rc fake_export(const struct fake_log *log, const char *path, size_t size,
                                  const char *by, bool has_entries, struct fault *fault)
{
    struct vkey vkey;
    struct log_folder_options options = {.path = path,
                                         .logs = &vkey,
                                         .log_count = 1,
                                         .has_entries = has_entries,
                                         .has_records = has_entries};
    OWN_PTR(log_folder) folder = NULL;
    OWN(buffer) note = {0};

    fake_vkey(log, &vkey);
    TRY(log_folder_open(&options, &folder, fault));
    for (size_t i = log_folder_size(folder); i < size; i++) {
        char text[96];

        TRY(log_folder_add(folder, BYTES_OF(log->leaves[i]), fake_record(log, i, text), fault));
    }
    fake_note(log, size, by, &note);
    return log_folder_finish(folder, buffer_bytes(&note), fault);
}

/* "group g K b c d e f": k of the five foreign ones. */
static inline void fake_policy(const struct fake_log *log, unsigned k, struct buffer *text)
{
    char vkey_text[VKEY_TEXT_SIZE];
    char name[64];
    struct vkey vkey;

    fake_vkey(log, &vkey);
    vkey_format(&vkey, vkey_text);
    buffer_print(text, "log %s\n", vkey_text);
    for (unsigned i = 0; i < FAKE_WITNESSES; i++) {
        fake_witness_name(i, name);
        assert_int_equal(vkey_of(name, VKEY_COSIGNATURE, log->witness_keys[i], &vkey), RC_OK);
        vkey_format(&vkey, vkey_text);
        buffer_print(text, "witness w%u %s\n", i, vkey_text);
    }
    buffer_print(text, "group g %u w0 w1 w2 w3 w4 w5\nquorum g\n", k);
}

/* A reader who knows the log's key; with k > 0 also a policy of k foreign witnesses. */
static inline struct fake_reader *fake_reader_new(const struct fake_log *log, unsigned k)
{
    struct fake_reader *reader = calloc(1, sizeof *reader);
    OWN(buffer) text = {0};

    reader->report.what = "log";
    reader->trust.tolerance_s = TRUST_TOLERANCE_S;
    reader->trust.now_s = fake_time(FAKE_MAX);
    if (k > 0) {
        fake_policy(log, k, &text);
        assert_int_equal(trust_set_policy(&reader->trust, buffer_bytes(&text), NULL), RC_OK);
    } else {
        fake_vkey(log, &reader->trust.logs[reader->trust.log_count++]);
    }
    return reader;
}

/* Reads the folder anew; true when all of it verifies. */
static inline bool fake_reads(struct fake_reader *reader, const char *path, const char *remembered)
{
    struct log_check check = {.path = path,
                              .trust = &reader->trust,
                              .remembered = &remembered,
                              .remembered_count = remembered != NULL ? 1 : 0};

    reader->report.fact_count = 0;
    reader->report.finding_count = 0;
    reader->report.bad_total = 0;
    reader->report.warning_total = 0;
    log_check_run(&check, &reader->head, &reader->report);
    return reader->report.bad_total == 0;
}

/* Everything that was found bad has this code: without that check it would have gone unseen. */
static inline bool fake_only(const struct fake_reader *reader, const char *check)
{
    bool is_found = false;

    for (size_t i = 0; i < reader->report.finding_count; i++) {
        const struct report_finding *finding = &reader->report.findings[i];

        if (!finding->is_warning && strcmp(finding->check, check) != 0) {
            printf("also found: %s at %s\n", finding->check, finding->where);
            return false;
        }
        is_found = is_found || !finding->is_warning;
    }
    return is_found;
}

#endif
