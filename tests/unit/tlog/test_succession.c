#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tlog/succession.h"

#define OLD_ORIGIN "gw.ssc/audit/2026"
#define NEW_ORIGIN "gw.ssc/audit/2026-2"
#define AUTHORITIES 3

/* Keys of everybody who signs here, and the statement that they agree on. */
struct scene {
    struct keyring *old_key;
    struct keyring *new_key;
    struct keyring *authority_keys[AUTHORITIES];
    struct authorities authorities;
    struct succession succession;
    char text[SUCCESSION_SIZE_MAX];
};

static struct keyring *key_of(uint8_t seed)
{
    uint8_t bytes[ED25519_SEED_SIZE];

    memset(bytes, seed, sizeof bytes);
    return keyring_from_seed(bytes);
}

static struct buffer checkpoint_of(const struct keyring *keyring, uint64_t size)
{
    struct checkpoint checkpoint = {.origin = OLD_ORIGIN, .size = size, .root = {7}};
    struct buffer note = {0};

    assert_int_equal(checkpoint_sign(&checkpoint, keyring, &note), RC_OK);
    return note;
}

static void make_authorities(struct scene *scene, unsigned quorum)
{
    OWN(buffer) text = {0};
    unsigned line;

    buffer_print(&text, "enlace-authorities v1\nquorum %u\n", quorum);
    for (int i = 0; i < AUTHORITIES; i++) {
        char name[32];
        char vkey[VKEY_TEXT_SIZE];
        struct vkey key;

        snprintf(name, sizeof name, "authority.cdmx/%d", i);
        assert_int_equal(vkey_of(name, VKEY_ED25519, scene->authority_keys[i], &key), RC_OK);
        vkey_format(&key, vkey);
        buffer_print(&text, "authority %s\n", vkey);
    }
    assert_int_equal(authorities_parse(buffer_bytes(&text), &scene->authorities, &line), RC_OK);
}

static void make_text(struct scene *scene)
{
    OWN(buffer) text = {0};

    assert_int_equal(succession_write(&scene->succession, &text), RC_OK);
    assert_true(text.size < sizeof scene->text);
    memcpy(scene->text, text.data, text.size);
    scene->text[text.size] = '\0';
}

static int set_up(void **state)
{
    static struct scene scene;
    struct succession *succession = &scene.succession;
    struct buffer note;

    memset(&scene, 0, sizeof scene);
    scene.old_key = key_of(1);
    scene.new_key = key_of(2);
    for (int i = 0; i < AUTHORITIES; i++) {
        scene.authority_keys[i] = key_of((uint8_t)(10 + i));
    }
    make_authorities(&scene, 2);
    snprintf(succession->node, sizeof succession->node, "cdmx/ssc");
    succession->epoch = 2;
    succession->cause = SUCCESSION_LOST_DISK;
    succession->begun_ms = 1795489800000;
    succession->leaves = 1240;
    assert_int_equal(vkey_of(OLD_ORIGIN, VKEY_ED25519, scene.old_key, &succession->old_key), RC_OK);
    assert_int_equal(vkey_of(NEW_ORIGIN, VKEY_ED25519, scene.new_key, &succession->new_key), RC_OK);
    note = checkpoint_of(scene.old_key, 1234);
    assert_int_equal(succession_set_last(succession, buffer_bytes(&note)), RC_OK);
    buffer_release(&note);
    make_text(&scene);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    keyring_free(scene->old_key);
    keyring_free(scene->new_key);
    for (int i = 0; i < AUTHORITIES; i++) {
        keyring_free(scene->authority_keys[i]);
    }
    return 0;
}

static void put_signature(const struct scene *scene, int who, struct buffer *note)
{
    char name[32];

    snprintf(name, sizeof name, "authority.cdmx/%d", who);
    assert_int_equal(
        note_sign_line(bytes_text(scene->text), name, scene->authority_keys[who], note), RC_OK);
}

/* Signed by these authorities, in this order; -1 ends the list. */
static struct buffer signed_by(const struct scene *scene, const int *who)
{
    struct buffer note = {0};

    buffer_print(&note, "%s\n", scene->text);
    for (; *who >= 0; who++) {
        put_signature(scene, *who, &note);
    }
    return note;
}

static void what_is_written_reads_the_same(void **state)
{
    struct scene *scene = *state;
    struct succession read;

    assert_int_equal(succession_parse(bytes_text(scene->text), &read), RC_OK);
    assert_string_equal(read.node, "cdmx/ssc");
    assert_int_equal(read.epoch, 2);
    assert_int_equal(read.cause, SUCCESSION_LOST_DISK);
    assert_true(read.begun_ms == 1795489800000);
    assert_true(read.leaves == 1240 && read.last.size == 1234);
    assert_string_equal(read.last.origin, OLD_ORIGIN);
    assert_string_equal(read.new_key.name, NEW_ORIGIN);
    assert_non_null(strstr(scene->text, "> " OLD_ORIGIN "\n> 1234\n"));
}

