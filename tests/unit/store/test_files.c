#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "store/files.h"
#include "unit/store/vault_fixture.h"

#define MIB ((size_t)1 << 20)
#define CANARY "declaracion de la victima, folio 77"

struct fixture {
    struct places places;
    char folder[96];
    struct vault *vault;
    struct files *files;
    const struct shard *shard;
    struct files_limits limits;
    uint8_t *content; /* 20 MiB, repeating the canary */
    struct file_claim claim;
};

static void open_store(struct fixture *f)
{
    f->vault = vault_at(&f->places);
    assert_int_equal(files_open(f->folder, f->vault, &f->limits, &f->files), RC_OK);
    f->shard = shard_at(f->vault, "cdmx/ssc", 203112);
}

static void close_store(struct fixture *f)
{
    files_free(f->files);
    vault_free(f->vault);
}

/* Announces the first `size` bytes of the content. */
static void announce(struct fixture *f, size_t size)
{
    const struct bytes whole = BYTES(f->content, size);

    f->claim.size = size;
    digest_of(&whole, 1, f->claim.sha256);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->places = places_make();
    snprintf(f->folder, sizeof f->folder, "%s/files", f->places.folder);
    f->limits = (struct files_limits){.parts_per_owner_max = 3, .disk_floor = 1};
    f->content = malloc(20 * MIB);
    assert_non_null(f->content);
    for (size_t i = 0; i < 20 * MIB; i++) {
        f->content[i] =
            (uint8_t)((uint8_t)CANARY[i % sizeof CANARY] + (i % 4096 == 0 ? i >> 12 : 0));
    }
    f->claim =
        (struct file_claim){.name = {.holder = "cdmx/ssc", .id = {{1, 2, 3}}}, .owner = "cdmx/pgj"};
    announce(f, 3 * MIB + 17);
    open_store(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close_store(f);
    tree_remove(f->places.folder);
    free(f->content);
    free(f);
    return 0;
}

static enum rc begin(struct fixture *f, struct file_in **file)
{
    return files_receive(f->files, &f->claim, f->shard, file, NULL);
}

/* Chunks of `step` bytes from where the file is up to `end`. */
static enum rc send_to(struct fixture *f, struct file_in *file, size_t end, size_t step)
{
    while (file_in_offset(file) < end) {
        size_t at = (size_t)file_in_offset(file);
        size_t n = end - at < step ? end - at : step;
        const struct bytes chunk = BYTES(f->content + at, n);
        uint8_t digest[DIGEST_SIZE];
        enum rc rc;

        digest_of(&chunk, 1, digest);
        rc = file_in_put(file, at, chunk, digest, NULL);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

static void send_whole(struct fixture *f)
{
    OWN_PTR(file_in) file = NULL;

    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(send_to(f, file, f->claim.size, FILES_CHUNK_MAX), RC_OK);
    assert_true(file_in_is_complete(file));
}

static enum rc read_whole(struct fixture *f, uint64_t from)
{
    OWN_PTR(file_out) file = NULL;
    struct bytes chunk;
    enum rc rc = files_read(f->files, &f->claim.name, &file);

    if (rc != RC_OK) {
        return rc;
    }
    assert_int_equal(file_out_size(file), f->claim.size);
    for (uint64_t at = from; at < f->claim.size; at += chunk.size) {
        rc = file_out_chunk(file, at, &chunk);
        if (rc != RC_OK) {
            return rc;
        }
        assert_in_range(chunk.size, 1, FILES_CHUNK_MAX);
        assert_memory_equal(chunk.data, f->content + at, chunk.size);
    }
    assert_int_equal(file_out_chunk(file, f->claim.size, &chunk), RC_OK);
    assert_int_equal(chunk.size, 0);
    assert_int_equal(file_out_chunk(file, f->claim.size + 1, &chunk), RC_OUT_OF_RANGE);
    return RC_OK;
}

/* The only entry of a sub-folder. */
static void only_path(struct fixture *f, const char *sub, char path[PATH_MAX])
{
    char folder[200];
    DIR *listing;
    struct dirent *entry;

    snprintf(folder, sizeof folder, "%s/%s", f->folder, sub);
    listing = opendir(folder);
    assert_non_null(listing);
    path[0] = '\0';
    while ((entry = readdir(listing)) != NULL) {
        if (entry->d_name[0] != '.') {
            assert_int_equal(strlen(entry->d_name), 32);
            assert_int_equal(strspn(entry->d_name, "0123456789abcdef"), 32);
            path_join(path, folder, entry->d_name);
        }
    }
    closedir(listing);
}

static void what_came_in_chunks_of_any_size_goes_out_from_any_offset(void **state)
{
    static const size_t steps[] = {FILES_CHUNK_MAX, 100001, 4096};
    struct fixture *f = *state;
    struct file_state found;

    for (uint8_t i = 0; i < 3; i++) {
        struct file_in *file = NULL;

        f->claim.name.id.bytes[15] = i;
        assert_int_equal(begin(f, &file), RC_OK);
        assert_int_equal(send_to(f, file, f->claim.size, steps[i]), RC_OK);
        assert_int_equal(file_in_durable(file), f->claim.size);
        file_in_free(file);
        assert_int_equal(read_whole(f, 0), RC_OK);
        assert_int_equal(read_whole(f, 1), RC_OK);
        assert_int_equal(read_whole(f, FILES_BLOCK - 1), RC_OK);
        assert_int_equal(read_whole(f, f->claim.size - 1), RC_OK);
        assert_int_equal(files_stat(f->files, &f->claim.name, &found), RC_OK);
        assert_true(found.is_complete);
        assert_int_equal(found.durable, f->claim.size);
        assert_memory_equal(found.sha256, f->claim.sha256, DIGEST_SIZE);
        assert_int_equal(begin(f, &file), RC_ALREADY_EXISTS);
    }
    assert_false(tree_holds(f->places.folder, CANARY, strlen(CANARY)));
    assert_false(tree_holds(f->places.folder, "cdmx/pgj", 8));
    assert_false(tree_holds(f->places.folder, f->claim.sha256, DIGEST_SIZE));
}

static void sizes_at_the_edges_of_blocks_work(void **state)
{
    static const size_t sizes[] = {1, FILES_BLOCK - 1, FILES_BLOCK, FILES_BLOCK + 1,
                                   2 * FILES_BLOCK};
    struct fixture *f = *state;

    for (uint8_t i = 0; i < 5; i++) {
        f->claim.name.id.bytes[15] = i;
        announce(f, sizes[i]);
        send_whole(f);
        assert_int_equal(read_whole(f, 0), RC_OK);
    }
    close_store(f);
    open_store(f);
    assert_int_equal(read_whole(f, 0), RC_OK);
}

static void a_wrong_chunk_changes_nothing(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(file_in) file = NULL;
    const struct bytes chunk = BYTES(f->content, 1000);
    const struct bytes big = BYTES(f->content, FILES_CHUNK_MAX + 1);
    struct fault fault = {0};
    uint8_t digest[DIGEST_SIZE];
    uint8_t of_big[DIGEST_SIZE];

    digest_of(&chunk, 1, digest);
    digest_of(&big, 1, of_big);
    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(file_in_put(file, 1, chunk, digest, NULL), RC_OUT_OF_RANGE);
    assert_int_equal(file_in_put(file, 0, BYTES(chunk.data, 0), digest, NULL), RC_INVALID_ARGUMENT);
    assert_int_equal(file_in_put(file, 0, big, of_big, NULL), RC_INVALID_ARGUMENT);
    digest[31] ^= 1;
    assert_int_equal(file_in_put(file, 0, chunk, digest, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "attachment.chunk_digest");
    assert_int_equal(file_in_offset(file), 0);
    assert_int_equal(send_to(f, file, f->claim.size - 5, 65536), RC_OK);
    assert_int_equal(file_in_put(file, file_in_offset(file), BYTES(chunk.data, 6), digest, NULL),
                     RC_OUT_OF_RANGE);
    assert_int_equal(send_to(f, file, f->claim.size, 65536), RC_OK);
    assert_int_equal(read_whole(f, 0), RC_OK);
}

static void a_file_that_is_not_what_was_announced_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct file_in *file = NULL;
    struct file_state found;

    f->claim.sha256[0] ^= 1;
    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(send_to(f, file, f->claim.size, FILES_CHUNK_MAX), RC_INVALID_ARGUMENT);
    assert_false(file_in_is_complete(file));
    file_in_free(file);
    assert_int_equal(files_stat(f->files, &f->claim.name, &found), RC_NOT_FOUND);
    assert_int_equal(read_whole(f, 0), RC_NOT_FOUND);
    f->claim.sha256[0] ^= 1;
    send_whole(f);
    assert_int_equal(read_whole(f, 0), RC_OK);
}

static void a_connection_lost_goes_on_from_the_last_whole_block(void **state)
{
    struct fixture *f = *state;
    struct file_in *file = NULL;
    struct file_in *second = NULL;

    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(begin(f, &second), RC_ABORTED);
    assert_int_equal(send_to(f, file, MIB + 1000, 50000), RC_OK);
    file_in_free(file);
    f->claim.size++;
    assert_int_equal(begin(f, &file), RC_ALREADY_EXISTS);
    f->claim.size--;
    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(file_in_offset(file), MIB);
    assert_int_equal(file_in_durable(file), MIB);
    assert_int_equal(send_to(f, file, f->claim.size, 50000), RC_OK);
    file_in_free(file);
    assert_int_equal(read_whole(f, 0), RC_OK);
}

/* A child is killed at `kill_at`; what it said to be durable must be there. */
static void killed_at(struct fixture *f, size_t kill_at)
{
    int said[2];
    uint64_t durable = 0;
    struct file_in *file = NULL;
    struct file_state found;
    pid_t child;
    int status;

    close_store(f);
    assert_int_equal(pipe(said), 0);
    child = fork();
    if (child == 0) {
        open_store(f);
        if (begin(f, &file) != RC_OK || send_to(f, file, kill_at, 100000) != RC_OK) {
            _exit(1);
        }
        durable = file_in_durable(file);
        if (write(said[1], &durable, sizeof durable) != sizeof durable) {
            _exit(1);
        }
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(read(said[0], &durable, sizeof durable), sizeof durable);
    close(said[0]);
    close(said[1]);
    open_store(f);
    assert_int_equal(files_stat(f->files, &f->claim.name, &found), RC_OK);
    assert_true(found.durable >= durable && found.durable <= kill_at);
}

static void after_a_kill_it_goes_on_from_what_was_durable(void **state)
{
    struct fixture *f = *state;
    struct file_in *file = NULL;
    char path[PATH_MAX];

    announce(f, 11 * MIB + 5);
    killed_at(f, 5 * MIB);
    killed_at(f, 9 * MIB + 70000);
    only_path(f, "part", path);
    close_store(f);
    assert_int_equal(truncate(path, (off_t)(8 * MIB + 12345)), 0);
    open_store(f);
    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(file_in_offset(file), 8 * MIB);
    assert_int_equal(send_to(f, file, f->claim.size, FILES_CHUNK_MAX), RC_OK);
    file_in_free(file);
    assert_int_equal(read_whole(f, 0), RC_OK);
}

static void a_torn_or_changed_tail_is_cut(void **state)
{
    struct fixture *f = *state;
    struct file_in *file = NULL;
    char path[PATH_MAX];
    uint8_t *data;
    size_t size;

    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(send_to(f, file, 2 * MIB, FILES_CHUNK_MAX), RC_OK);
    file_in_free(file);
    close_store(f);
    only_path(f, "part", path);
    data = file_take(path, &size);
    data[size - FILES_BLOCK - 100] ^= 1; /* in the last block but one */
    file_put(path, data, size);
    free(data);
    open_store(f);
    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(file_in_offset(file), 2 * MIB - 2 * FILES_BLOCK);
    file_in_free(file);
    data = file_take(path, &size);
    assert_int_equal(size, 6 * (FILES_BLOCK + 28));
    free(data);
    send_whole(f);
    assert_int_equal(read_whole(f, 0), RC_OK);
}

static void any_changed_byte_is_refused_on_reading(void **state)
{
    static const char *const subs[] = {"keys", "kept"};
    struct fixture *f = *state;

    announce(f, FILES_BLOCK + 1000);
    send_whole(f);
    for (size_t s = 0; s < 2; s++) {
        char path[PATH_MAX];
        size_t size;
        uint8_t *data;

        only_path(f, subs[s], path);
        data = file_take(path, &size);
        for (size_t i = 0; i < size; i += s == 0 ? 1 : 9973) {
            data[i] ^= (uint8_t)(1 << i % 8);
            file_put(path, data, size);
            assert_int_equal(read_whole(f, 0), RC_DATA_LOSS);
            data[i] ^= (uint8_t)(1 << i % 8);
        }
        file_put(path, data, size - 1);
        assert_int_equal(read_whole(f, 0), RC_DATA_LOSS);
        file_put(path, data, size);
        assert_int_equal(read_whole(f, 0), RC_OK);
        free(data);
    }
}

static void swap(const char *a, const char *b)
{
    char aside[PATH_MAX + 8];

    snprintf(aside, sizeof aside, "%s.aside", a);
    assert_int_equal(rename(a, aside), 0);
    assert_int_equal(rename(b, a), 0);
    assert_int_equal(rename(aside, b), 0);
}

/* The path in `sub` of the one file whose path is not `other`. */
static void path_beside(struct fixture *f, const char *sub, const char *other, char path[PATH_MAX])
{
    char aside[PATH_MAX + 8];

    snprintf(aside, sizeof aside, "%s/aside", f->folder);
    assert_int_equal(rename(other, aside), 0);
    only_path(f, sub, path);
    assert_int_equal(rename(aside, other), 0);
}

static void blocks_of_another_file_or_in_another_order_are_refused(void **state)
{
    static const char *const subs[] = {"keys", "kept"};
    struct fixture *f = *state;
    char first[2][PATH_MAX];
    char second[2][PATH_MAX];
    uint8_t *data;
    size_t size;

    announce(f, 2 * FILES_BLOCK);
    send_whole(f);
    only_path(f, "keys", first[0]);
    only_path(f, "kept", first[1]);
    f->claim.name.id.bytes[0] ^= 1;
    send_whole(f);
    for (size_t s = 0; s < 2; s++) {
        path_beside(f, subs[s], first[s], second[s]);
        swap(first[s], second[s]);
        assert_int_equal(read_whole(f, 0), RC_DATA_LOSS);
        swap(first[s], second[s]);
    }
    swap(first[0], second[0]);
    swap(first[1], second[1]);
    assert_int_equal(read_whole(f, 0), RC_DATA_LOSS);
    swap(first[0], second[0]);
    swap(first[1], second[1]);
    assert_int_equal(read_whole(f, 0), RC_OK);
    data = file_take(second[1], &size);
    file_put(second[1], data + size / 2, size / 2);
    assert_int_equal(truncate(second[1], (off_t)size), 0);
    assert_int_equal(read_whole(f, 0), RC_DATA_LOSS);
    free(data);
}

static void erased_is_gone_by_either_way(void **state)
{
    struct fixture *f = *state;
    struct file_in *file = NULL;
    struct file_state found;

    announce(f, 1000);
    send_whole(f);
    assert_int_equal(files_erase(f->files, &f->claim.name), RC_OK);
    assert_int_equal(files_erase(f->files, &f->claim.name), RC_NOT_FOUND);
    assert_int_equal(read_whole(f, 0), RC_NOT_FOUND);
    announce(f, 2 * MIB);
    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(files_erase(f->files, &f->claim.name), RC_ABORTED);
    file_in_free(file);
    assert_int_equal(files_erase(f->files, &f->claim.name), RC_OK);

    announce(f, 1000);
    send_whole(f);
    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(f->shard))), RC_OK);
    assert_int_equal(read_whole(f, 0), RC_NOT_FOUND);
    assert_int_equal(files_stat(f->files, &f->claim.name, &found), RC_NOT_FOUND);
    assert_int_equal(files_sweep(f->files), 1);
    assert_int_equal(files_sweep(f->files), 0);
    assert_int_equal(files_erase(f->files, &f->claim.name), RC_NOT_FOUND);
    assert_int_equal(begin(f, &file), RC_NOT_FOUND);
}

static void early_erasure_rewraps_the_files_that_stay(void **state)
{
    struct fixture *f = *state;
    const struct shard *old = f->shard;
    struct file_in *file = NULL;
    struct file_in *late = NULL;
    size_t count = 0;

    send_whole(f);
    f->claim.name.id.bytes[0] = 99;
    assert_int_equal(begin(f, &file), RC_OK);
    assert_int_equal(send_to(f, file, MIB, FILES_CHUNK_MAX), RC_OK);
    assert_int_equal(vault_next(f->vault, old, &f->shard), RC_OK);
    f->claim.name.id.bytes[0] = 98;
    assert_int_equal(files_receive(f->files, &f->claim, old, &late, NULL), RC_ABORTED);
    f->claim.name.id.bytes[0] = 99;
    assert_int_equal(files_rewrap(f->files, old, f->shard, &count), RC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(old))), RC_OK);
    assert_int_equal(send_to(f, file, f->claim.size, FILES_CHUNK_MAX), RC_OK);
    file_in_free(file);
    close_store(f);
    open_store(f);
    assert_int_equal(read_whole(f, 0), RC_OK);
    f->claim.name.id.bytes[0] = 1;
    assert_int_equal(read_whole(f, 0), RC_OK);
    assert_int_equal(files_sweep(f->files), 0);
}

