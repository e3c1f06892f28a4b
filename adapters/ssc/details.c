#include "ssc/details.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "rpc/codec.h"
#include "sdk/book.h"

#define PATH_SIZE 700
#define HEX_SIZE (2 * DIGEST_SIZE + 1)
#define UUID_LENGTH (ID_TEXT_SIZE - 1)
#define SECRET "secret"
#define NAME_MAX_LENGTH 64

/* A row of the book: "<state> <exchange> <instant, ms> <certificate> <officer>". */
struct row {
    char state; /* w waits, p pulled, g gone */
    char exchange[ID_TEXT_SIZE];
    long long at_ms; /* kept, or first pulled */
    char certificate[HEX_SIZE];
    char officer[DETAILS_OFFICER_SIZE];
};

struct details {
    pthread_mutex_t lock;
    struct book *rows; /* message -> row; "secret" */
    struct book *officers;
    char folder[PATH_SIZE];
    int64_t window_ms;
    int64_t keep_ms;
    uint8_t secret[DIGEST_SIZE];
};

/* ---- opening ---- */

static enum rc take_secret(struct details *details)
{
    char text[BOOK_VALUE_MAX + 1];
    char made[HEX_SIZE];

    if (book_find(details->rows, SECRET, text) == RC_OK) {
        return hex_decode(text, details->secret, DIGEST_SIZE) == RC_OK ? RC_OK : RC_DATA_LOSS;
    }
    random_fill(details->secret, DIGEST_SIZE);
    hex_encode(details->secret, DIGEST_SIZE, made);
    return book_put(details->rows, SECRET, made);
}

enum rc details_open(const char *folder, int64_t window_ms, int64_t keep_ms,
                     struct details **details)
{
    OWN_PTR(details) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_init(&made->lock, NULL);
    made->window_ms = window_ms;
    made->keep_ms = keep_ms;
    snprintf(made->folder, sizeof made->folder, "%s/details", folder);
    if (mkdir(made->folder, 0700) != 0 && errno != EEXIST) {
        return failed(RC_UNAVAILABLE, "details.folder", "cause=%s", strerror(errno));
    }
    TRY(book_open(folder, "details", &made->rows));
    TRY(book_open(folder, "officers", &made->officers));
    TRY(take_secret(made));
    *details = MOVE(made);
    return RC_OK;
}

void details_free(struct details *details)
{
    if (details != NULL) {
        book_free(details->rows);
        book_free(details->officers);
        pthread_mutex_destroy(&details->lock);
        explicit_bzero(details->secret, sizeof details->secret);
        free(details);
    }
}

/* ---- rows ---- */

static enum rc find_row(struct details *details, const char *message, struct row *row)
{
    char text[BOOK_VALUE_MAX + 1];

    *row = (struct row){0};
    TRY(book_find(details->rows, message, text));
    return sscanf(text, "%c %36s %lld %64s %24s", &row->state, row->exchange, &row->at_ms,
                  row->certificate, row->officer) == 5
               ? RC_OK
               : RC_DATA_LOSS;
}

static enum rc put_row(struct details *details, const char *message, const struct row *row)
{
    char text[BOOK_VALUE_MAX + 1];

    snprintf(text, sizeof text, "%c %s %lld %s %s", row->state, row->exchange, row->at_ms,
             row->certificate[0] != '\0' ? row->certificate : "-",
             row->officer[0] != '\0' ? row->officer : "-");
    return book_put(details->rows, message, text);
}

/* A clock that went back ends it, too. */
static bool is_over(const struct details *details, const struct row *row, int64_t now_ms)
{
    int64_t limit_ms = row->state == 'p' ? details->window_ms : details->keep_ms;

    return row->state == 'g' || now_ms < row->at_ms || now_ms - row->at_ms >= limit_ms;
}

/* ---- files ---- */

static void path_of(const struct details *details, const char *name, char path[PATH_SIZE + 64])
{
    snprintf(path, PATH_SIZE + 64, "%s/%s", details->folder, name);
}

static enum rc write_all(int file, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t n = write(file, bytes.data, bytes.size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return RC_UNAVAILABLE;
        }
        bytes = BYTES(bytes.data + n, bytes.size - (size_t)n);
    }
    return fsync(file) == 0 ? RC_OK : RC_UNAVAILABLE;
}

