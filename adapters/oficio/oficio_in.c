#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "oficio/oficio.h"
#include "sdk/progress.h"
#include "sdk/refer.h"

#define SIGNATURE_END ".p7s"
#define NOTE_END ".rechazo.txt"
#define STATE_CUSTODY "custody"
#define STATE_REJECT "reject"

const char *const oficio_settings_words[] = {REFER_WORDS, NULL};
const char *const oficio_words_in[] = {"new.reference?", "new.person?", "new.code?", NULL};

static const char *const head_keys[] = {"oficio", "clave", "intercambio", NULL};
static const char *const step_keys[] = {"estado", "medida",     "fecha", "ocurrencia",
                                        "motivo", "competente", NULL};

static enum rc bad(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "%s", remedy);
}

/* ---- answers ---- */

/* Folio, message and exchange of one oficio of ours. */
static enum rc check_head(struct oficio *oficio, const struct form *form, size_t end,
                          struct id *message, struct fault *fault)
{
    char row[BOOK_VALUE_MAX + 1];
    char wanted[BOOK_VALUE_MAX + 1];
    const char *key = form_value(form, 0, end, "clave");
    const char *space;

    TRY(form_check(form, 0, end, head_keys, fault));
    if (id_parse(key, message) != RC_OK || book_find(oficio->folios, key, row) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "exchange.unknown", "clave",
                      "Esa clave no es de un oficio que se le haya entregado.");
    }
    snprintf(wanted, sizeof wanted, "%.64s %.36s", form_value(form, 0, end, "oficio"),
             form_value(form, 0, end, "intercambio"));
    space = strrchr(row, ' ');
    if (space == NULL || strlen(wanted) != (size_t)(space - row) ||
        strncmp(wanted, row, strlen(wanted)) != 0) {
        return bad(fault, "acuse.folio",
                   "El oficio, la clave y el intercambio no son del mismo oficio.");
    }
    return RC_OK;
}

/* The first answer counts. */
static enum rc settle(struct oficio *oficio, struct adapter *adapter, const struct id *message,
                      const char *kind, const char *note)
{
    char id[ID_TEXT_SIZE];
    char state[BOOK_VALUE_MAX + 1];

    id_format(message, id);
    TRY(book_find(oficio->sent, id, state));
    if (strchr(state, ' ') == NULL) {
        snprintf(state, sizeof state, "%s %.200s", kind, note[0] != '\0' ? note : "-");
        TRY(book_put(oficio->sent, id, state));
        adapter_again(adapter, message);
    }
    return RC_OK;
}

static enum rc say(struct oficio *oficio, struct adapter *adapter, const struct form *form,
                   size_t first, size_t end, const struct id *message, size_t head,
                   const uint8_t evidence[DIGEST_SIZE], struct fault *fault)
{
    const char *theirs = form_value(form, first, end, "estado");
    const char *state = mapping_ours(oficio->context->mapping, "estado", theirs);
    struct progress progress;

    TRY(form_check(form, first, end, step_keys, fault));
    if (state == NULL) {
        return bad(fault, "state.unknown", "Ese estado no está en la tabla de equivalencias.");
    }
    if (strcmp(state, STATE_CUSTODY) == 0) {
        return settle(oficio, adapter, message, "recibido", "");
    }
    if (strcmp(state, STATE_REJECT) == 0) {
        return settle(oficio, adapter, message, "rechazado",
                      form_value(form, first, end, "motivo"));
    }
    progress_init(&progress);
    progress.exchange = form_value(form, 0, head, "intercambio");
    progress.state = state;
    progress.occurred_at = form_value(form, first, end, "fecha");
    progress.reason = form_value(form, first, end, "motivo");
    progress.competent = form_value(form, first, end, "competente");
    progress.evidence_sha256 = BYTES(evidence, DIGEST_SIZE);
    TRY(progress_number(form_value(form, first, end, "medida"), &progress.item, fault));
    TRY(progress_number(form_value(form, first, end, "ocurrencia"), &progress.occurrence, fault));
    return progress_say(adapter, &progress, fault);
}

