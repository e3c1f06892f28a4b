#include "tlog/tlog_proof.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tlog/merkle.h"
#include "tlog/text.h"

void tlog_proof_write(uint64_t index, const struct proof *path, struct bytes extra,
                      struct bytes note, struct buffer *buffer)
{
    buffer_put_bytes(buffer, bytes_text("c2sp.org/tlog-proof@v1\n"));
    if (extra.data != NULL) {
        buffer_put_bytes(buffer, bytes_text("extra "));
        buffer_put_base64(buffer, extra);
        buffer_put_u8(buffer, '\n');
    }
    buffer_print(buffer, "index %" PRIu64 "\n", index);
    for (size_t i = 0; i < path->count; i++) {
        buffer_put_base64(buffer, BYTES_OF(path->hashes[i]));
        buffer_put_u8(buffer, '\n');
    }
    buffer_put_u8(buffer, '\n');
    buffer_put_bytes(buffer, note);
}

/* Canonical base64 of any length: piece by piece, since only the last piece may be padded. */
static bool is_base64(struct bytes text)
{
    uint8_t piece[3 * 256];
    size_t size;

    while (text.size > 4 * 256) {
        if (base64_decode(BYTES(text.data, 4 * 256), piece, sizeof piece, &size) != RC_OK ||
            size != sizeof piece) {
            return false;
        }
        text = BYTES(text.data + 4 * 256, text.size - 4 * 256);
    }
    return base64_decode(text, piece, sizeof piece, &size) == RC_OK;
}

static enum rc parse_extra(struct bytes *rest, struct tlog_proof *proof)
{
    struct bytes line;

    proof->has_extra = text_word(rest, "extra ");
    if (!proof->has_extra) {
        return RC_OK;
    }
    if (!text_line(rest, &line) || line.size > TLOG_PROOF_EXTRA_MAX / 3 * 4 + 4 ||
        !is_base64(line)) {
        return RC_INVALID_ARGUMENT;
    }
    proof->extra_base64 = line;
    return RC_OK;
}

static enum rc parse_path(struct bytes *rest, struct proof *path)
{
    struct bytes line;

    path->count = 0;
    for (;;) {
        if (!text_line(rest, &line)) {
            return RC_INVALID_ARGUMENT;
        }
        if (line.size == 0) {
            return RC_OK;
        }
        if (path->count == TLOG_PROOF_HASHES_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        TRY(text_hash(line, path->hashes[path->count]));
        path->count++;
    }
}

enum rc tlog_proof_parse(struct bytes bytes, struct tlog_proof *proof)
{
    struct bytes line;

    proof->extra_base64 = (struct bytes){0};
    if (bytes.size > TLOG_PROOF_SIZE_MAX || !text_word(&bytes, "c2sp.org/tlog-proof@v1\n")) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(parse_extra(&bytes, proof));
    if (!text_word(&bytes, "index ") || !text_line(&bytes, &line)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(text_decimal(line, &proof->index));
    TRY(parse_path(&bytes, &proof->path));
    if (bytes.size == 0) {
        return RC_INVALID_ARGUMENT;
    }
    proof->note = bytes;
    return RC_OK;
}

enum rc tlog_proof_verify(struct bytes bytes, struct bytes entry, const struct vkey *log,
                          uint64_t *index, struct checkpoint *checkpoint, struct note *note)
{
    struct tlog_proof proof;
    struct checkpoint head;
    uint8_t leaf_hash[DIGEST_SIZE];

    TRY(tlog_proof_parse(bytes, &proof));
    TRY(checkpoint_open(proof.note, log, note, &head));
    merkle_leaf(entry, leaf_hash);
    TRY(proof_check_inclusion(leaf_hash, proof.index, head.size, &proof.path, head.root));
    *index = proof.index;
    *checkpoint = head;
    return RC_OK;
}
