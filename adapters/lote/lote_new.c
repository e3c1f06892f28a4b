#include <stdio.h>
#include <string.h>

#include "client/compose.h"
#include "lote/lote.h"

#define VALUES_MAX 48

const char *const lote_settings_words[] = {
    "to?",
    "to_system?",
    "purpose?",
    "legal_basis?",
    "aviso_id?",
    "aviso_version?",
    "aviso_sha256?",
    "code?",
    "consent_reference?",
    NULL,
};

/* A referral of the institution's own, while its row is read. */
struct referral {
    struct draft draft;
    struct item item;
    struct field_value values[VALUES_MAX]; /* by compartment, side by side */
    size_t value_count;
    uint8_t aviso[HASH_SIZE];
};

static enum rc bad(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "%s", remedy);
}

static const char *cell(const struct lote *lote, const struct csv *csv, size_t row,
                        const char *word)
{
    const char *column = mapping_in(lote->context->mapping, word);

    return column != NULL ? csv_cell(csv, row, column) : "";
}

static enum rc fill_header(const struct lote *lote, const char *code, struct referral *referral,
                           struct fault *fault)
{
    const struct mapping *mapping = lote->context->mapping;
    struct header *header = &referral->draft.header;

    header->type = MESSAGE_REFERRAL;
    header->to = mapping_setting(mapping, "to");
    header->to_system = mapping_setting(mapping, "to_system");
    header->urgency = URGENCY_ORDINARY;
    header->catalogue_code = code;
    header->purpose = mapping_setting(mapping, "purpose");
    header->legal_basis = mapping_setting(mapping, "legal_basis");
    header->aviso_id = mapping_setting(mapping, "aviso_id");
    header->aviso_version = mapping_setting(mapping, "aviso_version");
    header->consent = CONSENT_GIVEN;
    header->consent_reference = mapping_setting(mapping, "consent_reference");
    if (header->to[0] == '\0' ||
        hex_decode(mapping_setting(mapping, "aviso_sha256"), referral->aviso, HASH_SIZE) != RC_OK) {
        return bad(fault, "new.not_configured",
                   "Esta institución no tiene ruta para canalizar: faltan [ajustes].");
    }
    header->aviso_sha256 = BYTES_OF(referral->aviso);
    referral->item = (struct item){.number = 1, .code = code, .ends_on = ""};
    header->items = &referral->item;
    header->item_count = 1;
    return RC_OK;
}

static enum rc take_fields(const struct lote *lote, const struct csv *csv, size_t row,
                           enum compartment_type type, struct referral *referral,
                           struct fault *fault)
{
    const char *name = compartment_name(type);
    size_t length = strlen(name);
    size_t first = referral->value_count;
    const struct mapping_row *at;
    size_t next = 0;

    while ((at = mapping_in_row(lote->context->mapping, &next)) != NULL) {
        const char *text = csv_cell(csv, row, at->value);
        int field = field_number(at->name);

        if (field < 0 || strncmp(at->name, name, length) != 0 || at->name[length] != '.' ||
            text[0] == '\0') {
            continue;
        }
        if (referral->value_count == VALUES_MAX) {
            return bad(fault, "new.too_many", "Son demasiados datos para una canalización.");
        }
        referral->values[referral->value_count++] =
            (struct field_value){.field = (unsigned)field, .text = text};
    }
    if (referral->value_count > first) {
        referral->draft.compartments[referral->draft.compartment_count++] =
            (struct draft_compartment){.type = type,
                                       .values = &referral->values[first],
                                       .value_count = referral->value_count - first};
    }
    return RC_OK;
}

static enum rc name_person(struct adapter *adapter, const char *person, struct referral *referral,
                           struct fault *fault)
{
    struct header *header = &referral->draft.header;

    if (adapter_pseudonym(adapter, person, header->to, &header->subjects[0].pseudonym,
                          &referral->draft.local_subjects[0]) != RC_OK) {
        return bad(fault, "new.person", "Falta la clave de la persona, hasta 96 caracteres.");
    }
    header->subjects[0].role = ROLE_PERSON;
    header->subject_count = 1;
    referral->draft.local_subject_count = 1;
    return RC_OK;
}

enum rc lote_new(struct lote *lote, struct adapter *adapter, const struct csv *csv, size_t row,
                 struct fault *fault)
{
    struct referral referral = {0};
    const char *reference = cell(lote, csv, row, "new.reference");
    const char *code = cell(lote, csv, row, "new.code");
    struct id exchange;

    draft_init(&referral.draft);
    if (code[0] == '\0') {
        code = mapping_setting(lote->context->mapping, "code");
    }
    TRY(fill_header(lote, code, &referral, fault));
    TRY(name_person(adapter, cell(lote, csv, row, "new.person"), &referral, fault));
    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        TRY(take_fields(lote, csv, row, (enum compartment_type)type, &referral, fault));
    }
    return adapter_open(adapter, reference, &referral.draft, &exchange, fault);
}
