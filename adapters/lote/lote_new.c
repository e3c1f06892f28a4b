#include <string.h>

#include "lote/lote.h"
#include "sdk/refer.h"

#define VALUES_MAX 48

const char *const lote_settings_words[] = {REFER_WORDS, NULL};

/* The fields of a row, compartment by compartment. */
struct fields {
    struct field_value values[VALUES_MAX];
    size_t count;
    struct draft_compartment compartments[COMPARTMENT_TYPES];
    size_t compartment_count;
};

static const char *cell(const struct lote *lote, const struct csv *csv, size_t row,
                        const char *word)
{
    const char *column = mapping_in(lote->context->mapping, word);

    return column != NULL ? csv_cell(csv, row, column) : "";
}

static bool belongs_to(const char *path, enum compartment_type type)
{
    const char *name = compartment_name(type);
    size_t length = strlen(name);

    return strncmp(path, name, length) == 0 && path[length] == '.';
}

static enum rc take_fields(const struct lote *lote, const struct csv *csv, size_t row,
                           enum compartment_type type, struct fields *fields, struct fault *fault)
{
    size_t first = fields->count;
    const struct mapping_row *at;
    size_t next = 0;

    while ((at = mapping_in_row(lote->context->mapping, &next)) != NULL) {
        const char *text = csv_cell(csv, row, at->value);
        int field = field_number(at->name);

        if (field < 0 || !belongs_to(at->name, type) || text[0] == '\0') {
            continue;
        }
        if (fields->count == VALUES_MAX) {
            return refuse(fault, RC_INVALID_ARGUMENT, "new.too_many", "",
                          "Son demasiados datos para una canalización.");
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

enum rc lote_new(struct lote *lote, struct adapter *adapter, const struct csv *csv, size_t row,
                 struct fault *fault)
{
    struct fields fields = {0};
    struct referral referral = {.reference = cell(lote, csv, row, "new.reference"),
                                .person = cell(lote, csv, row, "new.person"),
                                .code = cell(lote, csv, row, "new.code"),
                                .compartments = fields.compartments};
    struct id exchange;

    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        TRY(take_fields(lote, csv, row, (enum compartment_type)type, &fields, fault));
    }
    referral.compartment_count = fields.compartment_count;
    return refer(adapter, lote->context->mapping, &referral, &exchange, fault);
}
