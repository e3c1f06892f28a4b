#include "relay/parcel_file.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/cert.h"
#include "crypto/cms.h"
#include "crypto/digest.h"
#include "policy/member.h"
#include "relay/epochs.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "tlog/note.h"
#include "tlog/text.h"

static const char magic[] = "enlace parcel v1\n"; /* without its NUL */
#define MAGIC_SIZE (sizeof magic - 1)

static enum rc malformed(struct fault *fault)
{
    return refuse(fault, RC_INVALID_ARGUMENT, "parcel.malformed", "",
                  "El archivo no es un paquete de Enlace, o está incompleto: pida que lo exporten "
                  "otra vez.");
}

static enum rc changed(struct fault *fault)
{
    return refuse(fault, RC_DATA_LOSS, "parcel.changed", "",
                  "El archivo fue alterado o se dañó en el camino; no se usó nada de él. Pida que "
                  "lo exporten otra vez.");
}

/* ---- the note ---- */

static void digest_content(const struct parcel_file *file, uint8_t out[DIGEST_SIZE])
{
    uint8_t sizes[3][8];
    struct bytes parts[6];
    const struct bytes contents[3] = {file->hello, file->body, file->indices};

    for (size_t i = 0; i < 3; i++) {
        put_u64(sizes[i], contents[i].size);
        parts[2 * i] = BYTES_OF(sizes[i]);
        parts[2 * i + 1] = contents[i];
    }
    digest_of(parts, 6, out);
}

static void write_text(const struct parcel_file *file, struct buffer *out)
{
    uint8_t digest[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];

    digest_content(file, digest);
    hex_encode(digest, sizeof digest, hex);
    buffer_print(out, "enlace-parcel-file v1\nkind %s\nfrom %s\nto %s\nurgency %s\nsha256 %s\n",
                 file->is_answer ? "answer" : "parcel", file->from, file->to,
                 file->urgency == URGENCY_URGENT ? "urgent" : "ordinary", hex);
}

static bool take_line(struct bytes *text, const char *name, char *out, size_t size)
{
    struct bytes line;

    if (!text_line(text, &line) || !text_word(&line, name) || line.size == 0 || line.size >= size) {
        return false;
    }
    memcpy(out, line.data, line.size);
    out[line.size] = '\0';
    return true;
}

/* Exactly the text that these facts make. */
static enum rc read_text(struct bytes text, struct parcel_file *file, struct fault *fault)
{
    OWN(buffer) expected = {0};
    struct bytes rest = text;
    char version[8];
    char word[16];

    if (!take_line(&rest, "enlace-parcel-file ", version, sizeof version) ||
        !take_line(&rest, "kind ", word, sizeof word)) {
        return malformed(fault);
    }
    file->is_answer = strcmp(word, "answer") == 0;
    if (!take_line(&rest, "from ", file->from, sizeof file->from) ||
        !take_line(&rest, "to ", file->to, sizeof file->to) ||
        !take_line(&rest, "urgency ", word, sizeof word)) {
        return malformed(fault);
    }
    file->urgency = strcmp(word, "urgent") == 0 ? URGENCY_URGENT : URGENCY_ORDINARY;
    write_text(file, &expected);
    return bytes_equal(text, buffer_bytes(&expected)) ? RC_OK : changed(fault);
}

/* ---- writing ---- */

static enum rc check_certificate(const struct node *node, const char *uri, struct bytes der,
                                 struct cert **cert, struct fault *fault)
{
    if (cert_from_der(der, cert, NULL) != RC_OK || strcmp(cert_uri(*cert), uri) != 0 ||
        cert_verify_chain(*cert, node->ca, clock_now_ms(), NULL) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "parcel.certificate", "certificate",
                      "Dé el certificado vigente del nodo que recibirá el archivo.");
    }
    return RC_OK;
}

static enum rc seal_parts(const struct cert *cert, struct bytes plain, struct buffer *out,
                          struct fault *fault)
{
    size_t count = (plain.size + CMS_CONTENT_MAX - 1) / CMS_CONTENT_MAX;

    if (count == 0 || count > PARCEL_FILE_PARTS_MAX) {
        return refuse(fault, RC_OUT_OF_RANGE, "parcel.too_large", "", "El paquete es muy grande.");
    }
    buffer_put(out, magic, MAGIC_SIZE);
    buffer_put_u8(out, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        size_t left = plain.size - i * CMS_CONTENT_MAX;
        struct bytes part = BYTES(plain.data + i * CMS_CONTENT_MAX,
                                  left < CMS_CONTENT_MAX ? left : CMS_CONTENT_MAX);
        uint8_t digest[DIGEST_SIZE];
        OWN(buffer) sealed = {0};

        if (cms_seal(part, &cert, 1, &sealed, digest) != RC_OK) {
            return refuse(fault, RC_INVALID_ARGUMENT, "parcel.certificate", "certificate",
                          "La llave de ese certificado no es P-256.");
        }
        buffer_put(out, digest, sizeof digest);
        buffer_put_chunk(out, buffer_bytes(&sealed));
    }
    return out->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc parcel_file_write(const struct node *node, const struct parcel_file *file,
                          struct bytes certificate, struct buffer *out, struct fault *fault)
{
    OWN_PTR(cert) cert = NULL;
    OWN(buffer) text = {0};
    OWN(buffer) note = {0};
    OWN(buffer) plain = {0};

