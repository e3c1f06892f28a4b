#include "store/shardfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "store/durable.h"

#define DEPTH_MAX 256
#define ID_NAME "id"
#define ID_BEGUN ID_NAME ".tmp"
#define ERASED ".erased"
#define BLOCKED ".blocked"
#define NAME_SIZE (VAULT_NAME_SIZE + 16)

static bool is_of(const char *text, size_t size, size_t max, const char *also)
{
    if (size == 0 || size > max) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        bool is_plain = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9');

        if (!is_plain && (text[i] == '\0' || strchr(also, text[i]) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool is_member(const char *text, size_t size, char separator)
{
    const char *at = memchr(text, separator, size);
    size_t network = at == NULL ? 0 : (size_t)(at - text);

    return at != NULL && is_of(text, network, 16, "") && is_of(at + 1, size - network - 1, 32, "-");
}

/* Decimal without sign or leading zero, at most max. */
static bool read_number(const char *text, size_t size, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;

    if (size == 0 || size > 10 || text[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *number = (uint32_t)value;
    return value <= max;
}

static bool is_month(uint32_t month)
{
    return month >= 197001 && month <= 999912 && month % 100 >= 1 && month % 100 <= 12;
}

enum rc shard_years(const char *retention, int32_t *years)
{
    uint32_t number = 0;

    if (retention[0] != 'R' || !read_number(retention + 1, strlen(retention + 1), 99, &number)) {
        return RC_INVALID_ARGUMENT;
    }
    *years = (int32_t)number;
    return RC_OK;
}

enum rc shard_label_make(const char *member, const char *retention, int32_t month,
                         struct shard_label *label)
{
    int32_t years = 0;

    if (strcmp(retention, VAULT_ESCROW) != 0) {
        TRY(shard_years(retention, &years));
    }
    if (!is_member(member, strlen(member), '/') || month < 0 || !is_month((uint32_t)month)) {
        return RC_INVALID_ARGUMENT;
    }
    memset(label, 0, sizeof *label);
    snprintf(label->member, sizeof label->member, "%s", member);
    *strchr(label->member, '/') = '.';
    snprintf(label->retention, sizeof label->retention, "%s", retention);
    label->month = month;
    return RC_OK;
}

/* The piece up to the separator, or to the end when there is none. */
static struct bytes next_piece(struct bytes *rest, char separator)
{
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, separator, rest->size);
    struct bytes piece = *rest;

    if (end == NULL) {
        *rest = (struct bytes){0};
    } else {
        piece.size = (size_t)(end - rest->data);
        *rest = BYTES(end + 1, rest->size - piece.size - 1);
    }
    return piece;
}

enum rc shard_label_parse(struct bytes name, struct shard_label *label)
{
    struct bytes rest = name;
    struct bytes member = next_piece(&rest, '/');
    struct bytes retention = next_piece(&rest, '/');
    struct bytes month = next_piece(&rest, '.');
    int32_t years = 0;
    uint32_t number = 0;

    memset(label, 0, sizeof *label);
    if (!is_member((const char *)member.data, member.size, '.') ||
        retention.size >= sizeof label->retention || month.size != 6 ||
        !read_number((const char *)month.data, month.size, 999912, &number) || !is_month(number) ||
        !read_number((const char *)rest.data, rest.size, INT32_MAX, &label->generation)) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(label->member, member.data, member.size);
    memcpy(label->retention, retention.data, retention.size);
    label->month = (int32_t)number;
    return strcmp(label->retention, VAULT_ESCROW) == 0 ? RC_OK
                                                       : shard_years(label->retention, &years);
}

void shard_label_format(const struct shard_label *label, char out[VAULT_NAME_SIZE])
{
    snprintf(out, VAULT_NAME_SIZE, "%s/%s/%06d.%u", label->member, label->retention,
             (int)label->month, (unsigned)label->generation);
}

/* Whether the folder lies in, or is, the one that `around` describes. Takes fd. */
static bool lies_within(int fd, const struct stat *around)
{
    struct stat here;
    struct stat below = {0};
    bool is_within = false;

    for (int depth = 0; depth < DEPTH_MAX && fstat(fd, &here) == 0 && !is_within; depth++) {
        int up;

        is_within = here.st_dev == around->st_dev && here.st_ino == around->st_ino;
        if (depth > 0 && here.st_dev == below.st_dev && here.st_ino == below.st_ino) {
            break;
        }
        below = here;
        up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        if (up < 0) {
            return true; /* what cannot be looked at is not trusted */
        }
        fd = up;
    }
    close(fd);
    return is_within;
}

static enum rc parent_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int n = slash == NULL   ? snprintf(out, PATH_MAX, ".")
            : slash == path ? snprintf(out, PATH_MAX, "/")
                            : snprintf(out, PATH_MAX, "%.*s", (int)(slash - path), path);

    return n > 0 && n < PATH_MAX ? RC_OK : RC_INVALID_ARGUMENT;
}

static enum rc refuse_place(const char *path, const char *why)
{
    return failed(RC_FAILED_PRECONDITION, "vault.refused", "path=%s why=\"%s\"", path, why);
}

/* Neither within the other; a log folder that is not there yet counts by its parent. */
static enum rc check_apart(int root, const struct stat *vault, const char *path,
                           const char *log_folder)
{
    char parent[PATH_MAX];
    struct stat log;
    int fd = open(log_folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &log) == 0) {
        int again = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (again < 0 || lies_within(again, &log)) {
            close(fd);
            return refuse_place(path, "inside the log's folder");
        }
    } else if (fd < 0) {
        TRY(parent_of(log_folder, parent));
        fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0) {
        return refuse_place(path, "the log's folder cannot be looked at");
    }
    return lies_within(fd, vault) ? refuse_place(path, "around the log's folder") : RC_OK;
}

static enum rc check_root(int root, const char *path, const char *log_folder)
{
    struct stat status;

    if (fstat(root, &status) != 0) {
        return durable_failed("vault.open", path);
    }
    if (status.st_uid != geteuid()) {
        return refuse_place(path, "owned by another user");
    }
    if ((status.st_mode & 077) != 0) {
        return refuse_place(path, "group or others may use it; chmod 0700");
    }
    TRY(check_apart(root, &status, path, log_folder));
    return flock(root, LOCK_EX | LOCK_NB) == 0 ? RC_OK : refuse_place(path, "already in use");
}

static enum rc make_root(const char *path)
{
    char parent[PATH_MAX];
    int fd;
    enum rc rc;

    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? RC_OK : durable_failed("vault.open", path);
    }
    TRY(parent_of(path, parent));
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return durable_failed("vault.open", parent);
    }
    rc = durable_sync(fd, parent);
    close(fd);
    return rc;
}