static void a_quorum_of_authorities_makes_it_valid(void **state)
{
    struct scene *scene = *state;
    struct succession read;
    struct buffer note = signed_by(scene, (const int[]){2, 0, -1});
    unsigned count;

    assert_int_equal(succession_open(buffer_bytes(&note), &scene->authorities, &read, &count),
                     RC_OK);
    assert_int_equal(count, 2);
    buffer_release(&note);
}

static void one_less_than_the_quorum_is_refused(void **state)
{
    struct scene *scene = *state;
    struct succession read;
    struct buffer note = signed_by(scene, (const int[]){1, -1});
    unsigned count;

    assert_int_equal(succession_open(buffer_bytes(&note), &scene->authorities, &read, &count),
                     RC_PERMISSION_DENIED);
    assert_int_equal(count, 1);
    /* The same lines suffice when one is enough: it is the count that refused them. */
    make_authorities(scene, 1);
    assert_int_equal(succession_open(buffer_bytes(&note), &scene->authorities, &read, &count),
                     RC_OK);
    buffer_release(&note);
}

static void an_authority_that_signs_twice_counts_once(void **state)
{
    struct scene *scene = *state;
    struct succession read;
    struct buffer note = signed_by(scene, (const int[]){1, 1, -1});

    assert_int_equal(succession_open(buffer_bytes(&note), &scene->authorities, &read, NULL),
                     RC_PERMISSION_DENIED);
    buffer_release(&note);
}

static void a_stranger_does_not_count(void **state)
{
    struct scene *scene = *state;
    struct succession read;
    struct buffer note = signed_by(scene, (const int[]){1, -1});

    assert_int_equal(
        note_sign_line(bytes_text(scene->text), "authority.cdmx/9", scene->new_key, &note), RC_OK);
    assert_int_equal(succession_open(buffer_bytes(&note), &scene->authorities, &read, NULL),
                     RC_PERMISSION_DENIED);
    buffer_release(&note);
}

static void any_flipped_bit_of_the_signed_statement_is_refused(void **state)
{
    struct scene *scene = *state;
    struct succession read;
    struct buffer note = signed_by(scene, (const int[]){0, 1, -1});

    for (size_t i = 0; i < note.size; i++) {
        note.data[i] ^= 1;
        assert_int_not_equal(succession_open(buffer_bytes(&note), &scene->authorities, &read, NULL),
                             RC_OK);
        note.data[i] ^= 1;
    }
    assert_int_equal(succession_open(buffer_bytes(&note), &scene->authorities, &read, NULL), RC_OK);
    buffer_release(&note);
}

static void no_shorter_text_is_read(void **state)
{
    struct scene *scene = *state;
    struct succession read;

    for (size_t size = 0; size < strlen(scene->text); size++) {
        assert_int_not_equal(succession_parse(BYTES(scene->text, size), &read), RC_OK);
    }
}

/* The text with one piece replaced. */
static void replace(const char *text, const char *from, const char *to, char *out, size_t size)
{
    const char *at = strstr(text, from);

    assert_non_null(at);
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void each_wrong_line_is_refused(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *why;
    } rows[] = {
        {"succession v1", "succession v2", "another version"},
        {"node cdmx/ssc", "node ssc", "a node without a network"},
        {"node cdmx/ssc", "node cdmx/ssc/x", "a node with three parts"},
        {"node cdmx/ssc", "node cdmx/SSC", "capitals"},
        {"epoch 2", "epoch 1", "the first epoch succeeds nothing"},
        {"epoch 2", "epoch 02", "leading zero"},
        {"epoch 2", "epoch -2", "a sign"},
        {"epoch 2", "epoch 100001", "beyond the bound"},
        {"cause lost-disk", "cause fire", "unknown cause"},
        {"cause lost-disk", "cause lost-disk ", "trailing space"},
        {"Z\n", "+00:00\n", "another way to write the same instant"},
        {"begun 20", "begun  20", "two spaces"},
        {"leaves 1240", "leaves 1233", "fewer leaves than the checkpoint"},
        {"leaves 1240", "leaves 01240", "leading zero"},
        {"leaves 1240\n", "", "a line missing"},
        {"leaves 1240\n", "leaves 1240\nnote x\n", "a line too many"},
        {"last-checkpoint\n", "last-checkpoint \n", "trailing space"},
        {"> 1234\n", "> 1235\n", "a checkpoint that the old key did not sign"},
        {"> 1234\n", "1234\n", "a line that is not quoted"},
        {"> 1234\n", ">1234\n", "quoted without a space"},
        {">\n", "> \n", "the empty line quoted with a space"},
        {"new-key gw.ssc", "new-key gw.pgj", "a key whose id is not its own"},
    };
    struct scene *scene = *state;
    struct succession read;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[SUCCESSION_SIZE_MAX];

        replace(scene->text, rows[i].from, rows[i].to, text, sizeof text);
        if (succession_parse(bytes_text(text), &read) == RC_OK) {
            fail_msg("%s was accepted", rows[i].why);
        }
    }
}

