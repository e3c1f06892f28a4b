#include "sdk/refer.h"

#include <string.h>

static enum rc bad(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "%s", remedy);
}

static enum rc fill_terms(const struct mapping *mapping, struct header *header,
                          uint8_t aviso[HASH_SIZE], struct fault *fault)
{
    header->to = mapping_setting(mapping, "to");
    header->to_system = mapping_setting(mapping, "to_system");
    header->purpose = mapping_setting(mapping, "purpose");
    header->legal_basis = mapping_setting(mapping, "legal_basis");
    header->aviso_id = mapping_setting(mapping, "aviso_id");
    header->aviso_version = mapping_setting(mapping, "aviso_version");
    header->consent = CONSENT_GIVEN;
    header->consent_reference = mapping_setting(mapping, "consent_reference");
    if (header->to[0] == '\0' ||
        hex_decode(mapping_setting(mapping, "aviso_sha256"), aviso, HASH_SIZE) != RC_OK) {
        return bad(fault, "refer.not_configured",
                   "Esta institución no tiene con qué canalizar: faltan datos en [ajustes].");
    }
    header->aviso_sha256 = BYTES(aviso, HASH_SIZE);
    return RC_OK;
}

static enum rc name_person(struct adapter *adapter, const char *person, struct draft *draft,
                           struct fault *fault)
{
    struct header *header = &draft->header;

    if (adapter_pseudonym(adapter, person, header->to, &header->subjects[0].pseudonym,
                          &draft->local_subjects[0]) != RC_OK) {
        return bad(fault, "refer.person",
                   "Falta la clave de la persona en la institución, hasta 96 caracteres.");
    }
    header->subjects[0].role = ROLE_PERSON;
    header->subject_count = 1;
    draft->local_subject_count = 1;
    return RC_OK;
}

static bool belongs_to(const char *path, enum compartment_type type)
{
    const char *name = compartment_name(type);
    size_t length = strlen(name);

    return strncmp(path, name, length) == 0 && path[length] == '.';
}

static enum rc take_fields(const struct mapping *mapping, const struct refer_record *record,
                           enum compartment_type type, struct refer_fields *fields,
                           struct fault *fault)
{
    size_t first = fields->count;
    const struct mapping_row *at;
    size_t next = 0;

    while ((at = mapping_in_row(mapping, &next)) != NULL) {
        int field = field_number(at->name);
        const char *text = field >= 0 ? record->text(record, at->value) : "";

        if (field < 0 || !belongs_to(at->name, type) || text[0] == '\0') {
            continue;
        }
        if (fields->count == REFER_FIELDS_MAX) {
            return bad(fault, "refer.too_many", "Son demasiados datos para una canalización.");
        }
        fields->values[fields->count++] =
            (struct field_value){.field = (unsigned)field, .text = text};
    }
    if (fields->count > first) {
        fields->compartments[fields->compartment_count++] = (struct draft_compartment){
            .type = type, .values = &fields->values[first], .value_count = fields->count - first};
    }
    return RC_OK;
}

enum rc refer_fields(const struct mapping *mapping, const struct refer_record *record,
                     struct refer_fields *fields, struct fault *fault)
{
    *fields = (struct refer_fields){0};
    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        TRY(take_fields(mapping, record, (enum compartment_type)type, fields, fault));
    }
    return RC_OK;
}

enum rc refer(struct adapter *adapter, const struct mapping *mapping,
              const struct referral *referral, struct id *exchange_id, struct fault *fault)
{
    const char *code =
        referral->code[0] != '\0' ? referral->code : mapping_setting(mapping, "code");
    struct item item = {.number = 1, .code = code, .ends_on = ""};
    uint8_t aviso[HASH_SIZE];
    struct draft draft;

    draft_init(&draft);
    draft.header.type = MESSAGE_REFERRAL;
    draft.header.urgency = URGENCY_ORDINARY;
    draft.header.catalogue_code = code;
    draft.header.items = &item;
    draft.header.item_count = 1;
    if (referral->compartment_count > MESSAGE_COMPARTMENTS_MAX) {
        return bad(fault, "draft.compartment", "Son a lo más 16 compartimentos.");
    }
    if (referral->compartment_count > 0) {
        memcpy(draft.compartments, referral->compartments,
               referral->compartment_count * sizeof referral->compartments[0]);
    }
    draft.compartment_count = referral->compartment_count;
    TRY(fill_terms(mapping, &draft.header, aviso, fault));
    TRY(name_person(adapter, referral->person, &draft, fault));
    return adapter_open(adapter, referral->reference, &draft, exchange_id, fault);
}
