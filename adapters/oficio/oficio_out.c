#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/receipt_check.h"
#include "oficio/oficio.h"

#define SENT "oficio"
#define RECEIVED "recibido "
#define REFUSED "rechazado "

/* ---- folios ---- */

struct folio {
    char text[SHEET_NOTE_FOLIO_MAX + 1];
    int64_t at_ms;
};

static enum rc next_folio(struct oficio *oficio, struct folio *folio)
{
    char key[32];
    char text[BOOK_VALUE_MAX + 1];
    char now[CLOCK_TEXT_SIZE];
    unsigned long number;

    clock_format_local(folio->at_ms, now);
    snprintf(key, sizeof key, "next-%.4s", now);
    number = book_find(oficio->folios, key, text) == RC_OK ? strtoul(text, NULL, 10) : 1;
    snprintf(folio->text, sizeof folio->text, "%.40s/%.4s/%06lu", oficio->settings.prefix, now,
             number);
    snprintf(text, sizeof text, "%lu", number + 1);
    return book_put(oficio->folios, key, text);
}

/* The same for the same message, for ever. */
static enum rc folio_of(struct oficio *oficio, const struct header *header, struct folio *folio)
{
    char key[ID_TEXT_SIZE];
    char exchange[ID_TEXT_SIZE];
    char row[BOOK_VALUE_MAX + 1];
    long long at_ms;

    id_format(&header->message_id, key);
    if (book_find(oficio->folios, key, row) == RC_OK) {
        if (sscanf(row, "%64s %*36s %lld", folio->text, &at_ms) != 2) {
            return RC_DATA_LOSS;
        }
        folio->at_ms = at_ms;
        return RC_OK;
    }
    folio->at_ms = clock_now_ms();
    TRY(next_folio(oficio, folio));
    id_format(&header->exchange_id, exchange);
    snprintf(row, sizeof row, "%s %s %lld", folio->text, exchange, (long long)folio->at_ms);
    return book_put(oficio->folios, key, row);
}

void oficio_name(const char *folio, char name[OFICIO_NAME_MAX])
{
    snprintf(name, OFICIO_NAME_MAX, "OF-%.80s", folio);
    for (char *at = name; (at = strchr(at, '/')) != NULL;) {
        *at = '-';
    }
}

/* ---- the code ---- */

