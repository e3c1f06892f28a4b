/*
 * law - two networks of which cdmx has three authorities, texts of theirs, and notes over them.
 */
#ifndef UNIT_POLICY_LAW_FIXTURE_H
#define UNIT_POLICY_LAW_FIXTURE_H

#include "unit/policy/policy_fixture.h"

#include "base/own.h"
#include "crypto/keyring.h"
#include "policy/law.h"
#include "policy/member.h"
#include "policy/route.h"
#include "tlog/note.h"

#define DATES "2026-01-01..2026-12-31"
#define NODE_1                                                                                     \
    "node cdmx/cdmx\n  address 127.0.0.1:7441\n  origin gw.cdmx/audit/2026\n"                      \
    "  log-key gw.cdmx/audit/2026+da67467d+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"         \
    "  witness-key gw.cdmx/witness+ae40d772+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"        \
    "  in-force " DATES "\n"
#define NODE_2                                                                                     \
    "node mx/segob\n  address 127.0.0.1:7442\n  origin gw.ssc/audit/2026\n"                        \
    "  log-key gw.ssc/audit/2026+b52c27c5+AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\n"          \
    "  witness-key gw.ssc/witness+2b0f0f2d+BAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\n"         \
    "  in-force " DATES "\n"
#define GROUNDS                                                                                    \
    "convenio CONV\n  title Convenio\n  document " HEX_A "\n  in-force " DATES "\n"                \
    "aviso AVISO\n  version 1\n  document " HEX_A "\n"
#define CROSSING(retention)                                                                        \
    "route apoyo\n  from mx/segob\n  to cdmx/mpi-cdmx\n  types SupportRequest Act\n"               \
    "  codes FED-APO\n  purpose apoyo\n  basis CONV\n  aviso AVISO\n  fields identity.alias\n"     \
    "  retention " retention "\n  urgent yes\n  second-official no\n  onward never\n"              \
    "  in-force " DATES "\n"

/* Keys by one letter: A, B, C the authorities of cdmx; P, Q those of mx; others as one likes. */
static inline struct keyring *law_key(char letter)
{
    uint8_t seed[ED25519_SEED_SIZE];

    memset(seed, letter, sizeof seed);
    return keyring_from_seed(seed);
}

static inline void law_key_name(char letter, char name[16])
{
    snprintf(name, 16, "key.%c", letter);
}

static inline void law_vkey(char letter, char text[VKEY_TEXT_SIZE])
{
    OWN_PTR(keyring) keyring = law_key(letter);
    struct vkey vkey;
    char name[16];

    law_key_name(letter, name);
    assert_int_equal(vkey_of(name, VKEY_ED25519, keyring, &vkey), RC_OK);
    vkey_format(&vkey, text);
}

/* A text and signatures by these letters; a small letter's signature is false. */
struct law_text {
    char bytes[16384];
};

static inline struct bytes law_sign(const char *text, const char *letters, struct law_text *out)
{
    OWN(buffer) note = {0};

    buffer_put_bytes(&note, bytes_text(text));
    buffer_put_u8(&note, '\n');
    for (const char *at = letters; *at != '\0'; at++) {
        bool is_false = *at >= 'a';
        char letter = is_false ? (char)(*at - 32) : *at;
        OWN_PTR(keyring) keyring = law_key(letter);
        char name[16];

        law_key_name(letter, name);
        assert_int_equal(
            note_sign_line(bytes_text(is_false ? "otro\n" : text), name, keyring, &note), RC_OK);
    }
    assert_true(note.size < sizeof out->bytes);
    memcpy(out->bytes, note.data, note.size);
    return BYTES(out->bytes, note.size);
}

/* A network's text with these authorities; `more` are stanzas. */
static inline void law_network(const char *network, unsigned version, unsigned quorum,
                               const char *authorities, const char *more, char out[12288])
{
    size_t size = (size_t)snprintf(out, 12288,
                                   "enlace-directory v1\nnetwork %s\nversion %u\nin-force " DATES
                                   "\n\nquorum %u\n",
                                   network, version, quorum);

    for (const char *at = authorities; *at != '\0'; at++) {
        char vkey[VKEY_TEXT_SIZE];

        law_vkey(*at, vkey);
        size += (size_t)snprintf(out + size, 12288 - size, "authority %c\n  key %s\n", *at, vkey);
    }
    snprintf(out + size, 12288 - size, "%s", more);
}

/* A member whose roster this letter signs. */
static inline void law_member(const char *code, const char *node, char letter, char out[512])
{
    char vkey[VKEY_TEXT_SIZE];

    law_vkey(letter, vkey);
    snprintf(out, 512, "member %s\n  name Una\n  node %s\n  roster-key %s\n  in-force " DATES "\n",
             code, node, vkey);
}

static inline struct law *law_of_cdmx(void)
{
    struct authorities authorities = {.quorum = 2};
    struct law *law = law_new();

    assert_non_null(law);
    for (const char *at = "ABC"; *at != '\0'; at++) {
        char vkey[VKEY_TEXT_SIZE];

        law_vkey(*at, vkey);
        assert_int_equal(vkey_parse(bytes_text(vkey), &authorities.keys[authorities.count++]),
                         RC_OK);
    }
    assert_int_equal(law_trust(law, "cdmx", &authorities), RC_OK);
    authorities.count = 0;
    for (const char *at = "PQ"; *at != '\0'; at++) {
        char vkey[VKEY_TEXT_SIZE];

        law_vkey(*at, vkey);
        assert_int_equal(vkey_parse(bytes_text(vkey), &authorities.keys[authorities.count++]),
                         RC_OK);
    }
    assert_int_equal(law_trust(law, "mx", &authorities), RC_OK);
    return law;
}

/* Offers one note; on success *directory is replaced by what it made. */
static inline enum rc law_give(struct law *law, const char *text, const char *letters,
                               struct directory **directory, struct fault *fault)
{
    static struct law_text note;
    struct law_offer offer = {.note = law_sign(text, letters, &note), .name = "prueba"};
    struct directory *made = NULL;

    (void)!law_offer(law, &offer, 1, &made);
    if (made != NULL) {
        directory_free(*directory);
        *directory = made;
    }
    *fault = offer.fault;
    return offer.rc;
}

#endif
