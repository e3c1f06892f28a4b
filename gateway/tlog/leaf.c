#include "tlog/leaf.h"

#include <assert.h>
#include <string.h>

#define LAYOUT 1
#define LIMIT (UINT64_MAX >> 1)

static const uint8_t magic[4] = {'E', 'N', 'L', '1'};
static const uint8_t zeros[DIGEST_SIZE];

static bool is_sound(const struct leaf *leaf)
{
    if (leaf->class == LEAF_CONTROL && memcmp(leaf->message, zeros, DIGEST_SIZE) != 0) {
        return false;
    }
    return (leaf->class == LEAF_RECORD || leaf->class == LEAF_CONTROL) && leaf->time_s <= LIMIT &&
           leaf->index <= LIMIT;
}

void leaf_encode(const struct leaf *leaf, uint8_t out[LEAF_SIZE])
{
    assert(is_sound(leaf));
    memcpy(out, magic, sizeof magic);
    out[4] = (uint8_t)leaf->class;
    out[5] = 0;
    put_u16(out + 6, LAYOUT);
    put_u64(out + 8, leaf->time_s);
    put_u64(out + 16, leaf->index);
    memcpy(out + 24, leaf->message, DIGEST_SIZE);
    memcpy(out + 56, leaf->record, DIGEST_SIZE);
    memcpy(out + 88, leaf->nonce, LEAF_NONCE_SIZE);
    memcpy(out + 104, leaf->subject_tag, LEAF_TAG_SIZE);
    memcpy(out + 120, leaf->sender_tag, LEAF_TAG_SIZE);
    memcpy(out + 136, leaf->receiver_tag, LEAF_TAG_SIZE);
    memcpy(out + 152, leaf->actor_tag, LEAF_TAG_SIZE);
    memcpy(out + 168, leaf->seen, DIGEST_SIZE);
}

enum rc leaf_decode(struct bytes bytes, struct leaf *leaf)
{
    const uint8_t *at = bytes.data;
    struct leaf read;

    if (bytes.size != LEAF_SIZE || memcmp(at, magic, sizeof magic) != 0 || at[5] != 0 ||
        get_u16(at + 6) != LAYOUT) {
        return RC_INVALID_ARGUMENT;
    }
    read.class = (enum leaf_class)at[4];
    read.time_s = get_u64(at + 8);
    read.index = get_u64(at + 16);
    memcpy(read.message, at + 24, DIGEST_SIZE);
    memcpy(read.record, at + 56, DIGEST_SIZE);
    memcpy(read.nonce, at + 88, LEAF_NONCE_SIZE);
    memcpy(read.subject_tag, at + 104, LEAF_TAG_SIZE);
    memcpy(read.sender_tag, at + 120, LEAF_TAG_SIZE);
    memcpy(read.receiver_tag, at + 136, LEAF_TAG_SIZE);
    memcpy(read.actor_tag, at + 152, LEAF_TAG_SIZE);
    memcpy(read.seen, at + 168, DIGEST_SIZE);
    if (!is_sound(&read)) {
        return RC_INVALID_ARGUMENT;
    }
    *leaf = read;
    return RC_OK;
}
