#include "client/receipt_file.h"

#include <stdio.h>
#include <string.h>

#include "client/receipt_check.h"
#include "tlog/text.h"
#include "tlog/tlog_proof.h"

void receipt_file_write(const struct receipt_file *file, struct buffer *out)
{
    char id[ID_TEXT_SIZE];

    id_format(&file->message_id, id);
    buffer_print(out, "enlace-receipt v1\nmessage %s\ncommitment ", id);
    buffer_put_base64(out, BYTES(file->commitment, HASH_SIZE));
    buffer_put_u8(out, '\n');
    for (size_t i = 0; i < file->count; i++) {
        const struct receipt *receipt = &file->receipts[i];

        buffer_print(out, "receipt %s %zu\nleaf ", receipt_level_name(receipt->level),
                     receipt->tlog_proof.size);
        buffer_put_base64(out, receipt->leaf);
        buffer_put_u8(out, '\n');
        buffer_put_bytes(out, receipt->tlog_proof);
    }
}

static enum rc take_line(struct bytes *rest, const char *word, struct bytes *value)
{
    return text_word(rest, word) && text_line(rest, value) ? RC_OK : RC_INVALID_ARGUMENT;
}

static enum rc take_base64(struct bytes *rest, const char *word, uint8_t *out, size_t size)
{
    struct bytes value;
    size_t decoded = 0;

    TRY(take_line(rest, word, &value));
    TRY(base64_decode(value, out, size, &decoded));
    return decoded == size ? RC_OK : RC_INVALID_ARGUMENT;
}

static enum rc take_id(struct bytes *rest, struct id *id)
{
    char text[ID_TEXT_SIZE];
    struct bytes value;

    TRY(take_line(rest, "message ", &value));
    if (value.size != ID_TEXT_SIZE - 1) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    return id_parse(text, id);
}

static enum rc take_receipt(struct bytes *rest, struct receipt_file *file)
{
    struct receipt *receipt = &file->receipts[file->count];
    struct bytes value;
    struct bytes level;
    uint64_t size;

    TRY(take_line(rest, "receipt ", &value));
    if (!text_split(&value, ' ', &level)) {
        return RC_INVALID_ARGUMENT;
    }
    if (bytes_are_text(level, "R0")) {
        receipt->level = RECEIPT_HELD;
    } else if (bytes_are_text(level, "R1")) {
        receipt->level = RECEIPT_RECEIVED;
    } else {
        return RC_INVALID_ARGUMENT;
    }
    TRY(text_decimal(value, &size));
    TRY(take_base64(rest, "leaf ", file->leaves[file->count], LEAF_SIZE));
    receipt->leaf = BYTES(file->leaves[file->count], LEAF_SIZE);
    if (size == 0 || size > TLOG_PROOF_SIZE_MAX || size > rest->size) {
        return RC_INVALID_ARGUMENT;
    }
    receipt->tlog_proof = BYTES(rest->data, size);
    rest->data += size;
    rest->size -= size;
    file->count++;
    return RC_OK;
}

enum rc receipt_file_parse(struct bytes text, struct receipt_file *file)
{
    memset(file, 0, sizeof *file);
    if (text.size > RECEIPT_FILE_SIZE_MAX || !text_word(&text, "enlace-receipt v1\n")) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(take_id(&text, &file->message_id));
    TRY(take_base64(&text, "commitment ", file->commitment, HASH_SIZE));
    do {
        if (file->count == RECEIPT_FILE_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        TRY(take_receipt(&text, file));
    } while (text.size > 0);
    return RC_OK;
}
