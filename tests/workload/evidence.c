#include "workload/evidence.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "client/receipt_check.h"
#include "client/receipt_file.h"
#include "tlog/vkey.h"

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

static enum rc read_text(const char *path, struct buffer *text)
{
    FILE *file = fopen(path, "re");
    uint8_t chunk[4096];
    size_t size;

    if (file == NULL) {
        return RC_NOT_FOUND;
    }
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0 && text->size < RECEIPT_FILE_SIZE_MAX) {
        buffer_put(text, chunk, size);
    }
    size = (size_t)ferror(file);
    fclose(file);
    return size == 0 && !text->is_failed ? RC_OK : RC_DATA_LOSS;
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

static enum rc read_one(struct evidence *evidence, const char *path)
{
    OWN(buffer) text = {0};
    struct receipt_file file = {.count = 0};
    struct proven proven = {.held = NULL};
    struct fault fault = {0};
    enum rc rc = read_text(path, &text);

    evidence->figures.files++;
    if (rc == RC_OK) {
        rc = receipt_file_parse(buffer_bytes(&text), &file);
    }
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
    DIR *folder = opendir(path);
    enum rc rc = RC_OK;

    if (folder == NULL) {
        return errno == ENOENT ? RC_OK : failed(RC_UNAVAILABLE, "evidence.folder", "path=%s", path);
    }
    for (struct dirent *entry; rc == RC_OK && (entry = readdir(folder)) != NULL;) {
        char file[1024];

        if (entry->d_name[0] != '.') {
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            rc = read_one(evidence, file);
        }
    }
    closedir(folder);
    return rc;
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
