/*
 * fixture - a small directory and well-formed messages that the tests of policy bend.
 */
#ifndef UNIT_POLICY_POLICY_FIXTURE_H
#define UNIT_POLICY_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "policy/directory_file.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define FIXTURE_HEADER                                                                             \
    "enlace-directory v1\n"                                                                        \
    "network cdmx\n"                                                                               \
    "version 7\n"                                                                                  \
    "in-force 2026-01-01..2026-12-31\n"
#define FIXTURE_PEOPLE                                                                             \
    "member cdmx/mpi-cdmx\n  name Mecanismo\n  node cdmx/cdmx\n"                                   \
    "  in-force 2026-01-01..2026-12-31\n"                                                          \
    "member cdmx/ssc\n  name Secretaría\n  node cdmx/ssc\n  in-force 2026-01-01..2026-12-31\n"    \
    "member cdmx/old\n  name Antes\n  node cdmx/ssc\n  in-force 2026-01-01..2026-01-31\n"          \
    "node cdmx/cdmx\n  address 127.0.0.1:7441\n  origin gw.cdmx/audit/2026\n"                      \
    "  log-key gw.cdmx/audit/2026+da67467d+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"         \
    "  witness-key gw.cdmx/witness+ae40d772+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"        \
    "  in-force 2026-01-01..2026-12-31\n"                                                          \
    "node cdmx/ssc\n  address 127.0.0.1:7442\n  origin gw.ssc/audit/2026\n"                        \
    "  log-key gw.ssc/audit/2026+b52c27c5+AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\n"          \
    "  witness-key gw.ssc/witness+2b0f0f2d+BAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\n"         \
    "  in-force 2026-02-01..2026-12-31\n"                                                          \
    "system cdmx/mpi-cdmx/plataforma\n  certificate " HEX_A "\n  seal " HEX_B "\n"                 \
    "  in-force 2026-01-01..2026-06-30\n"                                                          \
    "system cdmx/mpi-cdmx/plataforma\n  certificate " HEX_B "\n  in-force "                        \
    "2026-06-01..2026-12-31\n"                                                                     \
    "system cdmx/ssc/adapter\n  acts-for enlace-01\n  in-force 2026-01-01..2026-12-31\n"           \
    "system cdmx/old/adapter\n  in-force 2026-01-01..2026-12-31\n"                                 \
    "official cdmx/ssc/enlace-01\n  certificate " HEX_A "\n  in-force 2026-01-01..2026-12-31\n"    \
    "auditor cdmx/ssc/auditor-01\n  in-force 2026-01-01..2026-12-31\n"
#define FIXTURE_GROUNDS                                                                            \
    "convenio CONV-1\n  title Convenio\n  document " HEX_A "\n"                                    \
    "  in-force 2026-01-01..2026-06-30\n"                                                          \
    "law LEY-2\n  title Ley\n  document " HEX_B "\n  in-force 2020-01-01..2030-12-31\n"            \
    "aviso AVISO\n  version 1\n  document " HEX_A "\n"                                             \
    "aviso AVISO\n  version 2\n  document " HEX_B "\n"
#define FIXTURE_ROUTES                                                                             \
    "# the one route by convenio\n"                                                                \
    "route medidas\n  from cdmx/mpi-cdmx\n  to cdmx/ssc\n"                                         \
    "  types MeasureRequest MeasureChange Act\n  types StatusReport Recall Notice\n"               \
    "  codes PRO-COD-VIG URG-INM-REF\n  purpose proteccion\n  basis CONV-1\n  aviso AVISO\n"       \
    "  fields identity.alias contact.safe_channel\n  reply-fields narrative.summary\n"             \
    "  sealed location\n  retention R2\n  urgent yes\n  clocks F1=3h F6=30d\n"                     \
    "  ladder cdmx/mpi-cdmx\n  second-official no\n  onward never\n"                               \
    "  in-force 2026-01-01..2026-11-30\n"                                                          \
    "route propias\n  from cdmx/mpi-cdmx\n  to cdmx/mpi-cdmx\n"                                    \
    "  types MeasureRequest Act StatusReport Notice\n  codes PRO-TES-SUP\n  purpose proteccion\n"  \
    "  basis LEY-2\n  aviso AVISO\n  fields identity.alias\n  reply-fields narrative.summary\n"    \
    "  retention R5\n  urgent no\n  second-official yes\n  onward through-origin\n"                \
    "  in-force 2026-01-01..2026-12-31\n"                                                          \
    "route cifras\n  from cdmx/mpi-cdmx\n  to cdmx/ssc\n  types Aggregate\n  purpose cifras\n"     \
    "  basis LEY-2\n  aviso AVISO\n  retention R5\n  urgent no\n  second-official no\n"            \
    "  onward never\n  in-force 2026-01-01..2026-12-31\n"
#define FIXTURE FIXTURE_HEADER FIXTURE_PEOPLE FIXTURE_GROUNDS FIXTURE_ROUTES

static inline int32_t fixture_day(const char *text)
{
    int32_t day = 0;

    assert_int_equal(clock_parse_date(bytes_text(text), &day), RC_OK);
    return day;
}

static inline struct directory *fixture_directory(const char *text)
{
    struct directory *directory = NULL;
    char error[DIRECTORY_ERROR_SIZE] = "";
    enum rc rc = directory_parse(bytes_text(text), "fixture", &directory, error);

    assert_string_equal(error, "");
    assert_int_equal(rc, RC_OK);
    return directory;
}

