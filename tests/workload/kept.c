#include "workload/kept.h"

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

struct kept {
    const struct directory *directory;
    struct vkey logs[LOGS_MAX];
    const char *nodes[LOGS_MAX]; /* of the same index */
    size_t log_count;
    struct proven *items;
    size_t count;
    size_t capacity;
    struct kept_figures figures;
};

struct kept *kept_new(const struct directory *directory)
{
    struct kept *kept = calloc(1, sizeof *kept);

    if (kept == NULL) {
        return NULL;
    }
    kept->directory = directory;
    for (size_t i = 0; i < directory->node_count && kept->log_count < LOGS_MAX; i++) {
        const struct node_entry *node = &directory->nodes[i];

        if (vkey_parse(bytes_text(node->log_vkey), &kept->logs[kept->log_count]) == RC_OK) {
            kept->nodes[kept->log_count++] = node->code;
        }
    }
    return kept;
}

void kept_free(struct kept *kept)
{
    if (kept != NULL) {
        free(kept->items);
        free(kept);
    }
}

static const char *node_of_origin(const struct kept *kept, const char *origin)
{
    for (size_t i = 0; i < kept->log_count; i++) {
        if (strcmp(kept->logs[i].name, origin) == 0) {
            return kept->nodes[i];
        }
    }
    return NULL;
}

/* All of them must verify. */
static enum rc verify_file(const struct kept *kept, const struct receipt_file *file,
                           struct proven *proven, struct fault *fault)
{
    memcpy(proven->commitment, file->commitment, HASH_SIZE);
    for (size_t i = 0; i < file->count; i++) {
        const struct receipt *receipt = &file->receipts[i];
        struct receipt_facts facts;

        TRY(receipt_check(file->commitment, receipt, kept->logs, kept->log_count, &facts, fault));
        for (size_t k = 0; k < i; k++) {
            /* A leaf does not say its level: one leaf must not pass for two. */
            if (bytes_equal(receipt->leaf, file->receipts[k].leaf)) {
                return refuse(fault, RC_DATA_LOSS, "receipt.twice", "", "Es dos veces la misma.");
            }
        }
        if (receipt->level == RECEIPT_HELD) {
            proven->held = node_of_origin(kept, facts.origin);
        } else {
            proven->received = node_of_origin(kept, facts.origin);
        }
    }
    return RC_OK;
}

static enum rc grow(struct kept *kept)
{
    size_t capacity = kept->capacity == 0 ? 4096 : kept->capacity * 2;
    struct proven *items;

    if (kept->count < kept->capacity) {
        return RC_OK;
    }
    items = realloc(kept->items, capacity * sizeof *items);
    if (items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    kept->items = items;
    kept->capacity = capacity;
    return RC_OK;
}

struct kept_walk {
    struct folder_user user; /* first */
    struct kept *kept;
};

static enum rc read_one(struct folder_user *user, const char *path, struct bytes content)
{
    struct kept *kept = ((struct kept_walk *)user)->kept;
    struct receipt_file file = {.count = 0};
    struct proven proven = {.held = NULL};
    struct fault fault = {0};
    enum rc rc = receipt_file_parse(content, &file);

    kept->figures.files++;
    if (rc == RC_OK) {
        rc = verify_file(kept, &file, &proven, &fault);
    }
    if (rc != RC_OK) {
        kept->figures.bad++;
        log_error("kept.unproven", "file=%s reason=%s", path,
                  fault.reason[0] != '\0' ? fault.reason : rc_name(rc));
        return RC_OK;
    }
    kept->figures.receipts += file.count;
    TRY(grow(kept));
    kept->items[kept->count++] = proven;
    return RC_OK;
}

enum rc kept_read_folder(struct kept *kept, const char *path)
{
    struct kept_walk walk = {{read_one}, kept};

    return folder_walk(path, &walk.user);
}

static int compare_proven(const void *a, const void *b)
{
    return memcmp(((const struct proven *)a)->commitment, ((const struct proven *)b)->commitment,
                  HASH_SIZE);
}

void kept_end(struct kept *kept)
{
    if (kept->count > 0) {
        qsort(kept->items, kept->count, sizeof *kept->items, compare_proven);
    }
}

/* The first of those with this M; the array is sorted. */
static size_t first_of(const struct kept *kept, const uint8_t commitment[HASH_SIZE])
{
    size_t low = 0;
    size_t high = kept->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(kept->items[middle].commitment, commitment, HASH_SIZE) < 0) {
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

bool kept_is_whole(const struct kept *kept, const uint8_t commitment[HASH_SIZE],
                   const char *sender_node, const char *receiver_node)
{
    bool sender_kept = false;
    bool receiver_kept = false;

    for (size_t i = first_of(kept, commitment);
         i < kept->count && memcmp(kept->items[i].commitment, commitment, HASH_SIZE) == 0; i++) {
        const struct proven *proven = &kept->items[i];

        if (!is_node(proven->held, sender_node)) {
            continue;
        }
        sender_kept = sender_kept || proven->received == NULL;
        receiver_kept = receiver_kept || is_node(proven->received, receiver_node);
    }
    return sender_kept && receiver_kept;
}

struct kept_figures kept_figures(const struct kept *kept)
{
    return kept->figures;
}
