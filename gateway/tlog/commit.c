#include "tlog/commit.h"

#include <assert.h>
#include <string.h>

/* Hashed with their terminating NUL: BYTES_OF takes the whole array. */
static const char part_label[] = "enlace/part/v1";
static const char message_label[] = "enlace/message/v1";
static const char leaf_label[] = "enlace/leaf/v1";
static const char record_label[] = "enlace/record/v1";
static const char order_label[] = "enlace/order/v1";
static const char official_label[] = "enlace/official/v1";
static const char duty_label[] = "enlace/duty/v1";

uint16_t commit_part_number(uint8_t subject, uint8_t type)
{
    assert(type != 0);
    return (uint16_t)(subject * 256 + type);
}

/* SHA-256(label ‖ blind ‖ u64 length ‖ content): parts and records differ in the label only. */
static void commit_blinded(struct bytes label, const uint8_t blind[COMMIT_BLIND_SIZE],
                           struct bytes content, uint8_t out[DIGEST_SIZE])
{
    uint8_t length[8];
    const struct bytes parts[] = {label, BYTES(blind, COMMIT_BLIND_SIZE), BYTES_OF(length),
                                  content};

    put_u64(length, content.size);
    digest_of(parts, 4, out);
}

void commit_part(const uint8_t blind[COMMIT_BLIND_SIZE], struct bytes part,
                 uint8_t out[DIGEST_SIZE])
{
    commit_blinded(BYTES_OF(part_label), blind, part, out);
}

void commit_record(const uint8_t blind[COMMIT_BLIND_SIZE], struct bytes record,
                   uint8_t out[DIGEST_SIZE])
{
    commit_blinded(BYTES_OF(record_label), blind, record, out);
}

static void commit_text(struct bytes label, struct bytes text, uint8_t out[DIGEST_SIZE])
{
    uint8_t length[8];
    const struct bytes parts[] = {label, BYTES_OF(length), text};

    put_u64(length, text.size);
    digest_of(parts, 3, out);
}

void commit_order(struct bytes order, uint8_t out[DIGEST_SIZE])
{
    commit_text(BYTES_OF(order_label), order, out);
}

void commit_official(struct bytes act, uint8_t out[DIGEST_SIZE])
{
    commit_text(BYTES_OF(official_label), act, out);
}

void commit_duty(struct bytes answer, uint8_t out[DIGEST_SIZE])
{
    commit_text(BYTES_OF(duty_label), answer, out);
}

static bool are_in_order(const struct commit_part *parts, size_t count)
{
    if (count == 0 || count > COMMIT_PARTS_MAX || parts[0].number != COMMIT_HEADER_PART) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (parts[i].number <= parts[i - 1].number || parts[i].number % 256 == 0) {
            return false;
        }
    }
    return true;
}

enum rc commit_message(const struct commit_part *parts, size_t count, uint8_t out[DIGEST_SIZE])
{
    uint8_t rows[2 + COMMIT_PARTS_MAX * (2 + DIGEST_SIZE)];
    uint8_t *at = rows + 2;

    if (!are_in_order(parts, count)) {
        return RC_INVALID_ARGUMENT;
    }
    put_u16(rows, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        put_u16(at, parts[i].number);
        memcpy(at + 2, parts[i].digest, DIGEST_SIZE);
        at += 2 + DIGEST_SIZE;
    }
    digest_of((const struct bytes[]){BYTES_OF(message_label), BYTES(rows, (size_t)(at - rows))}, 2,
              out);
    return RC_OK;
}

void commit_leaf(const char *origin, const uint8_t nonce[LEAF_NONCE_SIZE],
                 const uint8_t message[DIGEST_SIZE], uint8_t out[DIGEST_SIZE])
{
    struct bytes name = bytes_text(origin);
    uint8_t length[2];
    const struct bytes parts[] = {BYTES_OF(leaf_label), BYTES_OF(length), name,
                                  BYTES(nonce, LEAF_NONCE_SIZE), BYTES(message, DIGEST_SIZE)};

    assert(name.size <= UINT16_MAX);
    put_u16(length, (uint16_t)name.size);
    digest_of(parts, 5, out);
}

void commit_tag(const uint8_t key[COMMIT_KEY_SIZE], const uint8_t nonce[LEAF_NONCE_SIZE],
                enum commit_role role, uint8_t out[LEAF_TAG_SIZE])
{
    const uint8_t number = (uint8_t)role;
    const struct bytes parts[] = {BYTES(nonce, LEAF_NONCE_SIZE), BYTES(&number, 1)};
    uint8_t mac[DIGEST_SIZE];

    hmac_of(BYTES(key, COMMIT_KEY_SIZE), parts, 2, mac);
    memcpy(out, mac, LEAF_TAG_SIZE);
}
