#include <string.h>

#include "lote/lote.h"
#include "sdk/refer.h"

const char *const lote_settings_words[] = {REFER_WORDS, NULL};

struct row_record {
    struct refer_record record; /* first */
    const struct csv *csv;
    size_t row;
};

static const char *text_of(const struct refer_record *record, const char *column)
{
    const struct row_record *row = (const struct row_record *)record;

    return csv_cell(row->csv, row->row, column);
}

static const char *cell(const struct lote *lote, const struct row_record *row, const char *word)
{
    const char *column = mapping_in(lote->context->mapping, word);

    return column != NULL ? text_of(&row->record, column) : "";
}

enum rc lote_new(struct lote *lote, struct adapter *adapter, const struct csv *csv, size_t row,
                 struct fault *fault)
{
    const struct row_record record = {.record.text = text_of, .csv = csv, .row = row};
    struct refer_fields fields;
    struct referral referral = {.reference = cell(lote, &record, "new.reference"),
                                .person = cell(lote, &record, "new.person"),
                                .code = cell(lote, &record, "new.code"),
                                .compartments = fields.compartments};
    struct id exchange;

    TRY(refer_fields(lote->context->mapping, &record.record, &fields, fault));
    referral.compartment_count = fields.compartment_count;
    return refer(adapter, lote->context->mapping, &referral, &exchange, fault);
}