enum rc shardfile_root(const char *path, const char *log_folder, int *root)
{
    int fd;
    enum rc rc;

    TRY(make_root(path));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return durable_failed("vault.open", path);
    }
    rc = check_root(fd, path, log_folder);
    if (rc != RC_OK) {
        close(fd);
        return rc;
    }
    *root = fd;
    return RC_OK;
}

enum rc shardfile_id(int root, uint8_t id[VAULT_ID_SIZE])
{
    size_t size = 0;

    TRY(durable_read(root, ID_NAME, id, VAULT_ID_SIZE, &size));
    return size == VAULT_ID_SIZE ? RC_OK : failed(RC_DATA_LOSS, "vault.id", "size=%zu", size);
}

enum rc shardfile_id_write(int root, const uint8_t id[VAULT_ID_SIZE])
{
    return durable_write(root, ID_NAME, BYTES(id, VAULT_ID_SIZE));
}

/* The folder of a shard and its file's name in it. */
static enum rc open_folder(int root, const struct shard_label *label, bool is_made, int *folder,
                           char name[VAULT_NAME_SIZE])
{
    int member = -1;
    enum rc rc;

    snprintf(name, VAULT_NAME_SIZE, "%06d.%u", (int)label->month, (unsigned)label->generation);
    TRY(durable_folder(root, label->member, is_made, &member));
    rc = durable_folder(member, label->retention, is_made, folder);
    close(member);
    return rc;
}