static enum rc sync_folder(const struct details *details)
{
    int folder = open(details->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = folder >= 0 && fsync(folder) == 0;

    if (folder >= 0) {
        close(folder);
    }
    return is_synced ? RC_OK : RC_UNAVAILABLE;
}

static enum rc write_file(const struct details *details, const char *name, struct bytes bytes)
{
    char path[PATH_SIZE + 64];
    char part[PATH_SIZE + 72];
    int file;
    enum rc rc;

    path_of(details, name, path);
    snprintf(part, sizeof part, "%s.part", path);
    file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return failed(RC_UNAVAILABLE, "details.write", "cause=%s", strerror(errno));
    }
    rc = write_all(file, bytes);
    close(file);
    if (rc != RC_OK || rename(part, path) != 0 || sync_folder(details) != RC_OK) {
        return failed(RC_UNAVAILABLE, "details.write", "cause=%s", strerror(errno));
    }
    return RC_OK;
}

static enum rc read_file(const struct details *details, const char *name, struct buffer *out)
{
    char path[PATH_SIZE + 64];
    uint8_t piece[4096];
    size_t n;
    FILE *file;

    path_of(details, name, path);
    file = fopen(path, "re");
    if (file == NULL) {
        return RC_NOT_FOUND;
    }
    while (out->size <= MESSAGE_BYTES_MAX && (n = fread(piece, 1, sizeof piece, file)) > 0) {
        buffer_put(out, piece, n);
    }
    fclose(file);
    explicit_bzero(piece, sizeof piece);
    return out->is_failed || out->size > MESSAGE_BYTES_MAX ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* The row says so first: what a crash leaves of the file is removed by the next sweep. */
static enum rc end_row(struct details *details, const char *message, struct row *row)
{
    char path[PATH_SIZE + 64];

    row->state = 'g';
    TRY(put_row(details, message, row));
    path_of(details, message, path);
    if (unlink(path) != 0 && errno != ENOENT) {
        return failed(RC_UNAVAILABLE, "details.remove", "cause=%s", strerror(errno));
    }
    return RC_OK;
}

/* ---- tokens ---- */

static void make_token(const struct details *details, const char message[ID_TEXT_SIZE],
                       char token[DETAILS_TOKEN_SIZE])
{
    const struct bytes parts[] = {bytes_text("detalle"), bytes_text(message)};
    uint8_t code[DIGEST_SIZE];
    char hex[HEX_SIZE];

    hmac_of(BYTES_OF(details->secret), parts, 2, code);
    hex_encode(code, DIGEST_SIZE, hex);
    snprintf(token, DETAILS_TOKEN_SIZE, "%s.%s", message, hex);
}

/* Whose token it is, compared in constant time. */
static bool read_token(const struct details *details, struct bytes token,
                       char message[ID_TEXT_SIZE])
{
    char right[DETAILS_TOKEN_SIZE];
    struct bytes given[1] = {token};
    struct bytes wanted[1];
    uint8_t a[DIGEST_SIZE];
    uint8_t b[DIGEST_SIZE];

    if (token.size != DETAILS_TOKEN_SIZE - 1) {
        return false;
    }
    memcpy(message, token.data, UUID_LENGTH);
    message[UUID_LENGTH] = '\0';
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        if (strchr("0123456789abcdef-", message[i]) == NULL) {
            return false; /* it becomes a file's name */
        }
    }
    make_token(details, message, right);
    wanted[0] = BYTES(right, DETAILS_TOKEN_SIZE - 1);
    digest_of(given, 1, a);
    digest_of(wanted, 1, b);
    return digest_equal(a, b);
}

enum rc details_keep(struct details *details, const struct message *message, int64_t now_ms,
                     char token[DETAILS_TOKEN_SIZE])
{
    OWN(buffer) bytes = {0};
    char name[ID_TEXT_SIZE];
    struct row row;
    enum rc rc;

    id_format(&message->header.message_id, name);
    make_token(details, name, token);
    pthread_mutex_lock(&details->lock);
    rc = find_row(details, name, &row);
    if (rc == RC_NOT_FOUND) {
        row = (struct row){.state = 'w', .at_ms = now_ms};
        id_format(&message->header.exchange_id, row.exchange);
        codec_message_write(message, &bytes);
        rc = bytes.is_failed ? RC_RESOURCE_EXHAUSTED
                             : write_file(details, name, buffer_bytes(&bytes));
        rc = rc == RC_OK ? put_row(details, name, &row) : rc;
    }
    pthread_mutex_unlock(&details->lock);
    return rc;
}

/* ---- pulling ---- */

static enum rc no(const char **why, const char *reason)
{
    *why = reason;
    return RC_NOT_FOUND;
}

