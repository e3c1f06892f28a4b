#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/index.h"
#include "unit/store/logstore.h"

#define LEAVES 3000

struct fixture {
    char parent[64];
    char path[80];
    struct index *index;
};

static void reopen(struct fixture *f)
{
    const struct index_options options = {
        .path = f->path, .origin = ORIGIN, .epoch = 1, .map_size = TEST_MAP};

    index_free(f->index);
    f->index = NULL;
    assert_int_equal(index_open(&options, &f->index), RC_OK);
}

static struct index_term person(const uint8_t id[16])
{
    return (struct index_term){INDEX_PERSON, BYTES(id, 16)};
}

/* Every third leaf is of the person, all are of the member. */
static void fill(struct index *index, uint64_t from, uint64_t to)
{
    static const uint8_t ana[16] = "ana";
    const struct index_term member = {INDEX_MEMBER, bytes_text("cdmx/ssc")};
    const struct index_term who = person(ana);
    OWN_PTR(index_batch) batch = index_batch_new();

    assert_non_null(batch);
    for (uint64_t leaf = from; leaf < to; leaf++) {
        assert_int_equal(index_batch_add(batch, leaf, &member), RC_OK);
        if (leaf % 3 == 0) {
            assert_int_equal(index_batch_add(batch, leaf, &who), RC_OK);
            assert_int_equal(index_batch_add(batch, leaf, &who), RC_OK);
        }
    }
    assert_int_equal(index_put(index, batch, to), RC_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->parent, sizeof f->parent, "/tmp/enlace-index.XXXXXX");
    assert_non_null(mkdtemp(f->parent));
    snprintf(f->path, sizeof f->path, "%s/index", f->parent);
    reopen(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    index_free(f->index);
    nftw(f->parent, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static size_t count_of_ana(struct fixture *f, uint64_t from)
{
    static const uint8_t ana[16] = "ana";
    static uint64_t leaves[LEAVES];
    const struct index_term who = person(ana);
    struct index_found found = {.leaves = leaves};

    assert_int_equal(index_find(f->index, &who, from, LEAVES, &found), RC_OK);
    for (size_t i = 0; i < found.count; i++) {
        assert_true(leaves[i] >= from && leaves[i] % 3 == 0 && leaves[i] < found.up_to);
        assert_true(i == 0 || leaves[i] > leaves[i - 1]);
    }
    return found.count;
}

static enum rc walk_all(struct index *index)
{
    struct index_walk walk = {0};
    enum rc rc;

    do {
        rc = index_check(index, &walk, 100);
    } while (rc == RC_OK);
    return rc;
}

static void what_was_put_is_found_in_order_and_from_any_place(void **state)
{
    struct fixture *f = *state;
    uint64_t leaves[10];
    struct index_found found = {.leaves = leaves};
    const struct index_term other = {INDEX_MEMBER, bytes_text("cdmx/dif")};
    const struct index_term member = {INDEX_MEMBER, bytes_text("cdmx/ssc")};

    fill(f->index, 0, 1500);
    fill(f->index, 1500, LEAVES);
    assert_int_equal(index_up_to(f->index), LEAVES);
    assert_int_equal(count_of_ana(f, 0), 1000);
    assert_int_equal(count_of_ana(f, 2999), 0);
    assert_int_equal(index_find(f->index, &member, 7, 10, &found), RC_OK);
    assert_int_equal(found.count, 10);
    assert_int_equal(leaves[0], 7);
    assert_int_equal(index_find(f->index, &other, 0, 10, &found), RC_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(walk_all(f->index), RC_OUT_OF_RANGE);
}

static void it_survives_an_orderly_end_and_one_kill(void **state)
{
    struct fixture *f = *state;
    char name[128];
    FILE *file;
    char boot[64];

    fill(f->index, 0, LEAVES);
    reopen(f);
    assert_int_equal(index_up_to(f->index), LEAVES);
    index_free(f->index);
    f->index = NULL;
    file = fopen("/proc/sys/kernel/random/boot_id", "re");
    assert_non_null(file);
    assert_non_null(fgets(boot, sizeof boot, file));
    fclose(file);
    boot[strcspn(boot, "\n")] = '\0';
    for (int deaths = 0; deaths < 2; deaths++) {
        index_free(f->index);
        f->index = NULL;
        snprintf(name, sizeof name, "%s/state", f->path);
        file = fopen(name, "we");
        assert_non_null(file);
        fprintf(file, "open %s %d\n", boot, deaths);
        fclose(file);
        reopen(f);
        assert_int_equal(index_up_to(f->index), deaths == 0 ? LEAVES : 0);
    }
}

static void what_may_not_be_believed_is_begun_anew(void **state)
{
    static const char *const states[] = {"", "open another-boot 0\n", "closed 1 7\n",
                                         "closed 99 4096\n", "rubbish"};
    struct fixture *f = *state;
    char name[128];

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        FILE *file;

        fill(f->index, index_up_to(f->index), LEAVES);
        index_free(f->index);
        f->index = NULL;
        snprintf(name, sizeof name, "%s/state", f->path);
        file = fopen(name, "we");
        assert_non_null(file);
        fputs(states[i], file);
        fclose(file);
        reopen(f);
        assert_int_equal(index_up_to(f->index), 0);
        assert_int_equal(count_of_ana(f, 0), 0);
    }
}

static uint64_t generation_of(struct fixture *f)
{
    char name[128];

    for (uint64_t number = 1; number < 20; number++) {
        snprintf(name, sizeof name, "%s/%" PRIu64 "/data.mdb", f->path, number);
        if (access(name, F_OK) == 0) {
            return number;
        }
    }
    return 0;
}

static void a_cut_or_overwritten_file_is_begun_anew(void **state)
{
    struct fixture *f = *state;

    for (int how = 0; how < 3; how++) {
        char name[128];
        uint8_t junk[8192];
        int fd;

        fill(f->index, index_up_to(f->index), LEAVES);
        index_free(f->index);
        f->index = NULL;
        snprintf(name, sizeof name, "%s/%" PRIu64 "/data.mdb", f->path, generation_of(f));
        fd = open(name, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        memset(junk, 0x5a, sizeof junk);
        if (how == 0) {
            assert_int_equal(ftruncate(fd, 4096), 0);
        } else if (how == 1) {
            assert_int_equal(unlink(name), 0);
        } else {
            assert_int_equal(pwrite(fd, junk, sizeof junk, 0), (ssize_t)sizeof junk);
        }
        close(fd);
        reopen(f);
        assert_int_equal(index_up_to(f->index), 0);
    }
}

/* A bit of a key in a page: LMDB sees nothing, the walk does. */
static void a_flipped_bit_of_a_row_is_found_by_the_walk(void **state)
{
    struct fixture *f = *state;
    char name[128];
    uint8_t *bytes;
    struct stat info;
    int flips = 0;
    int fd;

    fill(f->index, 0, LEAVES);
    index_free(f->index);
    f->index = NULL;
    snprintf(name, sizeof name, "%s/%" PRIu64 "/data.mdb", f->path, generation_of(f));
    fd = open(name, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    bytes = malloc((size_t)info.st_size);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, (size_t)info.st_size, 0), info.st_size);
    for (off_t at = 0; at + 16 < info.st_size; at++) {
        if (bytes[at] == 'p' && get_u64(bytes + at + 8) == 300) {
            uint8_t changed = bytes[at + 15] ^ 1;

            assert_int_equal(pwrite(fd, &changed, 1, at + 15), 1);
            flips++;
        }
    }
    free(bytes);
    close(fd);
    assert_true(flips >= 1);
    reopen(f);
    assert_int_equal(walk_all(f->index), RC_DATA_LOSS);
    assert_int_equal(index_renew(f->index), RC_OK);
    assert_int_equal(index_up_to(f->index), 0);
    fill(f->index, 0, LEAVES);
    assert_int_equal(walk_all(f->index), RC_OUT_OF_RANGE);
    assert_int_equal(count_of_ana(f, 0), 1000);
}

static void a_rebuild_names_what_the_old_one_hid_or_invented(void **state)
{
    static const uint8_t eve[16] = "eve";
    struct fixture *f = *state;
    struct index_difference difference;
    const struct index_term invented = person(eve);
    OWN_PTR(index_batch) batch = index_batch_new();

    fill(f->index, 0, LEAVES);
    assert_int_equal(index_rebuild_begin(f->index), RC_OK);
    assert_true(index_is_rebuilding(f->index));
    assert_int_equal(count_of_ana(f, 0), 1000); /* the old one answers meanwhile */
    fill(f->index, 0, LEAVES + 10);
    assert_int_equal(index_rebuild_end(f->index, &difference), RC_OK);
    assert_int_equal(difference.missing + difference.extra, 0);
    assert_int_equal(difference.rows, LEAVES + 1000);
    assert_int_equal(index_up_to(f->index), LEAVES + 10);

    /* One that hides leaf 0..2 and has a row of nobody's. */
    assert_int_equal(index_renew(f->index), RC_OK);
    assert_int_equal(index_batch_add(batch, 2000, &invented), RC_OK);
    assert_int_equal(index_put(f->index, batch, 3), RC_OK);
    fill(f->index, 3, LEAVES);
    assert_int_equal(walk_all(f->index), RC_OUT_OF_RANGE); /* control: it is sound in itself */
    assert_int_equal(index_rebuild_begin(f->index), RC_OK);
    fill(f->index, 0, LEAVES);
    assert_int_equal(index_rebuild_end(f->index, &difference), RC_OK);
    assert_int_equal(difference.missing, 4);
    assert_int_equal(difference.extra, 1);
    assert_int_equal(difference.first_leaf, 0);
    assert_int_equal(count_of_ana(f, 0), 1000);
}

#define WITH_INDEX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_INDEX(what_was_put_is_found_in_order_and_from_any_place),
        WITH_INDEX(it_survives_an_orderly_end_and_one_kill),
        WITH_INDEX(what_may_not_be_believed_is_begun_anew),
        WITH_INDEX(a_cut_or_overwritten_file_is_begun_anew),
        WITH_INDEX(a_flipped_bit_of_a_row_is_found_by_the_walk),
        WITH_INDEX(a_rebuild_names_what_the_old_one_hid_or_invented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