static void unfinished_files_are_bounded_per_owner_and_expire(void **state)
{
    struct fixture *f = *state;
    struct file_in *files[4] = {0};
    struct fault fault = {0};

    for (uint8_t i = 0; i < 3; i++) {
        f->claim.name.id.bytes[0] = i;
        assert_int_equal(begin(f, &files[i]), RC_OK);
    }
    f->claim.name.id.bytes[0] = 3;
    assert_int_equal(files_receive(f->files, &f->claim, f->shard, &files[3], &fault),
                     RC_RESOURCE_EXHAUSTED);
    assert_string_equal(fault.reason, "attachment.unfinished");
    f->claim.owner = "cdmx/mpi";
    assert_int_equal(begin(f, &files[3]), RC_OK);
    assert_int_equal(files_expire(f->files, INT64_MAX), 0);
    for (size_t i = 0; i < 4; i++) {
        file_in_free(files[i]);
    }
    close_store(f);
    open_store(f);
    f->claim.owner = "cdmx/pgj";
    f->claim.name.id.bytes[0] = 4;
    assert_int_equal(begin(f, &files[0]), RC_RESOURCE_EXHAUSTED);
    assert_int_equal(files_expire(f->files, clock_now_ms() - 60000), 0);
    assert_int_equal(files_expire(f->files, INT64_MAX), 4);
    assert_int_equal(begin(f, &files[0]), RC_OK);
    file_in_free(files[0]);
}