static enum rc apply_answer(struct oficio *oficio, struct adapter *adapter, const struct form *form,
                            const uint8_t evidence[DIGEST_SIZE], struct fault *fault)
{
    size_t head = form_next_state(form, 0);
    struct id message;
    size_t end;

    TRY(check_head(oficio, form, head, &message, fault));
    if (head == form->count) {
        return bad(fault, "acuse.state", "Falta el estado: RECIBIDO, ACEPTADA…");
    }
    for (size_t at = head; at < form->count; at = end) {
        end = form_next_state(form, at + 1);
        TRY(say(oficio, adapter, form, at, end, &message, head, evidence, fault));
    }
    return RC_OK;
}

/* ---- referrals ---- */

struct form_record {
    struct refer_record record; /* first */
    const struct form *form;
};

static const char *text_of(const struct refer_record *record, const char *key)
{
    const struct form *form = ((const struct form_record *)record)->form;

    return form_value(form, 0, form->count, key);
}

static const char *word_of(const struct oficio *oficio, const struct form_record *record,
                           const char *word)
{
    const char *key = mapping_in(oficio->context->mapping, word);

    return key != NULL ? text_of(&record->record, key) : "";
}

static enum rc apply_referral(struct oficio *oficio, struct adapter *adapter,
                              const struct form *form, struct fault *fault)
{
    const struct form_record record = {.record.text = text_of, .form = form};
    const char *keys[MAPPING_ROWS_MAX + 1];
    struct refer_fields fields;
    struct referral said = {.reference = word_of(oficio, &record, "new.reference"),
                            .person = word_of(oficio, &record, "new.person"),
                            .code = word_of(oficio, &record, "new.code"),
                            .compartments = fields.compartments};
    const struct mapping_row *row;
    size_t at = 0;
    size_t count = 0;
    struct id exchange;

    while ((row = mapping_in_row(oficio->context->mapping, &at)) != NULL) {
        keys[count++] = row->value;
    }
    keys[count] = NULL;
    TRY(form_check(form, 0, form->count, keys, fault));
    TRY(refer_fields(oficio->context->mapping, &record.record, &fields, fault));
    said.compartment_count = fields.compartment_count;
    return refer(adapter, oficio->context->mapping, &said, &exchange, fault);
}

enum rc oficio_apply(struct oficio *oficio, struct adapter *adapter, const struct form *form,
                     const uint8_t evidence[DIGEST_SIZE], struct fault *fault)
{
    return form->kind == FORM_ANSWER ? apply_answer(oficio, adapter, form, evidence, fault)
                                     : apply_referral(oficio, adapter, form, fault);
}

/* ---- files ---- */

static enum rc read_form(struct oficio *oficio, const char *name, struct arena *arena,
                         struct form *form, uint8_t digest[DIGEST_SIZE], struct fault *fault)
{
    OWN(buffer) text = {0};
    OWN(buffer) signature = {0};
    char signed_name[DROPFOLDER_NAME_MAX + 8];
    struct bytes whole;
    enum rc rc;

    snprintf(signed_name, sizeof signed_name, "%s" SIGNATURE_END, name);
    rc = dropfolder_read(oficio->incoming, name, FORM_BYTES_MAX, &text);
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, RC_INVALID_ARGUMENT, "acuse.incomplete", name,
                      "Falta la forma: se entrega antes que su firma.");
    }
    if (rc != RC_OK ||
        dropfolder_read(oficio->incoming, signed_name, FILESIG_MAX, &signature) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "acuse.too_long", name,
                      "La forma o su firma es demasiado grande.");
    }
    whole = buffer_bytes(&text);
    digest_of(&whole, 1, digest);
    TRY(filesig_verify(oficio->signers, whole, buffer_bytes(&signature), clock_now_ms(), fault));
    return form_read(whole, arena, form, fault);
}

