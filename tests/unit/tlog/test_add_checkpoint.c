#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tlog/add_checkpoint.h"
#include "tlog/merkle.h"

#define ORIGIN "gw.ssc/audit/2026"

/* A tree of two leaves after one of one: small enough to write its proof by hand. */
struct fixture {
    struct keyring *log_key;
    struct keyring *other_key;
    struct keyring *witness_key;
    struct vkey logs[2];
    struct vkey witness;
    uint8_t empty[DIGEST_SIZE];
    struct checkpoint one;
    struct checkpoint two;
    struct proof one_to_two;
};

static int set_up(void **state)
{
    static struct fixture f;
    uint8_t seed[ED25519_SEED_SIZE] = {1};
    uint8_t second[DIGEST_SIZE];

    f = (struct fixture){.one = {.origin = ORIGIN, .size = 1},
                         .two = {.origin = ORIGIN, .size = 2}};
    f.log_key = keyring_from_seed(seed);
    seed[0] = 2;
    f.other_key = keyring_from_seed(seed);
    seed[0] = 3;
    f.witness_key = keyring_from_seed(seed);
    merkle_empty(f.empty);
    merkle_leaf(bytes_text("one"), f.one.root);
    merkle_leaf(bytes_text("two"), second);
    merkle_node(f.one.root, second, f.two.root);
    memcpy(f.one_to_two.hashes[0], second, DIGEST_SIZE);
    f.one_to_two.count = 1;
    *state = &f;
    return vkey_of("gw.pgj/audit/2026", VKEY_ED25519, f.other_key, &f.logs[0]) != RC_OK ||
           vkey_of(ORIGIN, VKEY_ED25519, f.log_key, &f.logs[1]) != RC_OK ||
           vkey_of("gw.cdmx/witness", VKEY_COSIGNATURE, f.witness_key, &f.witness) != RC_OK;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    keyring_free(f->log_key);
    keyring_free(f->other_key);
    keyring_free(f->witness_key);
    return 0;
}

/* ---- every answer of the protocol ---- */

/* What the witness has, what is offered, what it must answer. */
struct row {
    const char *why;
    const struct checkpoint *offered;
    const struct keyring *signer;
    const struct checkpoint *last; /* NULL: never seen this log */
    uint64_t old_size;
    const struct proof *proof;
    enum witness_status answer;
};

static enum witness_status answer_to(const struct fixture *f, const struct row *row)
{
    static const struct proof none;
    OWN(buffer) note = {0};
    OWN(buffer) body = {0};
    struct add_checkpoint request;
    struct checkpoint offered;
    struct note parsed;
    enum witness_status status;

    assert_int_equal(checkpoint_sign(row->offered, row->signer, &note), RC_OK);
    add_checkpoint_write(row->old_size, row->proof != NULL ? row->proof : &none,
                         buffer_bytes(&note), &body);
    if (add_checkpoint_parse(buffer_bytes(&body), &request) != RC_OK) {
        return WITNESS_MALFORMED;
    }
    status = add_checkpoint_open(&request, f->logs, 2, &parsed, &offered);
    if (status != WITNESS_COSIGNED) {
        return status;
    }
    return row->last != NULL
               ? add_checkpoint_judge(&request, &offered, row->last->size, row->last->root)
               : add_checkpoint_judge(&request, &offered, 0, f->empty);
}