    TRY(check_certificate(node, file->to, certificate, &cert, fault));
    write_text(file, &text);
    if (text.is_failed ||
        note_sign(buffer_bytes(&text), node->log_vkey.name, node->log_key, &note) != RC_OK) {
        return RC_INTERNAL;
    }
    buffer_put_chunk(&plain, buffer_bytes(&note));
    buffer_put_chunk(&plain, file->hello);
    buffer_put_chunk(&plain, file->body);
    buffer_put_chunk(&plain, file->indices);
    return plain.is_failed ? RC_RESOURCE_EXHAUSTED
                           : seal_parts(cert, buffer_bytes(&plain), out, fault);
}

/* ---- reading ---- */

static enum rc open_part(const struct cert *cert, const struct sealkey *key, struct reader *reader,
                         struct buffer *plain, struct fault *fault)
{
    uint8_t digest[DIGEST_SIZE];
    struct bytes sealed;
    enum rc rc;

    reader_copy(reader, digest, sizeof digest);
    sealed = reader_chunk(reader);
    if (reader->is_failed || sealed.size == 0 || sealed.size > CMS_SEALED_MAX) {
        return malformed(fault);
    }
    rc = cms_open(sealed, cert, key, digest, plain);
    if (rc == RC_PERMISSION_DENIED) {
        return refuse(fault, rc, "parcel.not_for_us", "",
                      "El archivo está cifrado para otro nodo, o para un certificado anterior.");
    }
    if (rc == RC_INVALID_ARGUMENT) {
        return malformed(fault);
    }
    return rc == RC_OK ? RC_OK : changed(fault);
}

static enum rc open_parts(const struct node *node, struct bytes bytes, struct buffer *plain,
                          struct fault *fault)
{
    struct reader reader = {.rest = bytes};
    struct bytes start = reader_take(&reader, MAGIC_SIZE);
    uint8_t count = reader_u8(&reader);
    OWN_PTR(cert) cert = NULL;
    OWN_PTR(sealkey) key = NULL;

    if (reader.is_failed || memcmp(start.data, magic, MAGIC_SIZE) != 0 || count == 0 ||
        count > PARCEL_FILE_PARTS_MAX) {
        return malformed(fault);
    }
    TRY(cert_load(node->certificate_file, &cert, NULL));
    TRY(sealkey_load(node->key_file, &key, NULL));
    for (uint8_t i = 0; i < count; i++) {
        TRY(open_part(cert, key, &reader, plain, fault));
    }
    return reader_is_done(&reader) ? RC_OK : malformed(fault);
}

static enum rc find_peer(const struct node *node, const char *uri, struct node_entry *peer,
                         struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct node_entry *found = node_by_uri(edition->directory, uri);

    if (found == NULL || node_is(found, node->self) || found->is_suspended ||
        !dates_cover(found->in_force, clock_local_day(clock_now_ms()))) {
        return refuse(fault, RC_PERMISSION_DENIED, "parcel.unknown_node", "",
                      "Lo envía un nodo que no está en vigor en el directorio.");
    }
    *peer = *found;
    return RC_OK;
}

static enum rc check_signature(const struct node *node, const struct node_entry *peer,
                               const struct note *note, struct fault *fault)
{
    const struct epoch *epoch = epochs_of(node->epochs, peer);

    if (epoch == NULL || note_verify(note, &epoch->key) != RC_OK) {
        return refuse(fault, RC_DATA_LOSS, "parcel.signature", "",
                      "No lo firma la bitácora del nodo que dice enviarlo.");
    }
    return RC_OK;
}

enum rc parcel_file_read(const struct node *node, struct bytes bytes, struct arena *arena,
                         struct parcel_file *file, struct node_entry *peer, struct fault *fault)
{
    OWN(buffer) plain = {0};
    struct reader reader = {0};
    struct bytes note_bytes;
    struct note note;

    memset(file, 0, sizeof *file);
    TRY(open_parts(node, bytes, &plain, fault));
    reader.rest = arena_copy(arena, buffer_bytes(&plain));
    if (reader.rest.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    note_bytes = reader_chunk(&reader);
    file->hello = reader_chunk(&reader);
    file->body = reader_chunk(&reader);
    file->indices = reader_chunk(&reader);
    if (!reader_is_done(&reader) || file->indices.size % 8 != 0 ||
        note_parse(note_bytes, &note) != RC_OK) {
        return malformed(fault);
    }
    TRY(read_text(note.text, file, fault));
    TRY(find_peer(node, file->from, peer, fault));
    TRY(check_signature(node, peer, &note, fault));
    return strcmp(file->to, node->self->uri) == 0
               ? RC_OK
               : refuse(fault, RC_PERMISSION_DENIED, "parcel.not_for_us", "",
                        "El archivo es para otro nodo.");
}
