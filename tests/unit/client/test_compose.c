#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "client/compose.h"
#include "client/receipt_check.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/cms.h"
#include "unit/crypto/throwaway.h"

#define ARENA_MAX ((size_t)4 << 20)
#define CREATED_MS ((int64_t)1795467167123)

static const uint8_t seed[COMPOSE_SEED_SIZE] = {42};
static const uint8_t hash[HASH_SIZE] = {1};
static struct item items[] = {
    {.number = 1,
     .code = "PRO-COD-VIG",
     .cadence_count = 22,
     .period = PERIOD_MONTH,
     .ends_on = ""},
};
static struct field_value alias[1];
static struct field_value street[2];

static void request(struct draft *draft)
{
    struct header *header = &draft->header;

    draft_init(draft);
    header->created_at_ms = CREATED_MS;
    header->from = "cdmx/mpi-cdmx";
    header->from_system = "plataforma";
    header->to = "cdmx/ssc";
    header->urgency = URGENCY_ORDINARY;
    header->catalogue_code = "PRO-COD-VIG";
    header->purpose = "proteccion";
    header->legal_basis = "LPPDDHP-29";
    header->aviso_id = "AVISO";
    header->aviso_version = "1";
    header->aviso_sha256 = BYTES_OF(hash);
    header->consent = CONSENT_GIVEN;
    header->subjects[0] = (struct subject){{{5}}, ROLE_PERSON};
    header->subject_count = 1;
    header->type = MESSAGE_MEASURE_REQUEST;
    header->items = items;
    header->item_count = 1;
    alias[0] = (struct field_value){(unsigned)field_number("identity.alias"), 0, "La Maestra"};
    draft->compartments[0] = (struct draft_compartment){0, COMPARTMENT_IDENTITY, false, alias, 1};
    draft->compartment_count = 1;
}

static void add_location(struct draft *draft)
{
    street[0] = (struct field_value){(unsigned)field_number("location.alcaldia"), 0, "09015"};
    street[1] = (struct field_value){(unsigned)field_number("location.street"), 0, "Falsa 1"};
    /* Before identity: compose puts them in order. */
    draft->compartments[1] = draft->compartments[0];
    draft->compartments[0] = (struct draft_compartment){0, COMPARTMENT_LOCATION, true, street, 2};
    draft->compartment_count = 2;
}

static struct submission *read_back(const struct composed *composed, struct arena *arena)
{
    struct submission *submission = arena_alloc(arena, sizeof *submission);
    struct fault fault = {0};

    if (codec_submit_read(buffer_bytes(&composed->request), arena, submission, &fault) != RC_OK) {
        print_error("%s %s\n", fault.reason, fault.path);
        fail();
    }
    return submission;
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    OWN(composed) first = {0};
    OWN(composed) second = {0};
    OWN(composed) other = {0};
    uint8_t other_seed[COMPOSE_SEED_SIZE] = {43};
    struct draft draft;

    (void)state;
    request(&draft);
    assert_int_equal(compose(&draft, seed, &first, NULL), RC_OK);
    request(&draft);
    assert_int_equal(compose(&draft, seed, &second, NULL), RC_OK);
    request(&draft);
    assert_int_equal(compose(&draft, other_seed, &other, NULL), RC_OK);
    assert_true(bytes_equal(buffer_bytes(&first.request), buffer_bytes(&second.request)));
    assert_memory_equal(first.commitment, second.commitment, HASH_SIZE);
    assert_false(id_equal(&first.message_id, &other.message_id));
    assert_memory_not_equal(first.commitment, other.commitment, HASH_SIZE);
    assert_true(id_is_v7(&first.message_id));
    assert_int_equal(id_instant_ms(&first.message_id), CREATED_MS);
}

static void what_was_composed_is_read_back(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(composed) composed = {0};
    struct submission *submission;
    uint8_t commitment[HASH_SIZE];
    struct draft draft;

    (void)state;
    request(&draft);
    draft.local_subjects[0] = (struct id){{6}};
    draft.local_subject_count = 1;
    assert_int_equal(compose(&draft, seed, &composed, NULL), RC_OK);
    submission = read_back(&composed, arena);
    assert_true(id_equal(&submission->message.header.message_id, &composed.message_id));
    assert_true(message_opens(&submission->message));
    assert_string_equal(submission->message.header.items[0].code, "PRO-COD-VIG");
    assert_int_equal(submission->local_subject_count, 1);
    assert_int_equal(receipt_commitment(&submission->message, commitment), RC_OK);
    assert_memory_equal(commitment, composed.commitment, HASH_SIZE);
}