static void each_answer_of_the_protocol(void **state)
{
    const struct fixture *f = *state;
    struct checkpoint other_two = f->two;
    struct checkpoint none = {.origin = ORIGIN};
    struct checkpoint no_root = {.origin = ORIGIN};
    struct checkpoint stranger = {.origin = "gw.nobody/audit/2026", .size = 1};
    struct proof wrong = f->one_to_two;
    struct proof longer = f->one_to_two;

    other_two.root[0] ^= 1;
    memcpy(none.root, f->empty, DIGEST_SIZE);
    wrong.hashes[0][31] ^= 1;
    longer.count = 2;
    const struct row rows[] = {
        {"first sight", &f->one, f->log_key, NULL, 0, NULL, WITNESS_COSIGNED},
        {"first sight of two", &f->two, f->log_key, NULL, 0, NULL, WITNESS_COSIGNED},
        {"grown", &f->two, f->log_key, &f->one, 1, &f->one_to_two, WITNESS_COSIGNED},
        {"the same again: a heartbeat", &f->two, f->log_key, &f->two, 2, NULL, WITNESS_COSIGNED},
        {"the empty tree", &none, f->log_key, NULL, 0, NULL, WITNESS_COSIGNED},
        {"old above new", &f->one, f->log_key, &f->two, 2, NULL, WITNESS_MALFORMED},
        {"a proof from nothing", &f->two, f->log_key, NULL, 0, &f->one_to_two, WITNESS_MALFORMED},
        {"another key", &f->one, f->other_key, NULL, 0, NULL, WITNESS_UNSIGNED},
        {"another origin", &stranger, f->log_key, NULL, 0, NULL, WITNESS_UNKNOWN_LOG},
        {"old too small", &f->two, f->log_key, &f->one, 0, NULL, WITNESS_CONFLICT},
        {"old too large", &f->two, f->log_key, NULL, 1, &f->one_to_two, WITNESS_CONFLICT},
        {"old is its own, not ours", &f->two, f->log_key, &f->one, 2, NULL, WITNESS_CONFLICT},
        {"no proof", &f->two, f->log_key, &f->one, 1, NULL, WITNESS_UNPROVEN},
        {"a wrong proof", &f->two, f->log_key, &f->one, 1, &wrong, WITNESS_UNPROVEN},
        {"a longer proof", &f->two, f->log_key, &f->one, 1, &longer, WITNESS_UNPROVEN},
        {"another root, same proof", &other_two, f->log_key, &f->one, 1, &f->one_to_two,
         WITNESS_UNPROVEN},
        {"another root at one size", &other_two, f->log_key, &f->two, 2, NULL, WITNESS_UNPROVEN},
        {"a proof at one size", &f->two, f->log_key, &f->two, 2, &f->one_to_two, WITNESS_UNPROVEN},
        {"the empty tree, another root", &no_root, f->log_key, NULL, 0, NULL, WITNESS_UNPROVEN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum witness_status status = answer_to(f, &rows[i]);

        if (status != rows[i].answer) {
            fail_msg("%s: %d, not %d", rows[i].why, status, rows[i].answer);
        }
    }
}

/* ---- bodies ---- */

#define HASH "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void a_body_has_one_form(void **state)
{
    static const char *const refused[] = {
        "",                               /* nothing */
        "old 1\n",                        /* cut off */
        "old 1\n\n",                      /* no checkpoint */
        "old 01\n\nnote\n",               /* a leading zero */
        "old -1\n\nnote\n",               /* a sign */
        "old +1\n\nnote\n",               /* a sign */
        "old  1\n\nnote\n",               /* two spaces */
        "old 1 \n\nnote\n",               /* a space at the end */
        "Old 1\n\nnote\n",                /* another word */
        "old 1\r\n\r\nnote\n",            /* CR */
        "old \n\nnote\n",                 /* no number */
        "old 9223372036854775808\n\nn\n", /* 2^63 */
        "old 1\nnote\n",                  /* no empty line */
        "old 1\n" HASH "=\n\nnote\n",     /* not a hash */
        "old 1\n" HASH " \n\nnote\n",     /* not a hash */
        "old 0\n" HASH "\n\nnote\n",      /* a proof from nothing */
        "\nold 1\n\nnote\n",              /* something before */
    };
    struct add_checkpoint request;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (add_checkpoint_parse(bytes_text(refused[i]), &request) == RC_OK) {
            fail_msg("taken: %s", refused[i]);
        }
    }
    assert_int_equal(add_checkpoint_parse(bytes_text("old 7\n" HASH "\n\nnote\n"), &request),
                     RC_OK);
    assert_int_equal(request.old_size, 7);
    assert_int_equal(request.proof.count, 1);
    assert_true(bytes_are_text(request.note, "note\n"));
}