static void a_disk_at_its_floor_refuses(void **state)
{
    struct fixture *f = *state;
    struct file_in *file = NULL;
    struct fault fault = {0};

    close_store(f);
    f->limits.disk_floor = UINT64_MAX / 2;
    open_store(f);
    assert_int_equal(files_receive(f->files, &f->claim, f->shard, &file, &fault),
                     RC_RESOURCE_EXHAUSTED);
    assert_string_equal(fault.reason, "attachment.disk");
}

static void malformed_claims_are_refused(void **state)
{
    static const char long_name[] =
        "cdmx/0123456789012345678901234567890123456789012345678901234567890";
    struct fixture *f = *state;
    struct file_claim rows[] = {f->claim, f->claim, f->claim, f->claim, f->claim, f->claim};
    struct file_in *file = NULL;

    rows[0].size = 0;
    rows[1].size = FILES_SIZE_MAX + 1;
    rows[2].owner = "";
    rows[3].owner = long_name;
    rows[4].name.holder = "";
    rows[5].name.holder = long_name;
    for (size_t i = 0; i < 6; i++) {
        if (files_receive(f->files, &rows[i], f->shard, &file, NULL) != RC_INVALID_ARGUMENT) {
            fail_msg("row %zu", i);
        }
    }
}

static void what_a_crash_left_half_done_is_swept_at_the_start(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];
    char left[PATH_MAX + 8];

    send_whole(f);
    close_store(f);
    only_path(f, "kept", path);
    assert_int_equal(unlink(path), 0);
    only_path(f, "keys", path);
    snprintf(left, sizeof left, "%s.tmp", path);
    file_put(left, f->content, 10);
    open_store(f);
    only_path(f, "keys", path);
    assert_string_equal(path, "");
    send_whole(f);
    close_store(f);
    only_path(f, "keys", path);
    assert_int_equal(unlink(path), 0);
    open_store(f);
    only_path(f, "kept", path);
    assert_string_equal(path, "");
}

