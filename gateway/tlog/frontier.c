#include "tlog/frontier.h"

#include <assert.h>
#include <string.h>

#include "tlog/merkle.h"

static bool has_edge(const struct frontier *frontier, unsigned level)
{
    return (frontier->size >> level & 1) != 0;
}

void frontier_append(struct frontier *frontier, const uint8_t leaf_hash[DIGEST_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    unsigned level = 0;

    assert(frontier->size < FRONTIER_SIZE_MAX);
    memcpy(hash, leaf_hash, DIGEST_SIZE);
    for (; has_edge(frontier, level); level++) {
        merkle_node(frontier->edge[level], hash, hash);
    }
    memcpy(frontier->edge[level], hash, DIGEST_SIZE);
    frontier->size++;
}

void frontier_root(const struct frontier *frontier, uint8_t out[DIGEST_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    bool is_started = false;

    merkle_empty(hash);
    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        if (!has_edge(frontier, level)) {
            continue;
        }
        if (is_started) {
            merkle_node(frontier->edge[level], hash, hash);
        } else {
            memcpy(hash, frontier->edge[level], DIGEST_SIZE);
            is_started = true;
        }
    }
    memcpy(out, hash, DIGEST_SIZE);
}

void frontier_write(const struct frontier *frontier, struct buffer *buffer)
{
    buffer_put_u64(buffer, frontier->size);
    for (unsigned level = FRONTIER_LEVELS; level-- > 0;) {
        if (has_edge(frontier, level)) {
            buffer_put(buffer, frontier->edge[level], DIGEST_SIZE);
        }
    }
}

enum rc frontier_read(struct reader *reader, struct frontier *frontier)
{
    struct frontier read = {.size = reader_u64(reader)};

    if (read.size > FRONTIER_SIZE_MAX) {
        return RC_DATA_LOSS;
    }
    for (unsigned level = FRONTIER_LEVELS; level-- > 0;) {
        if (has_edge(&read, level)) {
            reader_copy(reader, read.edge[level], DIGEST_SIZE);
        }
    }
    if (reader->is_failed) {
        return RC_DATA_LOSS;
    }
    *frontier = read;
    return RC_OK;
}