static void at_most_63_hashes_and_16_kib_of_note(void **state)
{
    struct proof proof = {.count = 63};
    struct add_checkpoint request;
    OWN(buffer) body = {0};
    OWN(buffer) note = {0};

    (void)state;
    add_checkpoint_write(9, &proof, bytes_text("n\n"), &body);
    assert_int_equal(add_checkpoint_parse(buffer_bytes(&body), &request), RC_OK);
    proof.count = 64;
    buffer_clear(&body);
    add_checkpoint_write(9, &proof, bytes_text("n\n"), &body);
    assert_int_equal(add_checkpoint_parse(buffer_bytes(&body), &request), RC_INVALID_ARGUMENT);
    while (note.size <= ADD_CHECKPOINT_NOTE_MAX) {
        buffer_put_u8(&note, 'x');
    }
    proof.count = 0;
    buffer_clear(&body);
    add_checkpoint_write(9, &proof, buffer_bytes(&note), &body);
    assert_int_equal(add_checkpoint_parse(buffer_bytes(&body), &request), RC_INVALID_ARGUMENT);
}

/* ---- answers ---- */

static void a_size_is_one_line(void **state)
{
    static const char *const refused[] = {"", "5", "05\n", "5\n\n", "5\r\n", "x\n", " 5\n"};
    uint64_t size = 0;
    OWN(buffer) answer = {0};

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_not_equal(add_checkpoint_take_size(bytes_text(refused[i]), &size), RC_OK);
    }
    add_checkpoint_put_size(20852163, &answer);
    assert_int_equal(add_checkpoint_take_size(buffer_bytes(&answer), &size), RC_OK);
    assert_int_equal(size, 20852163);
}

static void a_witness_line_is_taken_for_its_checkpoint_only(void **state)
{
    const struct fixture *f = *state;
    OWN(buffer) text = {0};
    OWN(buffer) other_text = {0};
    OWN(buffer) answer = {0};
    OWN(buffer) line = {0};
    struct vkey impostor;
    uint64_t time_s = 0;

    checkpoint_text(&f->two, &text);
    checkpoint_text(&f->one, &other_text);
    assert_int_equal(vkey_of("gw.x/witness", VKEY_COSIGNATURE, f->other_key, &impostor), RC_OK);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), impostor.name, f->other_key, 5, &answer), RC_OK);
    assert_int_equal(add_checkpoint_take_line(buffer_bytes(&answer), buffer_bytes(&text),
                                              &f->witness, &line, &time_s),
                     RC_NOT_FOUND);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), f->witness.name, f->witness_key, 77, &answer),
        RC_OK);
    assert_int_equal(add_checkpoint_take_line(buffer_bytes(&answer), buffer_bytes(&text),
                                              &f->witness, &line, &time_s),
                     RC_OK);
    assert_int_equal(time_s, 77);
    assert_true(line.size < answer.size); /* the other witness's line stays behind */
    /* What is taken by itself is taken again. */
    buffer_clear(&answer);
    buffer_put_bytes(&answer, buffer_bytes(&line));
    buffer_clear(&line);
    assert_int_equal(add_checkpoint_take_line(buffer_bytes(&answer), buffer_bytes(&text),
                                              &f->witness, &line, &time_s),
                     RC_OK);
    assert_true(bytes_equal(buffer_bytes(&line), buffer_bytes(&answer)));
    /* A cosignature of another checkpoint, however genuine. */
    assert_int_equal(add_checkpoint_take_line(buffer_bytes(&answer), buffer_bytes(&other_text),
                                              &f->witness, &line, &time_s),
                     RC_UNAUTHENTICATED);
    /* Each flipped bit. */
    for (size_t i = 0; i < answer.size * 8; i++) {
        answer.data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(add_checkpoint_take_line(buffer_bytes(&answer), buffer_bytes(&text),
                                                      &f->witness, &line, &time_s),
                             RC_OK);
        answer.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(add_checkpoint_take_line(bytes_text("\n"), buffer_bytes(&text), &f->witness,
                                              &line, &time_s),
                     RC_INVALID_ARGUMENT);
}