/* Sends all it can while the n-th call to the disk fails; RC_OK when none did. */
static enum rc send_on_failing_disk(struct fixture *f, unsigned n, bool is_for_good)
{
    OWN_PTR(file_in) file = NULL;
    enum rc rc;

    disk.calls = 0;
    disk.countdown = n;
    disk.is_for_good = is_for_good;
    rc = begin(f, &file);
    if (rc == RC_OK) {
        rc = send_to(f, file, f->claim.size, FILES_CHUNK_MAX);
    }
    disk.countdown = 0;
    disk.is_for_good = false;
    return rc;
}

static void a_disk_that_fails_at_any_call_loses_nothing_that_was_said(void **state)
{
    struct fixture *f = *state;

    announce(f, 5 * MIB);
    for (unsigned n = 1;; n++) {
        enum rc rc = send_on_failing_disk(f, n, n % 2 == 0);

        if (rc == RC_OK) {
            assert_true(n > disk.calls);
            assert_int_equal(read_whole(f, 0), RC_OK);
            break;
        }
        assert_true(rc == RC_UNAVAILABLE || rc == RC_RESOURCE_EXHAUSTED);
        assert_int_equal(read_whole(f, 0), RC_NOT_FOUND);
        if (n % 3 == 0) {
            close_store(f);
            open_store(f);
        }
        send_whole(f);
        assert_int_equal(read_whole(f, 0), RC_OK);
        assert_int_equal(files_erase(f->files, &f->claim.name), RC_OK);
    }
}

