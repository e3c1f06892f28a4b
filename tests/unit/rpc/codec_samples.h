/*
 * codec_samples - messages that the tests of the codec share: one of each type, all fields set.
 *
 * Bytes are numbered (see `numbered`), so that a field that lands in another's place shows.
 */
#ifndef UNIT_RPC_CODEC_SAMPLES_H
#define UNIT_RPC_CODEC_SAMPLES_H

#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "model/message.h"
#include "rpc/codec.h"

struct numbers {
    uint8_t bytes[256];
};

/* first, first + 1, first + 2 ... */
static inline struct numbers numbered(unsigned first)
{
    struct numbers numbers;

    for (size_t i = 0; i < sizeof numbers.bytes; i++) {
        numbers.bytes[i] = (uint8_t)(first + i);
    }
    return numbers;
}

static inline struct id sample_id(unsigned first)
{
    const struct numbers numbers = numbered(first);

    return id_v7(INT64_C(1559577600000) + first, numbers.bytes);
}

/* Borrowed from a table that never dies: 32 bytes beginning with `first`. */
static inline struct bytes sample_hash(unsigned first)
{
    static uint8_t table[512];

    for (size_t i = 0; i < sizeof table; i++) {
        table[i] = (uint8_t)i;
    }
    return BYTES(table + (first & 0xff), HASH_SIZE);
}

static inline struct bytes sample_leaf(void)
{
    static uint8_t leaf[200] = "ENL1\1";

    return BYTES_OF(leaf);
}

static inline void sample_content(struct header *header, enum message_type type)
{
    static struct item items[] = {
        {1, "PRO-COD-VIG", 2, PERIOD_DAY, "2019-12-12"},
        {2, "ATN-GEN", 0, PERIOD_NONE, ""},
    };
    static struct figure figures[] = {{"medidas", 189}, {"saldo", -1}, {"ninguna", 0}};

    header->type = type;
    header->items = items;
    header->item_count = type == MESSAGE_REFERRAL || type == MESSAGE_MEASURE_REQUEST ||
                                 type == MESSAGE_SUPPORT_REQUEST
                             ? 2
                             : 0;
    header->item = 2;
    header->change = CHANGE_EXTEND;
    header->ends_on = "2020-01-31";
    header->session = "CONSEJO-2019-04";
    header->expires_at_ms = INT64_C(1561577600000);
    header->occurrence = 7;
    header->action_code = "RONDIN";
    header->evidence_sha256 = sample_hash(0xe0);
    header->regards = sample_id(0x40);
    header->event = EVENT_DECLINE;
    header->reason = "no-competente";
    header->competent = "cdmx/sedesa";
    header->notice_clock = "F3";
    header->notice_percent = 75;
    header->notice_route = "mpi-ssc-medidas";
    header->notice_late = "cdmx/ssc";
    header->notice_anchored_ms = INT64_C(1559577600000);
    header->notice_due_ms = INT64_C(1559588400000);
    header->aggregate_id = "INFORME-2019";
    header->aggregate_from = "2019-01-01";
    header->aggregate_to = "2019-12-31";
    header->figures = figures;
    header->figure_count = 3;
}

static inline void sample_header(struct header *header, enum message_type type)
{
    *header = (struct header){
        .schema = MESSAGE_SCHEMA,
        .message_id = sample_id(0x10),
        .exchange_id = sample_id(0x20),
        .parent_exchange_id = sample_id(0x30),
        .case_id = sample_id(0x38),
        .from = "cdmx/mpi",
        .from_system = "expediente",
        .to = "cdmx/ssc",
        .to_system = "adapter",
        .on_behalf_of = "enlace-01",
        .urgency = URGENCY_URGENT,
        .catalogue_code = "PRO-COD-VIG",
        .purpose = "proteccion",
        .legal_basis = "LPPDDHP-26",
        .aviso_id = "AP-MPI",
        .aviso_version = "3",
        .aviso_sha256 = sample_hash(0xa0),
        .consent = CONSENT_GIVEN,
        .consent_reference = "carpeta 12",
        .subjects = {{sample_id(0x50), ROLE_PERSON}, {sample_id(0x60), ROLE_RELATIVE}},
        .subject_count = 2,
        .has_plan = true,
        .plan_issuer = "cdmx/mpi",
        .plan_id = "PP-2019-044",
        .plan_version = 2,
        .procedure = PROCEDURE_EXTRAORDINARY,
        .has_decision = true,
        .decision_organ = "Mesa",
        .decision_session = "4a ordinaria",
        .decision_date = "2019-06-03",
        .decision_sha256 = sample_hash(0xd0),
        .created_at_ms = INT64_C(1559577600000),
        .occurred_at = "2019-06-03T10:00:00-06:00",
        .out_of_band = BAND_TELEPHONE,
        .break_glass = "peligro-inminente",
        .clocks = {{"F1", INT64_C(1559577600000), INT64_C(1559588400000)},
                   {"F2", INT64_C(1559577600000), INT64_C(1559620800000)}},
        .clock_count = 2,
        .seals = {{COMPARTMENT_LOCATION, sample_hash(0xc0)}},
        .seal_count = 1,
    };
    sample_content(header, type);
}