static enum rc write_note(const struct oficio *oficio, const struct message *message,
                          const struct folio *folio, struct bytes receipt, struct buffer *text)
{
    struct sheet_note note = {.has_receipt = receipt.size > 0};
    int64_t due_ms = sheet_due_ms(&message->header);

    snprintf(note.folio, sizeof note.folio, "%s", folio->text);
    id_format(&message->header.message_id, note.message_id);
    id_format(&message->header.exchange_id, note.exchange_id);
    TRY(receipt_commitment(message, note.commitment));
    digest_of(&receipt, 1, note.receipt);
    if (due_ms > 0) {
        clock_format_local(due_ms, note.due);
    }
    TRY(sheet_note_sign(&note, oficio->cert, oficio->key, text));
    buffer_put_u8(text, '\0');
    return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* ---- the form ---- */

static void write_form(const struct message *message, const char *folio, struct buffer *out)
{
    char id[ID_TEXT_SIZE];
    char exchange[ID_TEXT_SIZE];

    id_format(&message->header.message_id, id);
    id_format(&message->header.exchange_id, exchange);
    buffer_print(out,
                 "formato: enlace-acuse 1\r\noficio: %s\r\nclave: %s\r\nintercambio: %s\r\n\r\n"
                 "# Primero: se recibió el oficio. Quien lo firma se hace cargo de los datos.\r\n"
                 "# Si no se recibe: NO_RECIBIDO, y el motivo.\r\n"
                 "estado: RECIBIDO\r\nmotivo:\r\n",
                 folio, id, exchange);
    for (size_t i = 0; i < message->header.item_count; i++) {
        buffer_print(out,
                     "\r\n# Medida %u. Para decir más, repita estos renglones. ACEPTADA, DECLINADA "
                     "(con\r\n# motivo), EN_VIGOR, REALIZADA (con ocurrencia), TERMINADA. Si "
                     "todavía no, ponga #.\r\n#estado: ACEPTADA\r\n#medida: %u\r\n#fecha: \r\n"
                     "#ocurrencia: \r\n#motivo: \r\n#competente: \r\n",
                     message->header.items[i].number, message->header.items[i].number);
    }
}

/* ---- the files ---- */

static enum rc put(struct oficio *oficio, const char *name, const char *end, struct bytes bytes)
{
    char file[OFICIO_NAME_MAX + 16];

    snprintf(file, sizeof file, "%s%s", name, end);
    return dropfolder_write(oficio->outgoing, file, bytes);
}

/* The signature comes last: it completes them. */
static enum rc put_files(struct oficio *oficio, const struct message *message, const char *folio,
                         struct bytes pdf, struct bytes receipt)
{
    OWN(buffer) signature = {0};
    OWN(buffer) form = {0};
    char name[OFICIO_NAME_MAX];

    oficio_name(folio, name);
    TRY(filesig_sign(oficio->signer, pdf, &signature));
    TRY(put(oficio, name, ".pdf", pdf));
    if (receipt.size > 0) {
        TRY(put(oficio, name, ".receipt", receipt));
    }
    if (message_wants_custody(message->header.type)) {
        write_form(message, folio, &form);
        TRY(put(oficio, name, ".acuse.txt", buffer_bytes(&form)));
    }
    return put(oficio, name, ".pdf.p7s", buffer_bytes(&signature));
}

static enum rc make_sheet(struct oficio *oficio, struct adapter *adapter,
                          const struct message *message, const char *type, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(OFICIO_ARENA_MAX);
    OWN(buffer) receipt = {0};
    OWN(buffer) note = {0};
    OWN(buffer) pdf = {0};
    struct reading *reading = arena != NULL ? arena_alloc(arena, sizeof *reading) : NULL;
    struct sheet sheet = {.oficio = oficio, .reading = reading, .arena = arena, .fault = fault};
    struct paper_made made;
    struct folio folio;
    enum rc rc;

    if (reading == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = adapter_receipts(adapter, &message->header.message_id, &receipt);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(folio_of(oficio, &message->header, &folio));
    TRY(reading_open(message, &oficio->context->keys, arena, reading));
    TRY(write_note(oficio, message, &folio, buffer_bytes(&receipt), &note));
    sheet.folio = folio.text;
    sheet.at_ms = folio.at_ms;
    sheet.type = type;
    sheet.note = (const char *)note.data;
    sheet_words_init(&sheet.words);
    TRY(sheet_make(&sheet, &pdf, &made));
    TRY(put_files(oficio, message, folio.text, buffer_bytes(&pdf), buffer_bytes(&receipt)));
    log_info("oficio.written", "folio=%s pages=%u unknown_characters=%u", folio.text, made.pages,
             made.unknown);
    return RC_OK;
}

/* ---- a message ---- */

static void type_of(const struct header *header, char type[64])
{
    snprintf(type, 64, "%s%s%s", message_type_name(header->type),
             header->type == MESSAGE_ACT ? " " : "",
             header->type == MESSAGE_ACT ? event_name(header->event) : "");
}

static enum rc reject(struct adapter *adapter, const struct message *message,
                      const struct fault *why)
{
    return adapter_reject(adapter, message, "rechazado-por-la-institucion", why);
}

static enum rc refused_by_them(struct adapter *adapter, const struct message *message,
                               const char *why)
{
    struct fault fault = {0};

    (void)refuse(&fault, RC_FAILED_PRECONDITION, "agency.refused", "", "La institución: %s", why);
    return reject(adapter, message, &fault);
}

static enum rc print(struct oficio *oficio, struct adapter *adapter, const struct message *message,
                     const char *type, const char *id)
{
    struct fault fault = {0};
    enum rc rc = make_sheet(oficio, adapter, message, type, &fault);

    if (fault.reason[0] != '\0') {
        return reject(adapter, message, &fault);
    }
    TRY(rc);
    TRY(book_put(oficio->sent, id, SENT));
    adapter_drop_receipts(adapter, &message->header.message_id);
    return message_wants_custody(message->header.type) ? RC_FAILED_PRECONDITION : RC_OK;
}

enum rc oficio_on_message(struct oficio *oficio, struct adapter *adapter,
                          const struct message *message)
{
    char id[ID_TEXT_SIZE];
    char type[64];
    char section[96];
    char state[BOOK_VALUE_MAX + 1];

    type_of(&message->header, type);
    snprintf(section, sizeof section, "cuerpo %s", type);
    if (wording_text(oficio->wording, section) == NULL) {
        adapter_drop_receipts(adapter, &message->header.message_id);
        return RC_OK; /* the institution's texts say nothing of it */
    }
    id_format(&message->header.message_id, id);
    if (book_find(oficio->sent, id, state) != RC_OK) {
        return print(oficio, adapter, message, type, id);
    }
    if (strncmp(state, REFUSED, strlen(REFUSED)) == 0) {
        return refused_by_them(adapter, message, state + strlen(REFUSED));
    }
    return strcmp(state, SENT) == 0 && message_wants_custody(message->header.type)
               ? RC_FAILED_PRECONDITION /* until the officer says that it is there */
               : RC_OK;
}