static struct cert *cert_of(const struct throwaway *made)
{
    struct cert *cert = NULL;
    OWN(buffer) pem = {0};

    throwaway_pem(made, &pem);
    assert_int_equal(cert_from_pem(buffer_bytes(&pem), &cert, NULL), RC_OK);
    return cert;
}

static void a_sealed_part_opens_for_its_recipient(void **state)
{
    OWN(throwaway) made = throwaway_holder("spiffe://enlace.cdmx/member/ssc/system/adapter", NULL);
    OWN_PTR(cert) cert = cert_of(&made);
    OWN_PTR(sealkey) key = NULL;
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(composed) composed = {0};
    OWN(buffer) content = {0};
    const struct cert *recipients[] = {cert};
    char path[THROWAWAY_PATH];
    struct message *message;
    struct draft draft;

    (void)state;
    throwaway_key_file(made.key, 0600, path);
    assert_int_equal(sealkey_load(path, &key, NULL), RC_OK);
    unlink(path);
    request(&draft);
    add_location(&draft);
    draft.recipients = recipients;
    draft.recipient_count = 1;
    assert_int_equal(compose(&draft, seed, &composed, NULL), RC_OK);
    message = &read_back(&composed, arena)->message;
    assert_int_equal(message->compartment_count, 2);
    assert_int_equal(message->compartments[0].part, COMPARTMENT_IDENTITY);
    assert_true(message->compartments[1].is_sealed);
    assert_int_equal(message->header.seal_count, 1);
    assert_int_equal(message->header.seals[0].part, COMPARTMENT_LOCATION);
    assert_int_equal(cms_open(message->compartments[1].content, cert, key,
                              message->header.seals[0].sha256.data, &content),
                     RC_OK);
    assert_null(memmem(composed.request.data, composed.request.size, "Falsa 1", 7));
    assert_non_null(memmem(content.data, content.size, "Falsa 1", 7));
}

static void an_official_signs_the_commitment(void **state)
{
    OWN(throwaway)
    made = throwaway_holder("spiffe://enlace.cdmx/member/ssc/official/enlace-01", NULL);
    OWN_PTR(cert) cert = cert_of(&made);
    OWN_PTR(actkey) key = NULL;
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(composed) composed = {0};
    char path[THROWAWAY_PATH];
    struct message *message;
    struct draft draft;

    (void)state;
    throwaway_key_file(made.key, 0600, path);
    assert_int_equal(actkey_load(path, &key, NULL), RC_OK);
    unlink(path);
    request(&draft);
    draft.signers[0] = (struct draft_signer){cert, key};
    draft.signer_count = 1;
    assert_int_equal(compose(&draft, seed, &composed, NULL), RC_OK);
    message = &read_back(&composed, arena)->message;
    assert_int_equal(message->signature_count, 1);
    assert_true(bytes_equal(message->signatures[0].certificate, cert_der(cert)));
    assert_int_equal(actsig_verify(cert, composed.commitment, message->signatures[0].signature),
                     RC_OK);
    composed.commitment[0] ^= 1;
    assert_int_equal(actsig_verify(cert, composed.commitment, message->signatures[0].signature),
                     RC_UNAUTHENTICATED);
}

static void bad_drafts_are_refused_by_name(void **state)
{
    OWN(composed) composed = {0};
    struct fault fault = {0};
    struct draft draft;

    (void)state;
    request(&draft);
    add_location(&draft);
    assert_int_equal(compose(&draft, seed, &composed, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "draft.seal");

    request(&draft);
    draft.compartments[1] = draft.compartments[0];
    draft.compartment_count = 2;
    fault = (struct fault){0};
    assert_int_equal(compose(&draft, seed, &composed, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "draft.compartment");

    request(&draft);
    draft.compartments[0].subject = 1;
    fault = (struct fault){0};
    assert_int_equal(compose(&draft, seed, &composed, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "draft.compartment");

    request(&draft);
    draft.compartments[0].type = COMPARTMENT_CONTACT; /* its fields are of identity */
    fault = (struct fault){0};
    assert_int_equal(compose(&draft, seed, &composed, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "draft.field");
    assert_null(composed.request.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(what_was_composed_is_read_back),
        cmocka_unit_test(a_sealed_part_opens_for_its_recipient),
        cmocka_unit_test(an_official_signs_the_commitment),
        cmocka_unit_test(bad_drafts_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