static void keys_that_make_no_sense_are_refused(void **state)
{
    struct scene *scene = *state;
    struct succession *succession = &scene->succession;
    OWN(buffer) out = {0};

    assert_int_equal(
        vkey_of("gw.pgj/audit/2026", VKEY_ED25519, scene->new_key, &succession->new_key), RC_OK);
    assert_int_equal(succession_write(succession, &out), RC_INVALID_ARGUMENT); /* institution */
    assert_int_equal(vkey_of(OLD_ORIGIN, VKEY_ED25519, scene->new_key, &succession->new_key),
                     RC_OK);
    assert_int_equal(succession_write(succession, &out), RC_INVALID_ARGUMENT); /* same origin */
    assert_int_equal(vkey_of(NEW_ORIGIN, VKEY_COSIGNATURE, scene->new_key, &succession->new_key),
                     RC_OK);
    assert_int_equal(succession_write(succession, &out), RC_INVALID_ARGUMENT); /* a witness's */
    assert_int_equal(vkey_of(NEW_ORIGIN, VKEY_ED25519, scene->old_key, &succession->new_key),
                     RC_OK);
    assert_int_equal(succession_write(succession, &out), RC_OK); /* the key survived the disk */
    succession->cause = SUCCESSION_STOLEN_KEY;
    assert_int_equal(succession_write(succession, &out), RC_INVALID_ARGUMENT); /* the thief's */
}

static void a_checkpoint_of_another_key_or_of_nothing_is_refused(void **state)
{
    struct scene *scene = *state;
    struct buffer other = checkpoint_of(scene->new_key, 1234);
    struct buffer empty = checkpoint_of(scene->old_key, 0);

    assert_int_equal(succession_set_last(&scene->succession, buffer_bytes(&other)),
                     RC_INVALID_ARGUMENT);
    assert_int_equal(succession_set_last(&scene->succession, buffer_bytes(&empty)),
                     RC_INVALID_ARGUMENT);
    buffer_release(&other);
    buffer_release(&empty);
}

/* Attack 13: what a thief signs after the fact. The other causes are its control. */
static void after_the_last_good_size_a_stolen_key_signs_nothing(void **state)
{
    struct scene *scene = *state;
    struct checkpoint before = {.origin = OLD_ORIGIN, .size = 1000};
    struct checkpoint after = {.origin = OLD_ORIGIN, .size = 1235};
    struct checkpoint rewritten = scene->succession.last;
    struct checkpoint strange = {.origin = "gw.pgj/audit/2026", .size = 10};

    rewritten.root[31] ^= 1;
    assert_true(succession_covers(&scene->succession, &after));
    scene->succession.cause = SUCCESSION_STOLEN_KEY;
    assert_true(succession_covers(&scene->succession, &before));
    assert_true(succession_covers(&scene->succession, &scene->succession.last));
    assert_false(succession_covers(&scene->succession, &after));
    assert_false(succession_covers(&scene->succession, &rewritten));
    assert_false(succession_covers(&scene->succession, &strange));
}

static void wrong_lists_of_authorities_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "enlace-authorities v2\nquorum 1\n",
        "enlace-authorities v1\n",
        "enlace-authorities v1\nquorum 1\n",
        "enlace-authorities v1\nquorum 0\nK0",
        "enlace-authorities v1\nquorum 2\nK0",
        "enlace-authorities v1\nquorum 01\nK0",
        "enlace-authorities v1\nquorum 1\nK0K0",
        "enlace-authorities v1\nquorum 1\nauthority x\n",
        "enlace-authorities v1\nquorum 1\nK0\n",
        "enlace-authorities v1\nquorum 99\nK0K1K2",
    };
    struct scene *scene = *state;
    struct authorities read;
    unsigned line;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWN(buffer) text = {0};

        for (const char *at = rows[i]; *at != '\0'; at++) {
            char vkey[VKEY_TEXT_SIZE];

            if (*at != 'K') {
                buffer_put_u8(&text, (uint8_t)*at);
                continue;
            }
            vkey_format(&scene->authorities.keys[*++at - '0'], vkey);
            buffer_print(&text, "authority %s\n", vkey);
        }
        if (authorities_parse(buffer_bytes(&text), &read, &line) == RC_OK) {
            fail_msg("row %zu was accepted", i);
        }
    }
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(what_is_written_reads_the_same),
        PROMISE(a_quorum_of_authorities_makes_it_valid),
        PROMISE(one_less_than_the_quorum_is_refused),
        PROMISE(an_authority_that_signs_twice_counts_once),
        PROMISE(a_stranger_does_not_count),
        PROMISE(any_flipped_bit_of_the_signed_statement_is_refused),
        PROMISE(no_shorter_text_is_read),
        PROMISE(each_wrong_line_is_refused),
        PROMISE(keys_that_make_no_sense_are_refused),
        PROMISE(a_checkpoint_of_another_key_or_of_nothing_is_refused),
        PROMISE(after_the_last_good_size_a_stolen_key_signs_nothing),
        PROMISE(wrong_lists_of_authorities_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
