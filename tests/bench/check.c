/*
 * check - do the receipts that load kept hold, after the node was killed and started again?
 *
 *     check select PAYLOAD KEPT > PAYLOAD     the submissions whose receipts were kept
 *     check verify PAYLOAD KEPT AGAIN VKEY    each was answered again with the same bytes, and
 *                                             proves its message offline under this log's key
 *
 * Files: load.c. Prints how many; status 1 names the first that does not hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "client/receipt_check.h"
#include "rpc/codec.h"

struct kept {
    struct id id;
    struct bytes receipt; /* as the node packed it */
};

struct kepts {
    struct kept *rows; /* ascending by id */
    size_t count;
};

static _Noreturn void give_up(const char *what, const char *which)
{
    fprintf(stderr, "check: %s: %s\n", which, what);
    exit(1);
}

static struct bytes read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    char *text = NULL;

    if (file != NULL && fstat(fileno(file), &status) == 0) {
        text = malloc((size_t)status.st_size + 1);
    }
    if (text == NULL || fread(text, 1, (size_t)status.st_size, file) != (size_t)status.st_size) {
        give_up("cannot be read", path);
    }
    fclose(file);
    return BYTES(text, status.st_size);
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct kept *)a)->id.bytes, ((const struct kept *)b)->id.bytes, ID_SIZE);
}

static struct kepts read_kept(const char *path)
{
    struct reader reader = {.rest = read_file(path)};
    size_t capacity = 0;
    struct kepts kepts = {0};

    while (reader.rest.size > 0 && !reader.is_failed) {
        struct kept row = {0};

        if (kepts.count == capacity) {
            capacity = 2 * capacity + 1024;
            kepts.rows = realloc(kepts.rows, capacity * sizeof *kepts.rows);
            if (kepts.rows == NULL) {
                give_up("out of memory", path);
            }
        }
        reader_copy(&reader, row.id.bytes, ID_SIZE);
        row.receipt = reader_chunk(&reader);
        kepts.rows[kepts.count++] = row;
    }
    if (reader.is_failed || kepts.count == 0) {
        give_up("holds no receipts", path);
    }
    qsort(kepts.rows, kepts.count, sizeof *kepts.rows, by_id);
    return kepts;
}

static const struct kept *find(const struct kepts *kepts, const struct id *id)
{
    const struct kept wanted = {.id = *id};

    return bsearch(&wanted, kepts->rows, kepts->count, sizeof *kepts->rows, by_id);
}

static void must_hold(bool holds, const struct id *id, const char *what)
{
    char text[ID_TEXT_SIZE];

    if (!holds) {
        id_format(id, text);
        give_up(what, text);
    }
}

/* A Receipt is a SubmitResponse's only field: wrapped so, the codec reads it. */
static enum rc read_receipt(struct bytes packed, struct arena *arena, struct receipt *receipt)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};
    size_t size = packed.size;
    struct bytes copy;
    bool is_erased;

    buffer_put_u8(&response, 1 << 3 | 2);
    for (; size >= 0x80; size >>= 7) {
        buffer_put_u8(&response, (uint8_t)(size | 0x80));
    }
    buffer_put_u8(&response, (uint8_t)size);
    buffer_put_bytes(&response, packed);
    copy = arena_copy(arena, buffer_bytes(&response));
    return copy.data != NULL ? codec_submit_response_read(copy, arena, receipt, &is_erased, &fault)
                             : RC_RESOURCE_EXHAUSTED;
}

static void verify_one(const struct submission *submission, const struct kept *kept,
                       const struct kept *again, const struct vkey *log, struct arena *arena)
{
    const struct id *id = &submission->message.header.message_id;
    struct receipt receipt = {0};
    struct fault fault = {0};
    uint8_t commitment[HASH_SIZE];

    must_hold(again != NULL, id, "was acknowledged, and was not answered after the restart");
    must_hold(bytes_equal(kept->receipt, again->receipt), id, "its receipt is another one now");
    must_hold(read_receipt(kept->receipt, arena, &receipt) == RC_OK, id, "no receipt");
    must_hold(receipt_commitment(&submission->message, commitment) == RC_OK, id, "no message");
    must_hold(receipt.level == RECEIPT_HELD &&
                  receipt_check(commitment, &receipt, log, 1, NULL, &fault) == RC_OK,
              id, fault.rc != RC_OK ? fault.reason : "another kind of receipt");
}

/* Calls for each submission of the payload whose receipt was kept. Returns how many there were. */
static size_t walk(const char *payload, const struct kepts *kepts, const struct kepts *again,
                   const struct vkey *log)
{
    struct reader reader = {.rest = read_file(payload)};
    struct arena *arena = arena_new((size_t)4 << 20);
    struct submission *submission;
    size_t count = 0;

    while (reader.rest.size > 0 && !reader.is_failed) {
        struct bytes body = reader_chunk(&reader);
        struct fault fault = {0};
        const struct kept *kept;

        arena_reset(arena);
        submission = arena_alloc(arena, sizeof *submission);
        if (submission == NULL || codec_submit_read(body, arena, submission, &fault) != RC_OK) {
            give_up("is no payload", payload);
        }
        kept = find(kepts, &submission->message.header.message_id);
        if (kept != NULL && log != NULL) {
            verify_one(submission, kept, find(again, &kept->id), log, arena);
        } else if (kept != NULL) {
            uint8_t length[4];

            put_u32(length, (uint32_t)body.size);
            fwrite(length, sizeof length, 1, stdout);
            fwrite(body.data, body.size, 1, stdout);
        }
        count += kept != NULL;
    }
    arena_free(arena);
    return count;
}

int main(int argc, char **argv)
{
    struct kepts again = {0};
    struct kepts kepts;
    struct vkey log;

    if (argc == 4 && strcmp(argv[1], "select") == 0) {
        kepts = read_kept(argv[3]);
        return walk(argv[2], &kepts, NULL, NULL) == kepts.count && fclose(stdout) == 0 ? 0 : 1;
    }
    if (argc != 6 || strcmp(argv[1], "verify") != 0 ||
        vkey_parse(bytes_text(argv[5]), &log) != RC_OK) {
        fputs("usage: check select PAYLOAD KEPT | check verify PAYLOAD KEPT AGAIN VKEY\n", stderr);
        return 2;
    }
    kepts = read_kept(argv[3]);
    again = read_kept(argv[4]);
    if (walk(argv[2], &kepts, &again, &log) != kepts.count) {
        give_up("receipts of messages that were never sent", argv[3]);
    }
    printf("%zu\n", kepts.count);
    return 0;
}
