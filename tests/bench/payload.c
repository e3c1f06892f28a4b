/*
 * payload - submissions for the benchmarks, made beforehand: what a busy platform sends to a
 * hospital.
 *
 *     payload DIRECTORY SEAL-CERTIFICATE COUNT [urgent] > FILE
 *
 * Referrals along the demonstration's route mpi-sedesa-canalizacion: header, identity, contact and
 * health in clear, narrative sealed to the hospital's system. Half of the messages are about one of
 * 10,000 known subjects, half about a new one. Sealing takes a system a fifth of a millisecond, so
 * 64 sealed compartments are made once and used in turn. `urgent`: requests for measures along
 * mpi-sedesa-medidas instead, which may be urgent. Each body stands after its length, u32
 * big-endian (see load.c). The persons are synthetic.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "crypto/cert.h"
#include "crypto/cms.h"
#include "crypto/digest.h"
#include "policy/directory_file.h"
#include "rpc/codec.h"

#define ROUTE "mpi-sedesa-canalizacion"
#define URGENT_ROUTE "mpi-sedesa-medidas"
#define KNOWN_SUBJECTS 10000
#define SEALED 64
#define CLEAR 3

struct sealed {
    struct buffer cms;
    uint8_t sha256[HASH_SIZE];
};

struct maker {
    bool is_urgent;
    const struct route *route;
    const struct aviso *aviso;
    struct sealed sealed[SEALED];
    struct buffer parts[CLEAR];
    struct buffer header;
    struct buffer request;
};

static const struct route *find_route(const struct directory *directory, const char *id,
                                      const struct aviso **aviso)
{
    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];

        for (size_t k = 0; strcmp(route->id, id) == 0 && k < directory->aviso_count; k++) {
            *aviso = &directory->avisos[k];
            if (strcmp((*aviso)->id, route->aviso) == 0) {
                return route;
            }
        }
    }
    return NULL;
}

static void compartment(enum compartment_type type, const char *const *texts, size_t count,
                        struct buffer *out)
{
    struct field_value values[8];

    assert(count <= 8);
    for (size_t i = 0; i < count; i++) {
        int number = field_number(texts[2 * i]);

        assert(number >= 0);
        values[i] = (struct field_value){.field = (unsigned)number, .text = texts[2 * i + 1]};
    }
    buffer_clear(out);
    assert(codec_compartment_write(type, values, count, out) == RC_OK);
}

static void make_sealed(struct maker *maker, const struct cert *cert)
{
    static const char *const narrative[] = {
        "narrative.summary",
        "Relato sintético para medir; no describe a nadie.",
        "narrative.risk",
        "medio",
    };
    OWN(buffer) content = {0};

    compartment(COMPARTMENT_NARRATIVE, narrative, 2, &content);
    for (size_t i = 0; i < SEALED; i++) {
        assert(cms_seal(buffer_bytes(&content), &cert, 1, &maker->sealed[i].cms,
                        maker->sealed[i].sha256) == RC_OK);
    }
}

static void make_parts(struct maker *maker, unsigned long number)
{
    char name[64];
    char phone[32];
    const char *identity[] = {"identity.full_name", name, "identity.sex", "no_especificado"};
    const char *contact[] = {"contact.phone", phone, "contact.safe_channel", "mensajería cifrada"};
    const char *health[] = {"health.needs", "Atención psicológica semanal (dato sintético)"};

    snprintf(name, sizeof name, "Persona Sintética %08lu", number);
    snprintf(phone, sizeof phone, "55 0000 %04lu", number % 10000);
    compartment(COMPARTMENT_IDENTITY, identity, 2, &maker->parts[0]);
    compartment(COMPARTMENT_CONTACT, contact, 2, &maker->parts[1]);
    compartment(COMPARTMENT_HEALTH, health, 1, &maker->parts[2]);
}

/* Stands for what a sender's system draws once and keeps: an id of its own, one for the receiver.
 */
static void subject_id(const char *use, unsigned long number, struct id *id)
{
    const struct bytes parts[] = {bytes_text(use), BYTES(&number, sizeof number)};
    uint8_t digest[DIGEST_SIZE];

    digest_of(parts, 2, digest);
    memcpy(id->bytes, digest, ID_SIZE);
}

static void make_urgent(struct header *header, struct item *item)
{
    static const uint8_t act[HASH_SIZE] = {7};

    header->urgency = URGENCY_URGENT;
    header->type = MESSAGE_MEASURE_REQUEST;
    header->catalogue_code = item->code = "PRO-PSI-SEG";
    item->period = PERIOD_WEEK;
    header->plan_issuer = "mpi";
    header->plan_id = "P1";
    header->plan_version = header->procedure = 1;
    header->decision_organ = "Consejo";
    header->decision_session = "S1";
    header->decision_date = "2019-06-03";
    header->decision_sha256 = BYTES_OF(act);
}