/* One of the threads of a test: cmocka's asserts are not for it. */
struct sender {
    struct fixture *f;
    uint8_t number;
    bool is_good;
};

static void *send_and_read(void *argument)
{
    struct sender *sender = argument;
    struct fixture *f = sender->f;
    struct file_claim claim = f->claim;

    for (uint8_t i = 0; i < 4; i++) {
        OWN_PTR(file_in) in = NULL;
        OWN_PTR(file_out) out = NULL;
        struct file_state found;
        struct bytes chunk;

        claim.name.id.bytes[14] = sender->number;
        claim.name.id.bytes[15] = i;
        if (files_receive(f->files, &claim, f->shard, &in, NULL) != RC_OK ||
            send_to(f, in, claim.size, FILES_CHUNK_MAX) != RC_OK ||
            files_stat(f->files, &claim.name, &found) != RC_OK || !found.is_complete ||
            files_read(f->files, &claim.name, &out) != RC_OK ||
            file_out_chunk(out, 0, &chunk) != RC_OK ||
            files_erase(f->files, &claim.name) != RC_OK) {
            return NULL;
        }
    }
    sender->is_good = true;
    return NULL;
}

static void any_thread_may_send_read_and_erase(void **state)
{
    struct fixture *f = *state;
    struct sender senders[3];
    pthread_t threads[3];
    const struct shard *old = f->shard;
    const struct shard *other = shard_at(f->vault, "cdmx/pgj", 203112);
    size_t count;

    announce(f, MIB);
    for (uint8_t i = 0; i < 3; i++) {
        senders[i] = (struct sender){.f = f, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_and_read, &senders[i]), 0);
    }
    for (int i = 0; i < 10; i++) {
        assert_int_equal(files_rewrap(f->files, other, old, &count), RC_OK);
        assert_int_equal(files_sweep(f->files), 0);
        assert_int_equal(files_expire(f->files, 0), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(senders[i].is_good);
    }
}