/* ---- paths and addresses ---- */

static void paths(void **state)
{
    static const char hex[] =
        "/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/checkpoint";
    const struct fixture *f = *state;
    uint8_t digest[DIGEST_SIZE];
    char bad[sizeof hex];

    assert_int_equal(add_checkpoint_path(bytes_text("/add-checkpoint"), digest), WITNESS_ADD);
    assert_int_equal(add_checkpoint_path(bytes_text(hex), digest), WITNESS_MONITOR);
    assert_memory_equal(digest, f->empty, DIGEST_SIZE);
    assert_int_equal(add_checkpoint_path(bytes_text("/"), digest), WITNESS_NOTHING);
    assert_int_equal(add_checkpoint_path(bytes_text(""), digest), WITNESS_NOTHING);
    assert_int_equal(add_checkpoint_path(bytes_text("/add-checkpoint/"), digest), WITNESS_NOTHING);
    assert_int_equal(add_checkpoint_path(bytes_text("/../add-checkpoint"), digest),
                     WITNESS_NOTHING);
    memcpy(bad, hex, sizeof hex);
    bad[1] = 'E'; /* upper case: another text for one thing */
    assert_int_equal(add_checkpoint_path(bytes_text(bad), digest), WITNESS_NOTHING);
    memcpy(bad, hex, sizeof hex);
    bad[70] = '/';
    assert_int_equal(add_checkpoint_path(bytes_text(bad), digest), WITNESS_NOTHING);
}

static void plain_http_stays_on_this_machine(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        const char *host;
        uint16_t port;
        const char *prefix;
    } rows[] = {
        {"http://127.0.0.1:8080/a/b", RC_OK, "127.0.0.1", 8080, "/a/b"},
        {"http://127.8.9.10/", RC_OK, "127.8.9.10", 80, ""},
        {"http://[::1]:81", RC_OK, "::1", 81, ""},
        {"http://10.0.0.1:8080", RC_PERMISSION_DENIED, NULL, 0, NULL},
        {"http://[fe80::1]:81", RC_PERMISSION_DENIED, NULL, 0, NULL},
        {"http://[::ffff:127.0.0.1]:81", RC_PERMISSION_DENIED, NULL, 0, NULL},
        {"http://localhost:81", RC_PERMISSION_DENIED, NULL, 0, NULL}, /* a name may move */
        {"http://0x7f000001:81", RC_PERMISSION_DENIED, NULL, 0, NULL},
        {"http://127.1:81", RC_PERMISSION_DENIED, NULL, 0, NULL},
        {"https://127.0.0.1", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://127.0.0.1:0", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://127.0.0.1:65536", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://127.0.0.1:", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://127.0.0.1:80/a?b", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://127.0.0.1:80/a%2fb", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://127.0.0.1:80/a b", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://u@127.0.0.1:80/", RC_PERMISSION_DENIED, NULL, 0, NULL},
        {"http://[::1:81", RC_INVALID_ARGUMENT, NULL, 0, NULL},
        {"http://", RC_INVALID_ARGUMENT, NULL, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct witness_url url;
        enum rc rc = witness_url_parse(bytes_text(rows[i].text), &url);

        if (rc != rows[i].rc) {
            fail_msg("%s: %s", rows[i].text, rc_name(rc));
        }
        if (rc == RC_OK) {
            assert_string_equal(url.host, rows[i].host);
            assert_int_equal(url.port, rows[i].port);
            assert_string_equal(url.prefix, rows[i].prefix);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_of_the_protocol),
        cmocka_unit_test(a_body_has_one_form),
        cmocka_unit_test(at_most_63_hashes_and_16_kib_of_note),
        cmocka_unit_test(a_size_is_one_line),
        cmocka_unit_test(a_witness_line_is_taken_for_its_checkpoint_only),
        cmocka_unit_test(paths),
        cmocka_unit_test(plain_http_stays_on_this_machine),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