static void suffixed(const char *name, const char *suffix, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "%s%s", name, suffix);
}

static bool is_there(int folder, const char *name)
{
    return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

enum rc shardfile_write(int root, const struct shard_label *label, bool is_blocked,
                        const uint8_t key[VAULT_KEY_SIZE])
{
    char base[VAULT_NAME_SIZE];
    char name[NAME_SIZE];
    int folder = -1;
    enum rc rc;

    TRY(open_folder(root, label, true, &folder, base));
    suffixed(base, is_blocked ? BLOCKED : "", name);
    if (is_there(folder, name)) {
        rc = failed(RC_ALREADY_EXISTS, "vault.write", "name=%s", name);
    } else {
        rc = durable_write(folder, name, BYTES(key, VAULT_KEY_SIZE));
        if (rc != RC_OK && unlinkat(folder, name, 0) == 0) {
            log_warn("vault.write_undone", "name=%s", name);
        }
    }
    close(folder);
    return rc;
}

enum rc shardfile_block(int root, const struct shard_label *label)
{
    char name[VAULT_NAME_SIZE];
    char blocked[NAME_SIZE];
    int folder = -1;
    enum rc rc = RC_OK;

    TRY(open_folder(root, label, false, &folder, name));
    suffixed(name, BLOCKED, blocked);
    if (renameat(folder, name, folder, blocked) != 0 &&
        (errno != ENOENT || !is_there(folder, blocked))) {
        rc = durable_failed("vault.block", name);
    }
    rc = rc == RC_OK ? durable_sync(folder, name) : rc;
    close(folder);
    return rc;
}

static enum rc read_key(int folder, const char *name, uint8_t key[VAULT_KEY_SIZE])
{
    size_t size = 0;

    TRY(durable_read(folder, name, key, VAULT_KEY_SIZE, &size));
    return size == VAULT_KEY_SIZE
               ? RC_OK
               : failed(RC_DATA_LOSS, "vault.key", "shard=%s size=%zu", name, size);
}

enum rc shardfile_blocked(int root, const struct shard_label *label, uint8_t key[VAULT_KEY_SIZE])
{
    char name[VAULT_NAME_SIZE];
    char blocked[NAME_SIZE];
    int folder = -1;
    enum rc rc;

    TRY(open_folder(root, label, false, &folder, name));
    suffixed(name, BLOCKED, blocked);
    rc = read_key(folder, blocked, key);
    close(folder);
    return rc;
}

static enum rc overwrite(int folder, const char *name)
{
    uint8_t noise[VAULT_KEY_SIZE];
    int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    enum rc rc = RC_OK;

    if (fd < 0) {
        return errno == ENOENT ? RC_NOT_FOUND : durable_failed("vault.destroy", name);
    }
    random_fill(noise, sizeof noise);
    if (!durable_write_at(fd, noise, sizeof noise, 0) || fsync(fd) != 0) {
        rc = durable_failed("vault.destroy", name);
    }
    close(fd);
    return rc;
}

/* Overwrites and unlinks; a name that is not there is done already. */
static enum rc wipe(int folder, const char *name)
{
    enum rc rc = overwrite(folder, name);

    rc = rc == RC_OK ? durable_unlink(folder, name) : rc;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc destroy_in(int folder, const char *name)
{
    char mark[NAME_SIZE];
    char blocked[NAME_SIZE];

    suffixed(name, ERASED, mark);
    suffixed(name, BLOCKED, blocked);
    if (!is_there(folder, mark)) {
        TRY(durable_write(folder, mark, (struct bytes){0}));
    }
    TRY(wipe(folder, name));
    TRY(wipe(folder, blocked));
    return durable_sync(folder, name);
}

enum rc shardfile_destroy(int root, const struct shard_label *label)
{
    char name[VAULT_NAME_SIZE];
    int folder = -1;
    enum rc rc;

    TRY(open_folder(root, label, false, &folder, name));
    rc = destroy_in(folder, name);
    close(folder);
    return rc;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t tail = strlen(end);

    return size >= tail && strcmp(text + size - tail, end) == 0;
}

/* What an entry's name says; the suffix is cut off. */
static enum shard_state state_of(char name[NAME_SIZE])
{
    static const struct {
        const char *suffix;
        enum shard_state state;
    } states[] = {{ERASED, SHARD_ERASED}, {BLOCKED, SHARD_BLOCKED}};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (ends_with(name, states[i].suffix)) {
            name[strlen(name) - strlen(states[i].suffix)] = '\0';
            return states[i].state;
        }
    }
    return SHARD_OPEN;
}

/* One entry of a class's folder. */
static enum rc scan_file(int folder, const char *above, const char *entry, struct vault *vault,
                         shardfile_found *found)
{
    char whole[2 * VAULT_NAME_SIZE];
    char name[NAME_SIZE];
    uint8_t key[VAULT_KEY_SIZE];
    struct shard_label label;
    enum shard_state state;
    enum rc rc;

    if (ends_with(entry, ".tmp")) {
        return wipe(folder, entry); /* a key that was never used, or a mark that was never made */
    }
    snprintf(name, sizeof name, "%.*s", (int)sizeof name - 1, entry);
    state = state_of(name);
    snprintf(whole, sizeof whole, "%s/%.*s", above, VAULT_NAME_SIZE - 1, name);
    if (shard_label_parse(bytes_text(whole), &label) != RC_OK) {
        log_warn("vault.stranger", "folder=%s name=%s", above, entry);
        return RC_OK;
    }
    if (state != SHARD_OPEN) {
        if (state == SHARD_ERASED) {
            TRY(destroy_in(folder, name));
        }
        return found(vault, &label, state, NULL);
    }
    rc = read_key(folder, name, key);
    if (rc == RC_NOT_FOUND) {
        return RC_OK; /* its mark came first, and finished it */
    }
    TRY(rc);
    rc = found(vault, &label, SHARD_OPEN, key);
    explicit_bzero(key, sizeof key);
    return rc;
}

static DIR *open_listing(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);

    if (listing == NULL && fd >= 0) {
        close(fd);
    }
    return listing;
}

