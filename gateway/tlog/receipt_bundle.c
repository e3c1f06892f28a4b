#include "tlog/receipt_bundle.h"

#include <string.h>

#include "tlog/text.h"
#include "tlog/tlog_proof.h"

static enum rc take_base64(struct bytes *rest, const char *word, uint8_t *out, size_t size)
{
    struct bytes value;
    size_t decoded = 0;

    if (!text_word(rest, word) || !text_line(rest, &value)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(base64_decode(value, out, size, &decoded));
    return decoded == size ? RC_OK : RC_INVALID_ARGUMENT;
}

static bool is_id(struct bytes text)
{
    if (text.size != RECEIPT_BUNDLE_ID_SIZE - 1) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static enum rc take_id(struct bytes *rest, char out[RECEIPT_BUNDLE_ID_SIZE])
{
    struct bytes value;

    if (!text_word(rest, "message ") || !text_line(rest, &value) || !is_id(value)) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(out, value.data, value.size);
    out[value.size] = '\0';
    return RC_OK;
}

static enum rc take_item(struct bytes *rest, struct receipt_bundle_item *item)
{
    struct bytes line;
    uint64_t size;

    if (text_word(rest, "receipt R0 ")) {
        item->level = 0;
    } else if (text_word(rest, "receipt R1 ")) {
        item->level = 1;
    } else {
        return RC_INVALID_ARGUMENT;
    }
    if (!text_line(rest, &line)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(text_decimal(line, &size));
    TRY(take_base64(rest, "leaf ", item->leaf, LEAF_SIZE));
    if (size == 0 || size > TLOG_PROOF_SIZE_MAX || size > rest->size) {
        return RC_INVALID_ARGUMENT;
    }
    item->tlog_proof = BYTES(rest->data, size);
    *rest = BYTES(rest->data + size, rest->size - size);
    return RC_OK;
}

enum rc receipt_bundle_parse(struct bytes text, struct receipt_bundle *bundle)
{
    *bundle = (struct receipt_bundle){0};
    if (text.size > RECEIPT_BUNDLE_SIZE_MAX || !text_word(&text, "enlace-receipt v1\n")) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(take_id(&text, bundle->message_id));
    TRY(take_base64(&text, "commitment ", bundle->commitment, DIGEST_SIZE));
    do {
        if (bundle->count == RECEIPT_BUNDLE_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        TRY(take_item(&text, &bundle->items[bundle->count]));
        bundle->count++;
    } while (text.size > 0);
    return RC_OK;
}