/* What a test gives to codec_compartment_write, by path. */
static inline struct field_value sample_value(const char *path, unsigned entry, const char *text)
{
    return (struct field_value){(unsigned)field_number(path), entry, text};
}

/* A message with its bytes. */
struct sample {
    struct submission submission;
    struct buffer header;
    struct buffer contents[MESSAGE_COMPARTMENTS_MAX];
};

static inline void sample_release(struct sample *sample)
{
    buffer_release(&sample->header);
    for (size_t i = 0; i < MESSAGE_COMPARTMENTS_MAX; i++) {
        buffer_release(&sample->contents[i]);
    }
}

static inline void sample_compartment(struct sample *sample, unsigned subject,
                                      enum compartment_type type, struct bytes sealed)
{
    struct message *message = &sample->submission.message;
    size_t index = message->compartment_count++;

    message->compartments[index] = (struct compartment){
        .part = subject * 256 + (uint32_t)type,
        .blind = sample_hash(0x70 + (unsigned)index),
        .content = sealed.size > 0 ? sealed : buffer_bytes(&sample->contents[index]),
        .is_sealed = sealed.size > 0,
    };
}

static inline bool sample_clear(struct sample *sample, unsigned subject, enum compartment_type type,
                                const struct field_value *values, size_t count)
{
    size_t index = sample->submission.message.compartment_count;
    bool is_good = codec_compartment_write(type, values, count, &sample->contents[index]) == RC_OK;

    sample_compartment(sample, subject, type, (struct bytes){0});
    return is_good;
}

/*
 * About 1 KiB, as a bench sends it: identity, contact and narrative in clear, location sealed; of
 * two subjects. False: a compartment could not be written.
 */
static inline bool sample_make(struct sample *sample, enum message_type type)
{
    static const uint8_t sealed[200] = {0x30, 0x80, 0x06, 0x0b};
    const struct field_value identity[] = {
        sample_value("identity.full_name", 0, "María Peña Ñúñez"),
        sample_value("identity.curp", 0, "PEXM850423MDFXXR04"),
        sample_value("identity.birth_date", 0, "1985-04-23"),
        sample_value("identity.activity", 0, "periodista"),
    };
    const struct field_value contact[] = {
        sample_value("contact.phone", 0, "+52 55 5555 0101"),
        sample_value("contact.safe_hours", 0, "de 9 a 14"),
    };
    const struct field_value narrative[] = {
        sample_value("narrative.summary", 0, "Primera línea.\nSegunda línea, con más detalle."),
    };
    struct message *message = &sample->submission.message;
    bool is_good;

    memset(sample, 0, sizeof *sample);
    sample_header(&message->header, type);
    codec_header_write(&message->header, &sample->header);
    message->header_bytes = buffer_bytes(&sample->header);
    message->header_blind = sample_hash(0x01);
    is_good = sample_clear(sample, 0, COMPARTMENT_IDENTITY, identity, 4);
    is_good = sample_clear(sample, 0, COMPARTMENT_CONTACT, contact, 2) && is_good;
    sample_compartment(sample, 0, COMPARTMENT_LOCATION, BYTES_OF(sealed));
    is_good = sample_clear(sample, 1, COMPARTMENT_NARRATIVE, narrative, 1) && is_good;
    message->signatures[0] = (struct signature){sample_hash(0x81), sample_hash(0x82)};
    message->signature_count = 1;
    sample->submission.local_subjects[0] = sample_id(0x90);
    sample->submission.local_subjects[1] = sample_id(0x91);
    sample->submission.local_subject_count = 2;
    return is_good;
}

#endif