static size_t memory_peak(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    unsigned long kib = 0;

    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "VmHWM: %lu kB", &kib) == 1) {
            break;
        }
    }
    fclose(status);
    return (size_t)kib << 10;
}

static void a_big_file_takes_no_more_memory_than_a_small_one(void **state)
{
    struct fixture *f = *state;
    size_t before;
    int64_t start;

    announce(f, 20 * MIB);
    before = memory_peak();
    start = clock_monotonic_us();
    send_whole(f);
    print_message("received 20 MiB in %lld ms\n", (long long)(clock_monotonic_us() - start) / 1000);
    start = clock_monotonic_us();
    assert_int_equal(read_whole(f, 0), RC_OK);
    print_message("read 20 MiB in %lld ms\n", (long long)(clock_monotonic_us() - start) / 1000);
    assert_true(memory_peak() - before < 4 * MIB);
}

int main(void)
{
#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FILES(a_big_file_takes_no_more_memory_than_a_small_one),
        WITH_FILES(what_came_in_chunks_of_any_size_goes_out_from_any_offset),
        WITH_FILES(sizes_at_the_edges_of_blocks_work),
        WITH_FILES(a_wrong_chunk_changes_nothing),
        WITH_FILES(a_file_that_is_not_what_was_announced_is_dropped),
        WITH_FILES(a_connection_lost_goes_on_from_the_last_whole_block),
        WITH_FILES(after_a_kill_it_goes_on_from_what_was_durable),
        WITH_FILES(a_torn_or_changed_tail_is_cut),
        WITH_FILES(any_changed_byte_is_refused_on_reading),
        WITH_FILES(blocks_of_another_file_or_in_another_order_are_refused),
        WITH_FILES(erased_is_gone_by_either_way),
        WITH_FILES(early_erasure_rewraps_the_files_that_stay),
        WITH_FILES(unfinished_files_are_bounded_per_owner_and_expire),
        WITH_FILES(a_disk_at_its_floor_refuses),
        WITH_FILES(malformed_claims_are_refused),
        WITH_FILES(any_thread_may_send_read_and_erase),
        WITH_FILES(a_disk_that_fails_at_any_call_loses_nothing_that_was_said),
        WITH_FILES(what_a_crash_left_half_done_is_swept_at_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