/* depth 0: the vault's members; 1: a member's classes; 2: a class's files. */
static enum rc scan_folder(int folder, const char *above, int depth, struct vault *vault,
                           shardfile_found *found)
{
    DIR *listing = open_listing(folder);
    struct dirent *entry;
    enum rc rc = RC_OK;

    if (listing == NULL) {
        return durable_failed("vault.scan", above);
    }
    while (rc == RC_OK && (entry = readdir(listing)) != NULL) {
        char path[VAULT_NAME_SIZE];
        int n = snprintf(path, sizeof path, "%s%s%s", above, depth == 0 ? "" : "/", entry->d_name);
        int32_t years = 0;
        int child = -1;
        bool is_ours = depth == 0 ? is_member(entry->d_name, strlen(entry->d_name), '.')
                                  : strcmp(entry->d_name, VAULT_ESCROW) == 0 ||
                                        shard_years(entry->d_name, &years) == RC_OK;

        if (entry->d_name[0] == '.' || (depth == 0 && strcmp(entry->d_name, ID_NAME) == 0)) {
            continue;
        }
        if (depth == 0 && entry->d_type == DT_REG && strcmp(entry->d_name, ID_BEGUN) == 0) {
            rc = durable_unlink(folder, entry->d_name); /* the first start was cut short */
        } else if (depth == 2) {
            rc = scan_file(folder, above, entry->d_name, vault, found);
        } else if (!is_ours || n < 0 || (size_t)n >= sizeof path) {
            log_warn("vault.stranger", "name=%s", entry->d_name);
        } else {
            rc = durable_folder(folder, entry->d_name, false, &child);
            if (rc == RC_OK) {
                rc = scan_folder(child, path, depth + 1, vault, found);
                close(child);
            }
        }
    }
    closedir(listing);
    return rc;
}

enum rc shardfile_scan(int root, struct vault *vault, shardfile_found *found)
{
    return scan_folder(root, "", 0, vault, found);
}
