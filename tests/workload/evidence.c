#include "workload/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "client/receipt_check.h"
#include "client/receipt_file.h"
#include "tlog/vkey.h"
#include "workload/folder.h"

#define LOGS_MAX 256

/* One file's content, once each receipt in it has been verified. */
struct proven {
    uint8_t commitment[HASH_SIZE];
    const char *held;     /* the node whose log gave R0; NULL: none */
    const char *received; /* R1 */
};

struct evidence {
    const struct directory *directory;
    struct vkey logs[LOGS_MAX];
    const char *nodes[LOGS_MAX]; /* of the same index */
    size_t log_count;
    struct proven *items;
    size_t count;
    size_t capacity;
    struct evidence_figures figures;
};

struct evidence *evidence_new(const struct directory *directory)
{
    struct evidence *evidence = calloc(1, sizeof *evidence);

    if (evidence == NULL) {
        return NULL;
    }
    evidence->directory = directory;
    for (size_t i = 0; i < directory->node_count && evidence->log_count < LOGS_MAX; i++) {
        const struct node_entry *node = &directory->nodes[i];

        if (vkey_parse(bytes_text(node->log_vkey), &evidence->logs[evidence->log_count]) == RC_OK) {
            evidence->nodes[evidence->log_count++] = node->code;
        }
    }
    return evidence;
}

void evidence_free(struct evidence *evidence)
{
    if (evidence != NULL) {
        free(evidence->items);
        free(evidence);
    }
}

static const char *node_of_origin(const struct evidence *evidence, const char *origin)
{
    for (size_t i = 0; i < evidence->log_count; i++) {
        if (strcmp(evidence->logs[i].name, origin) == 0) {
            return evidence->nodes[i];
        }
    }
    return NULL;
}

/* All of them must verify. */
static enum rc verify_file(const struct evidence *evidence, const struct receipt_file *file,
                           struct proven *proven, struct fault *fault)
{
    memcpy(proven->commitment, file->commitment, HASH_SIZE);
    for (size_t i = 0; i < file->count; i++) {
        const struct receipt *receipt = &file->receipts[i];
        struct receipt_facts facts;

        TRY(receipt_check(file->commitment, receipt, evidence->logs, evidence->log_count, &facts,
                          fault));
        if (receipt->level == RECEIPT_HELD) {
            proven->held = node_of_origin(evidence, facts.origin);
        } else {
            proven->received = node_of_origin(evidence, facts.origin);
        }
    }
    return RC_OK;
}

static enum rc grow(struct evidence *evidence)
{
    size_t capacity = evidence->capacity == 0 ? 4096 : evidence->capacity * 2;
    struct proven *items;

    if (evidence->count < evidence->capacity) {
        return RC_OK;
    }
    items = realloc(evidence->items, capacity * sizeof *items);
    if (items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    evidence->items = items;
    evidence->capacity = capacity;
    return RC_OK;
}

struct evidence_walk {
    struct folder_user user; /* first */
    struct evidence *evidence;
};

static enum rc read_one(struct folder_user *user, const char *path, struct bytes content)
{
    struct evidence *evidence = ((struct evidence_walk *)user)->evidence;
    struct receipt_file file = {.count = 0};
    struct proven proven = {.held = NULL};
    struct fault fault = {0};
    enum rc rc = receipt_file_parse(content, &file);

    evidence->figures.files++;
    if (rc == RC_OK) {
        rc = verify_file(evidence, &file, &proven, &fault);
    }
    if (rc != RC_OK) {
        evidence->figures.bad++;
        log_error("evidence.unproven", "file=%s reason=%s", path,
                  fault.reason[0] != '\0' ? fault.reason : rc_name(rc));
        return RC_OK;
    }
    evidence->figures.receipts += file.count;
    TRY(grow(evidence));
    evidence->items[evidence->count++] = proven;
    return RC_OK;
}

enum rc evidence_read_folder(struct evidence *evidence, const char *path)
{
    struct evidence_walk walk = {{read_one}, evidence};

    return folder_walk(path, &walk.user);
}

static int compare_proven(const void *a, const void *b)
{
    return memcmp(((const struct proven *)a)->commitment, ((const struct proven *)b)->commitment,
                  HASH_SIZE);
}

void evidence_end(struct evidence *evidence)
{
    if (evidence->count > 0) {
        qsort(evidence->items, evidence->count, sizeof *evidence->items, compare_proven);
    }
}

/* The first of those with this M; the array is sorted. */
static size_t first_of(const struct evidence *evidence, const uint8_t commitment[HASH_SIZE])
{
    size_t low = 0;
    size_t high = evidence->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(evidence->items[middle].commitment, commitment, HASH_SIZE) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_node(const char *node, const char *wanted)
{
    return node != NULL && strcmp(node, wanted) == 0;
}

bool evidence_is_whole(const struct evidence *evidence, const uint8_t commitment[HASH_SIZE],
                       const char *sender_node, const char *receiver_node)
{
    bool sender_kept = false;
    bool receiver_kept = false;

    for (size_t i = first_of(evidence, commitment);
         i < evidence->count && memcmp(evidence->items[i].commitment, commitment, HASH_SIZE) == 0;
         i++) {
        const struct proven *proven = &evidence->items[i];

        if (!is_node(proven->held, sender_node)) {
            continue;
        }
        sender_kept = sender_kept || proven->received == NULL;
        receiver_kept = receiver_kept || is_node(proven->received, receiver_node);
    }
    return sender_kept && receiver_kept;
}

struct evidence_figures evidence_figures(const struct evidence *evidence)
{
    return evidence->figures;
}
