#include "tlog/add_checkpoint.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/merkle.h"
#include "tlog/text.h"

static enum rc parse_proof(struct bytes *rest, struct proof *proof)
{
    struct bytes line;

    proof->count = 0;
    for (;;) {
        if (!text_line(rest, &line)) {
            return RC_INVALID_ARGUMENT;
        }
        if (line.size == 0) {
            return RC_OK;
        }
        if (proof->count == ADD_CHECKPOINT_HASHES_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        TRY(text_hash(line, proof->hashes[proof->count]));
        proof->count++;
    }
}

enum rc add_checkpoint_parse(struct bytes body, struct add_checkpoint *request)
{
    struct bytes line;

    if (body.size > ADD_CHECKPOINT_SIZE_MAX || !text_word(&body, "old ") ||
        !text_line(&body, &line)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(text_decimal(line, &request->old_size));
    TRY(parse_proof(&body, &request->proof));
    if (body.size == 0 || body.size > ADD_CHECKPOINT_NOTE_MAX ||
        (request->old_size == 0 && request->proof.count > 0)) {
        return RC_INVALID_ARGUMENT;
    }
    request->note = body;
    return RC_OK;
}

void add_checkpoint_write(uint64_t old_size, const struct proof *proof, struct bytes note,
                          struct buffer *body)
{
    buffer_print(body, "old %" PRIu64 "\n", old_size);
    for (size_t i = 0; i < proof->count; i++) {
        buffer_put_base64(body, BYTES_OF(proof->hashes[i]));
        buffer_put_u8(body, '\n');
    }
    buffer_put_u8(body, '\n');
    buffer_put_bytes(body, note);
}

enum witness_status add_checkpoint_open(const struct add_checkpoint *request,
                                        const struct vkey *logs, size_t log_count,
                                        struct note *note, struct checkpoint *offered)
{
    enum witness_status status = WITNESS_UNKNOWN_LOG;

    if (note_parse(request->note, note) != RC_OK ||
        checkpoint_parse_text(note->text, offered) != RC_OK) {
        return WITNESS_MALFORMED;
    }
    for (size_t i = 0; i < log_count && status != WITNESS_COSIGNED; i++) {
        if (logs[i].type == VKEY_ED25519 && strcmp(logs[i].name, offered->origin) == 0) {
            status = note_verify(note, &logs[i]) == RC_OK ? WITNESS_COSIGNED : WITNESS_UNSIGNED;
        }
    }
    if (status == WITNESS_COSIGNED && request->old_size > offered->size) {
        return WITNESS_MALFORMED;
    }
    return status;
}

enum witness_status add_checkpoint_judge(const struct add_checkpoint *request,
                                         const struct checkpoint *offered, uint64_t last_size,
                                         const uint8_t last_root[DIGEST_SIZE])
{
    if (request->old_size != last_size) {
        return WITNESS_CONFLICT;
    }
    return proof_check_consistency(last_size, last_root, offered->size, offered->root,
                                   &request->proof) == RC_OK
               ? WITNESS_COSIGNED
               : WITNESS_UNPROVEN;
}

void add_checkpoint_put_size(uint64_t size, struct buffer *answer)
{
    buffer_print(answer, "%" PRIu64 "\n", size);
}

enum rc add_checkpoint_take_size(struct bytes answer, uint64_t *size)
{
    struct bytes line;

    if (!text_line(&answer, &line) || answer.size != 0) {
        return RC_INVALID_ARGUMENT;
    }
    return text_decimal(line, size);
}

/* The line of this witness with this time: note_verify has seen that all of them are good. */
static enum rc put_line_of(const struct note *note, const struct vkey *witness, uint64_t time_s,
                           struct buffer *line)
{
    uint8_t payload[8 + ED25519_SIGNATURE_SIZE];

    for (size_t i = 0; i < note->count; i++) {
        if (note_line_is_of(&note->lines[i], witness) &&
            note_line_payload(&note->lines[i], payload, sizeof payload) == RC_OK &&
            get_u64(payload) == time_s) {
            note_put_line(witness, BYTES_OF(payload), line);
            return line->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
        }
    }
    return RC_NOT_FOUND;
}

enum rc add_checkpoint_take_line(struct bytes answer, struct bytes text, const struct vkey *witness,
                                 struct buffer *line, uint64_t *time_s)
{
    OWN(buffer) whole = {0};
    struct note note;