static const uint8_t fixture_ones[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                         1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const uint8_t fixture_bs[32] = {
    0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb,
    0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb};

/* 2026-05-15T12:00:00Z, in force everywhere. */
#define FIXTURE_NOW ((int64_t)1778846400000)

struct letter {
    struct message message;
    struct item items[4];
    struct figure figures[4];
    struct attachment attachments[2];
};

static inline struct id fixture_id(uint8_t salt)
{
    const uint8_t random[10] = {salt, 2, 3, 4, 5, 6, 7, 8, 9, salt};

    return id_v7(FIXTURE_NOW, random);
}

/* What every message holds. */
static inline struct message *letter_start(struct letter *letter, enum message_type type)
{
    struct message *message = &letter->message;
    struct header *header = &message->header;

    memset(letter, 0, sizeof *letter);
    header_init(header);
    header->schema = 1;
    header->message_id = fixture_id(1);
    header->exchange_id = fixture_id(1);
    header->from = "cdmx/mpi-cdmx";
    header->from_system = "plataforma";
    header->to = "cdmx/ssc";
    header->urgency = URGENCY_ORDINARY;
    header->purpose = "proteccion";
    header->legal_basis = "CONV-1";
    header->aviso_id = "AVISO";
    header->aviso_version = "2";
    header->aviso_sha256 = BYTES_OF(fixture_bs);
    header->consent = CONSENT_NOT_NEEDED;
    header->created_at_ms = FIXTURE_NOW;
    header->type = type;
    header->items = letter->items;
    header->figures = letter->figures;
    message->header_bytes = BYTES("header", 6);
    message->header_blind = BYTES_OF(fixture_ones);
    message->attachments = letter->attachments;
    return message;
}

/* What a node takes for sealed: the frame (crypto/cms) around 1 KiB that nobody can open. */
static inline struct bytes fixture_sealed(void)
{
    static const uint8_t head[] = {
        0x30, 0x82, 0x04, 0x63, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
        0x01, 0x09, 0x10, 0x01, 0x17, 0xa0, 0x82, 0x04, 0x52, /* what follows is */
        0x30, 0x82, 0x04, 0x4e, 0x02, 0x01, 0x00,             /* an envelope */
        0x31, 0x04, 0xa1, 0x02, 0x05, 0x00,                   /* for one recipient */
        0x30, 0x82, 0x04, 0x2f, 0x06, 0x09, 0x2a, 0x86, 0x48, /* of data */
        0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01,                   /* under AES-256-GCM */
        0x30, 0x1e, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01,
        0x2e, 0x30, 0x11, 0x04, 0x0c, 1,    2,    3,    4,    5,    6,    7,
        8,    9,    10,   11,   12,   0x02, 0x01, 0x10, 0x80, 0x82, 0x04, 0x00,
    };
    static uint8_t sealed[sizeof head + 1024 + 18];

    memcpy(sealed, head, sizeof head);
    sealed[sizeof head + 1024] = 0x04; /* the tag */
    sealed[sizeof head + 1025] = 16;
    return BYTES_OF(sealed);
}

static inline void letter_compartment(struct message *message, enum compartment_type type,
                                      bool is_sealed)
{
    struct compartment *compartment = &message->compartments[message->compartment_count++];

    *compartment = (struct compartment){
        .part = type,
        .blind = BYTES_OF(fixture_ones),
        .content = is_sealed ? fixture_sealed() : BYTES("content", 7),
        .is_sealed = is_sealed,
        .curp = "",
        .birth_date = "",
        .alcaldia = "",
    };
    if (is_sealed) {
        message->sealed_types |= 1u << type;
        message->header.seals[message->header.seal_count++] =
            (struct seal){.part = type, .sha256 = BYTES_OF(fixture_ones)};
    } else {
        message->clear_types |= 1u << type;
    }
}

/* Two items, a person, identity in clear, location sealed. */
static inline struct message *letter_request(struct letter *letter)
{
    struct message *message = letter_start(letter, MESSAGE_MEASURE_REQUEST);
    struct header *header = &message->header;

    header->catalogue_code = "PRO-COD-VIG";
    header->consent = CONSENT_GIVEN;
    header->item_count = 2;
    letter->items[0] = (struct item){1, "PRO-COD-VIG", 2, PERIOD_MONTH, "2026-12-12"};
    letter->items[1] = (struct item){2, "URG-INM-REF", 0, PERIOD_NONE, ""};
    header->subject_count = 1;
    header->subjects[0] = (struct subject){fixture_id(9), ROLE_PERSON};
    header->occurred_at = "2019-06-03T10:00:00-06:00";
    header->clock_count = 1;
    header->clocks[0] = (struct message_clock){"F1", FIXTURE_NOW, FIXTURE_NOW + 3 * 3600 * 1000};
    letter_compartment(message, COMPARTMENT_IDENTITY, false);
    letter_compartment(message, COMPARTMENT_LOCATION, true);
    field_set_add(&message->fields, (unsigned)field_number("identity.alias"));
    return message;
}

/* Inside an exchange, back from the executor. */
static inline struct message *letter_answer(struct letter *letter, enum message_type type)
{
    struct message *message = letter_start(letter, type);

    message->header.exchange_id = fixture_id(2);
    message->header.regards = fixture_id(2);
    message->header.from = "cdmx/ssc";
    message->header.from_system = "adapter";
    message->header.to = "cdmx/mpi-cdmx";
    return message;
}

#endif
