/*
 * fuzz_law - any bytes as a text of a network, a roster or a suspension. The text is signed here by
 * keys that count, so that the fuzzer gets past the signatures to what they sign; and the bytes are
 * offered as they are, too. Whatever is taken leaves a directory that keeps its promises; what is
 * refused leaves what was in force. Seeds in data/law/.
 */
#include <assert.h>
#include <string.h>

#include "crypto/keyring.h"
#include "policy/directory_file.h"
#include "policy/law.h"
#include "policy/suspension.h"
#include "tlog/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct law *law_with_roots(struct keyring *keys[2])
{
    struct authorities authorities = {.quorum = 2, .count = 2};
    struct law *law = law_new();

    assert(law != NULL);
    assert(vkey_of("a", VKEY_ED25519, keys[0], &authorities.keys[0]) == RC_OK);
    assert(vkey_of("b", VKEY_ED25519, keys[1], &authorities.keys[1]) == RC_OK);
    assert(law_trust(law, "cdmx", &authorities) == RC_OK);
    return law;
}

static void offer(struct law *law, struct bytes note)
{
    struct law_offer offers[2] = {{.note = note, .name = "fuzz"}, {.note = note, .name = "fuzz"}};
    struct directory *directory = NULL;
    size_t before = law_count(law);
    enum rc rc = law_offer(law, offers, 2, &directory);

    assert(rc == RC_OK || rc == RC_FAILED_PRECONDITION);
    assert(offers[0].rc != RC_OK || offers[1].rc != RC_OK); /* the same twice is taken once */
    assert(directory == NULL || law_count(law) > 0);
    assert(offers[0].rc == RC_OK || offers[1].rc == RC_OK || law_count(law) == before);
    directory_free(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seeds[2][ED25519_SEED_SIZE] = {{1}, {2}};
    struct keyring *keys[2] = {keyring_from_seed(seeds[0]), keyring_from_seed(seeds[1])};
    struct law *law = law_with_roots(keys);
    struct suspension suspension;
    struct fault fault = {0};
    OWN(buffer) note = {0};

    (void)!suspension_parse(BYTES(data, size), &suspension, &fault);
    offer(law, BYTES(data, size));
    if (note_sign(BYTES(data, size), "a", keys[0], &note) == RC_OK &&
        note_sign_line(BYTES(data, size), "b", keys[1], &note) == RC_OK) {
        offer(law, buffer_bytes(&note));
    }
    law_free(law);
    keyring_free(keys[0]);
    keyring_free(keys[1]);
    return 0;
}