    if (answer.size > ADD_CHECKPOINT_ANSWER_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    buffer_put_bytes(&whole, text);
    buffer_put_u8(&whole, '\n');
    buffer_put_bytes(&whole, answer);
    if (whole.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(note_parse(buffer_bytes(&whole), &note));
    if (!bytes_equal(note.text, text)) {
        return RC_INVALID_ARGUMENT; /* an empty line in the answer moved the text's end */
    }
    TRY(checkpoint_cosigned(&note, witness, time_s));
    return put_line_of(&note, witness, *time_s, line);
}

enum witness_resource add_checkpoint_path(struct bytes path, uint8_t origin_sha256[DIGEST_SIZE])
{
    char hex[2 * DIGEST_SIZE + 1];

    if (bytes_are_text(path, "/add-checkpoint")) {
        return WITNESS_ADD;
    }
    if (path.size != 1 + 2 * DIGEST_SIZE + sizeof "/checkpoint" - 1 || !text_word(&path, "/")) {
        return WITNESS_NOTHING;
    }
    memcpy(hex, path.data, 2 * DIGEST_SIZE);
    hex[2 * DIGEST_SIZE] = '\0';
    path = BYTES(path.data + 2 * DIGEST_SIZE, path.size - 2 * DIGEST_SIZE);
    return bytes_are_text(path, "/checkpoint") &&
                   hex_decode(hex, origin_sha256, DIGEST_SIZE) == RC_OK
               ? WITNESS_MONITOR
               : WITNESS_NOTHING;
}

bool witness_host_is_loopback(const char *host)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, host, &four) == 1) {
        return ntohl(four.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* "127.0.0.1" or "[::1]"; host takes what stands between. */
static enum rc take_host(struct bytes *rest, struct witness_url *url)
{
    bool is_six = text_word(rest, "[");
    size_t size = 0;

    while (size < rest->size && rest->data[size] != (is_six ? ']' : ':') &&
           rest->data[size] != '/') {
        size++;
    }
    if (size == 0 || size >= sizeof url->host || memchr(rest->data, 0, size) != NULL) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(url->host, rest->data, size);
    url->host[size] = '\0';
    *rest = BYTES(rest->data + size, rest->size - size);
    return !is_six || text_word(rest, "]") ? RC_OK : RC_INVALID_ARGUMENT;
}

static enum rc take_port(struct bytes *rest, struct witness_url *url)
{
    uint64_t port = 80;
    size_t size = 0;

    if (text_word(rest, ":")) {
        while (size < rest->size && rest->data[size] != '/') {
            size++;
        }
        TRY(text_decimal(BYTES(rest->data, size), &port));
        *rest = BYTES(rest->data + size, rest->size - size);
    }
    if (port == 0 || port > UINT16_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    url->port = (uint16_t)port;
    return RC_OK;
}

/* A path without query, fragment or escapes: what would need a second reading is not taken. */
static enum rc take_prefix(struct bytes rest, struct witness_url *url)
{
    while (rest.size > 0 && rest.data[rest.size - 1] == '/') {
        rest.size--;
    }
    if (rest.size >= sizeof url->prefix) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < rest.size; i++) {
        uint8_t octet = rest.data[i];

        if (!((octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
              (octet >= '0' && octet <= '9') || memchr("/-._~", octet, 5) != NULL)) {
            return RC_INVALID_ARGUMENT;
        }
    }
    if (rest.size > 0) {
        memcpy(url->prefix, rest.data, rest.size);
    }
    url->prefix[rest.size] = '\0';
    return RC_OK;
}

enum rc witness_url_parse(struct bytes text, struct witness_url *url)
{
    if (!text_word(&text, "http://")) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(take_host(&text, url));
    TRY(take_port(&text, url));
    TRY(take_prefix(text, url));
    return witness_host_is_loopback(url->host) ? RC_OK : RC_PERMISSION_DENIED;
}