static enum rc read_message(const struct details *details, const char *name, struct arena *arena,
                            struct message *message)
{
    OWN(buffer) bytes = {0};
    struct bytes kept;
    struct fault fault = {0};

    TRY(read_file(details, name, &bytes));
    kept = arena_copy(arena, buffer_bytes(&bytes));
    return kept.data != NULL ? codec_message_read(kept, arena, message, &fault)
                             : RC_RESOURCE_EXHAUSTED;
}

/* Under the lock. */
static enum rc pull(struct details *details, const char *name, const char *certificate,
                    const char *officer, int64_t now_ms, const char **why)
{
    struct row row;

    if (find_row(details, name, &row) != RC_OK) {
        return no(why, "unknown");
    }
    if (row.state != 'g' && is_over(details, &row, now_ms)) {
        TRY(end_row(details, name, &row));
    }
    if (row.state == 'g') {
        return no(why, "gone");
    }
    if (row.state == 'p') {
        return strcmp(row.certificate, certificate) == 0 ? RC_OK : no(why, "other_certificate");
    }
    row.state = 'p';
    row.at_ms = now_ms;
    snprintf(row.certificate, sizeof row.certificate, "%s", certificate);
    snprintf(row.officer, sizeof row.officer, "%s", officer);
    return put_row(details, name, &row);
}

enum rc details_pull(struct details *details, struct bytes token,
                     const uint8_t certificate[DIGEST_SIZE], const char *officer, int64_t now_ms,
                     struct arena *arena, struct message *message, const char **why)
{
    char name[ID_TEXT_SIZE];
    char fingerprint[HEX_SIZE];
    enum rc rc;

    *why = "";
    if (!read_token(details, token, name)) {
        return no(why, "token");
    }
    hex_encode(certificate, DIGEST_SIZE, fingerprint);
    pthread_mutex_lock(&details->lock);
    rc = pull(details, name, fingerprint, officer, now_ms, why);
    if (rc == RC_OK) {
        rc = read_message(details, name, arena, message);
    }
    pthread_mutex_unlock(&details->lock);
    return rc;
}

/* ---- ending ---- */

static bool is_message(const char *name)
{
    return strlen(name) == UUID_LENGTH && strchr(name, '.') == NULL;
}

/* Under the lock; each detail that is still there. exchange "": what is over. */
static enum rc end_each(struct details *details, const char *exchange, int64_t now_ms)
{
    DIR *folder = opendir(details->folder);
    enum rc rc = RC_OK;
    struct dirent *entry;

    if (folder == NULL) {
        return failed(RC_UNAVAILABLE, "details.folder", "cause=%s", strerror(errno));
    }
    while (rc == RC_OK && (entry = readdir(folder)) != NULL) {
        struct row row;

        if (!is_message(entry->d_name) || find_row(details, entry->d_name, &row) != RC_OK) {
            continue;
        }
        if (exchange[0] == '\0' ? is_over(details, &row, now_ms)
                                : strcmp(exchange, row.exchange) == 0) {
            rc = end_row(details, entry->d_name, &row);
        }
    }
    closedir(folder);
    return rc;
}

enum rc details_drop(struct details *details, const struct id *exchange_id)
{
    char exchange[ID_TEXT_SIZE];
    enum rc rc;

    id_format(exchange_id, exchange);
    pthread_mutex_lock(&details->lock);
    rc = end_each(details, exchange, 0);
    pthread_mutex_unlock(&details->lock);
    return rc;
}

void details_sweep(struct details *details, int64_t now_ms)
{
    pthread_mutex_lock(&details->lock);
    (void)end_each(details, "", now_ms);
    pthread_mutex_unlock(&details->lock);
}

/* ---- officers ---- */

static bool is_officer(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(text);

    return length > 0 && length <= NAME_MAX_LENGTH && strspn(text, allowed) == length;
}

enum rc details_officer(struct details *details, const char *officer,
                        char opaque[DETAILS_OFFICER_SIZE])
{
    const struct bytes parts[] = {bytes_text("oficial"), bytes_text(officer)};
    uint8_t code[DIGEST_SIZE];
    char hex[17];

    if (!is_officer(officer)) {
        return RC_INVALID_ARGUMENT;
    }
    hmac_of(BYTES_OF(details->secret), parts, 2, code);
    hex_encode(code, 8, hex);
    snprintf(opaque, DETAILS_OFFICER_SIZE, "oficial-%s", hex);
    return book_put(details->officers, opaque, officer);
}
