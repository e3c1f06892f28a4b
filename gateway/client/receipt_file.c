#include "client/receipt_file.h"

#include <stdio.h>
#include <string.h>

#include "client/receipt_check.h"

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

enum rc receipt_file_parse(struct bytes text, struct receipt_file *file)
{
    struct receipt_bundle bundle;

    memset(file, 0, sizeof *file);
    TRY(receipt_bundle_parse(text, &bundle));
    TRY(id_parse(bundle.message_id, &file->message_id));
    memcpy(file->commitment, bundle.commitment, HASH_SIZE);
    for (; file->count < bundle.count; file->count++) {
        const struct receipt_bundle_item *item = &bundle.items[file->count];

        memcpy(file->leaves[file->count], item->leaf, LEAF_SIZE);
        file->receipts[file->count] = (struct receipt){
            .level = item->level == 0 ? RECEIPT_HELD : RECEIPT_RECEIVED,
            .leaf = BYTES(file->leaves[file->count], LEAF_SIZE),
            .tlog_proof = item->tlog_proof,
        };
    }
    return RC_OK;
}