static void put_away(struct oficio *oficio, const char *name, const struct fault *why)
{
    static const char *const ends[] = {"", SIGNATURE_END};

    for (size_t i = 0; i < 2; i++) {
        char file[DROPFOLDER_NAME_MAX + 8];
        enum rc rc = RC_OK;

        snprintf(file, sizeof file, "%s%s", name, ends[i]);
        if (dropfolder_has(oficio->incoming, file)) {
            rc = why != NULL ? dropfolder_refuse(oficio->incoming, file, why)
                             : dropfolder_take(oficio->incoming, file);
        }
        if (rc != RC_OK) {
            log_warn("acuse.not_moved", "name=%s rc=%s", file, rc_name(rc));
        }
    }
}

/* The officer reads why beside the oficios; the operator in the log. */
static void refuse_form(struct oficio *oficio, const char *name, const struct fault *fault)
{
    OWN(buffer) text = {0};
    char file[DROPFOLDER_NAME_MAX + 16];

    log_error("acuse.refused", "name=%s reason=%s path=%s", name, fault->reason, fault->path);
    buffer_print(&text, "No se tomó %s.\r\n%s %s\r\n%s\r\n", name, fault->reason, fault->path,
                 fault->remedy);
    snprintf(file, sizeof file, "%.*s%s", (int)(DROPFOLDER_NAME_MAX - strlen(NOTE_END)), name,
             NOTE_END);
    if (dropfolder_write(oficio->outgoing, file, buffer_bytes(&text)) == RC_OK) {
        put_away(oficio, name, fault);
    }
}

/* Waits for the disk, the clock or the node: the form is read again. */
static bool is_ours(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_RESOURCE_EXHAUSTED || rc == RC_INTERNAL;
}

/* What it said becomes durable when this tick is over: only then it is put away. */
static void remember(struct oficio *oficio, const char *name, const char *key)
{
    struct oficio_applied *applied = &oficio->applied[oficio->applied_count++];

    snprintf(applied->name, sizeof applied->name, "%s", name);
    snprintf(applied->key, sizeof applied->key, "%s", key);
}

static void take_form(struct oficio *oficio, struct adapter *adapter, const char *name)
{
    OWN_PTR(arena) arena = arena_new(OFICIO_ARENA_MAX);
    struct fault fault = {0};
    struct form form;
    uint8_t digest[DIGEST_SIZE];
    char key[2 * DIGEST_SIZE + 1];
    char known[BOOK_VALUE_MAX + 1];
    enum rc rc = arena != NULL ? read_form(oficio, name, arena, &form, digest, &fault)
                               : RC_RESOURCE_EXHAUSTED;

    if (rc == RC_OK) {
        hex_encode(digest, DIGEST_SIZE, key);
        if (book_find(oficio->read, key, known) == RC_OK) {
            put_away(oficio, name, NULL);
            return;
        }
        rc = oficio_apply(oficio, adapter, &form, digest, &fault);
    }
    if (rc == RC_OK) {
        log_info("acuse.taken", "name=%s", name);
        remember(oficio, name, key);
    } else if (!is_ours(rc)) {
        refuse_form(oficio, name, &fault);
    }
}

static void finish_applied(struct oficio *oficio)
{
    for (size_t i = 0; i < oficio->applied_count; i++) {
        const struct oficio_applied *applied = &oficio->applied[i];

        if (book_put(oficio->read, applied->key, applied->name) == RC_OK) {
            put_away(oficio, applied->name, NULL);
        }
    }
    oficio->applied_count = 0;
}

void oficio_read(struct oficio *oficio, struct adapter *adapter)
{
    struct dropfolder_names names;
    size_t end = strlen(SIGNATURE_END);

    finish_applied(oficio);
    if (dropfolder_list(oficio->incoming, &names) != RC_OK) {
        return;
    }
    for (size_t i = 0; i < names.count && oficio->applied_count < OFICIO_APPLIED_MAX; i++) {
        size_t length = strlen(names.items[i]);

        if (length > end && strcmp(names.items[i] + length - end, SIGNATURE_END) == 0) {
            names.items[i][length - end] = '\0';
            take_form(oficio, adapter, names.items[i]);
        }
    }
    dropfolder_names_release(&names);
}