static void fill_header(struct maker *maker, struct header *header, struct item *item,
                        const struct sealed *sealed, const struct id *pseudonym)
{
    uint8_t random[10];

    random_fill(random, sizeof random);
    header->schema = MESSAGE_SCHEMA;
    header->created_at_ms = clock_now_ms();
    header->message_id = id_v7(header->created_at_ms, random);
    header->exchange_id = header->message_id;
    header->from = maker->route->from;
    header->from_system = "plataforma";
    header->to = maker->route->to;
    header->urgency = URGENCY_ORDINARY;
    header->catalogue_code = "CAN-PSI";
    header->purpose = maker->route->purpose;
    header->legal_basis = maker->route->basis;
    header->aviso_id = maker->aviso->id;
    header->aviso_version = maker->aviso->version;
    header->aviso_sha256 = BYTES(maker->aviso->sha256, HASH_SIZE);
    header->consent = CONSENT_GIVEN;
    header->consent_reference = "SINTETICO-1";
    header->subject_count = 1;
    header->subjects[0].role = ROLE_PERSON;
    header->subjects[0].pseudonym = *pseudonym;
    header->seal_count = 1;
    header->seals[0].part = COMPARTMENT_NARRATIVE;
    header->seals[0].sha256 = BYTES(sealed->sha256, HASH_SIZE);
    header->type = MESSAGE_REFERRAL;
    header->items = item;
    header->item_count = 1;
    *item = (struct item){
        .number = 1, .code = "CAN-PSI", .cadence_count = 1, .period = PERIOD_ONCE, .ends_on = ""};
    if (maker->is_urgent) {
        make_urgent(header, item);
    }
}

static void empty_texts(struct header *header)
{
    const char **texts[] = {
        &header->to_system,     &header->on_behalf_of,   &header->plan_issuer,
        &header->plan_id,       &header->decision_organ, &header->decision_session,
        &header->decision_date, &header->occurred_at,    &header->ends_on,
        &header->session,       &header->action_code,    &header->reason,
        &header->competent,     &header->notice_clock,   &header->aggregate_id,
        &header->notice_route,  &header->notice_late,    &header->aggregate_from,
        &header->aggregate_to,  &header->break_glass,
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = "";
    }
}

static void write_one(struct maker *maker, unsigned long number, FILE *out)
{
    static const enum compartment_type types[CLEAR] = {COMPARTMENT_IDENTITY, COMPARTMENT_CONTACT,
                                                       COMPARTMENT_HEALTH};
    static struct submission submission;
    const struct sealed *sealed = &maker->sealed[number % SEALED];
    unsigned long subject = number % 2 == 0 ? number / 2 % KNOWN_SUBJECTS : KNOWN_SUBJECTS + number;
    uint8_t blinds[CLEAR + 2][BLIND_SIZE];
    struct message *message = &submission.message;
    struct id pseudonym;
    struct item item;
    uint8_t length[4];

    memset(&submission, 0, sizeof submission);
    random_fill(blinds, sizeof blinds);
    empty_texts(&message->header);
    subject_id("sedesa", subject, &pseudonym);
    fill_header(maker, &message->header, &item, sealed, &pseudonym);
    buffer_clear(&maker->header);
    codec_header_write(&message->header, &maker->header);
    make_parts(maker, subject);
    message->header_bytes = buffer_bytes(&maker->header);
    message->header_blind = BYTES_OF(blinds[0]);
    for (size_t i = 0; i < CLEAR; i++) {
        message->compartments[i] = (struct compartment){.part = types[i],
                                                        .blind = BYTES_OF(blinds[i + 1]),
                                                        .content = buffer_bytes(&maker->parts[i])};
    }
    message->compartments[CLEAR] = (struct compartment){.part = COMPARTMENT_NARRATIVE,
                                                        .blind = BYTES_OF(blinds[CLEAR + 1]),
                                                        .content = buffer_bytes(&sealed->cms),
                                                        .is_sealed = true};
    message->compartment_count = CLEAR + 1;
    submission.local_subject_count = 1;
    subject_id("local", subject, &submission.local_subjects[0]);
    buffer_clear(&maker->request);
    codec_submit_write(&submission, &maker->request);
    assert(!maker->request.is_failed);
    put_u32(length, (uint32_t)maker->request.size);
    fwrite(length, sizeof length, 1, out);
    fwrite(maker->request.data, maker->request.size, 1, out);
}

int main(int argc, char **argv)
{
    static struct maker maker;
    struct directory *directory = NULL;
    struct cert *cert = NULL;
    char error[DIRECTORY_ERROR_SIZE];

    maker.is_urgent = argc == 5 && strcmp(argv[4], "urgent") == 0;
    if (argc != 4 && !maker.is_urgent) {
        fputs("usage: payload DIRECTORY SEAL-CERTIFICATE COUNT [urgent] > FILE\n", stderr);
        return 2;
    }
    if (directory_read(argv[1], &directory, error) != RC_OK ||
        cert_load(argv[2], &cert, NULL) != RC_OK) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    maker.route = find_route(directory, maker.is_urgent ? URGENT_ROUTE : ROUTE, &maker.aviso);
    if (maker.route == NULL) {
        fputs("the directory lacks a route of the bench\n", stderr);
        return 1;
    }
    make_sealed(&maker, cert);
    for (unsigned long i = 0; i < strtoul(argv[3], NULL, 10); i++) {
        write_one(&maker, i, stdout);
    }
    cert_free(cert);
    directory_free(directory);
    return fclose(stdout) == 0 ? 0 : 1;
}
