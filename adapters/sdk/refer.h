/*
 * refer - a referral that the agency begins, on the terms of its mapping's [ajustes].
 *
 *     to = cdmx/mpi-cdmx          to_system = plataforma      code = ATN-GEN
 *     purpose = canalizacion      legal_basis = LPI-CDMX-2015
 *     aviso_id, aviso_version, aviso_sha256: the agency's aviso, as the directory has it
 *     consent_reference: where the agency keeps the person's consent
 *
 * Without them the agency only receives: "refer.not_configured".
 */
#ifndef SDK_REFER_H
#define SDK_REFER_H

#include "client/compose.h"
#include "sdk/adapter.h"
#include "sdk/mapping.h"

/* For mapping_words.settings; an adapter that has settings of its own lists these, too. */
#define REFER_WORDS                                                                                \
    "to?", "to_system?", "purpose?", "legal_basis?", "aviso_id?", "aviso_version?",                \
        "aviso_sha256?", "consent_reference?", "code?"

struct referral {
    const char *reference; /* the agency's name of it: said once for ever */
    const char *person;    /* the agency's name of the person */
    const char *code;      /* "": the mapping's */
    const struct draft_compartment *compartments;
    size_t compartment_count;
};

/* The agency's record, by its own names: "" for what it does not say. */
struct refer_record {
    const char *(*text)(const struct refer_record *record, const char *name);
};

#define REFER_FIELDS_MAX 48

/* What a record says of the person, compartment by compartment; borrowed from the record. */
struct refer_fields {
    struct field_value values[REFER_FIELDS_MAX];
    size_t count;
    struct draft_compartment compartments[COMPARTMENT_TYPES];
    size_t compartment_count;
};

/* By the fields that [entrada] names: "identity.full_name = NOMBRE". "refer.too_many". */
MUST_CHECK enum rc refer_fields(const struct mapping *mapping, const struct refer_record *record,
                                struct refer_fields *fields, struct fault *fault);

/* On the adapter's thread; `exchange_id` is that of the first time. */
MUST_CHECK enum rc refer(struct adapter *adapter, const struct mapping *mapping,
                         const struct referral *referral, struct id *exchange_id,
                         struct fault *fault);

#endif
