#include "sdk/book.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

#define LINE_SIZE (BOOK_KEY_MAX + BOOK_VALUE_MAX + 3)
#define PATH_SIZE 640
#define STALE_LEAST 1024

struct row {
    char *key;
    char *value;
};

struct book {
    pthread_mutex_t lock;
    int file;
    char path[PATH_SIZE];
    struct row *rows; /* in the order of their first lines */
    size_t count;
    size_t room;
    uint32_t *slots; /* row + 1; 0: free */
    size_t slot_count;
    size_t stale;
};

/* ---- the table ---- */

/* FNV-1a: keys come from the agency, but a slow book only slows that agency's adapter. */
static uint64_t hash(const char *key)
{
    uint64_t value = 0xcbf29ce484222325U;

    for (; *key != '\0'; key++) {
        value = (value ^ (uint8_t)*key) * 0x100000001b3U;
    }
    return value;
}

static uint32_t *slot_of(const struct book *book, const char *key)
{
    size_t at = (size_t)hash(key) & (book->slot_count - 1);

    while (book->slots[at] != 0 && strcmp(book->rows[book->slots[at] - 1].key, key) != 0) {
        at = (at + 1) & (book->slot_count - 1);
    }
    return &book->slots[at];
}

static struct row *row_of(const struct book *book, const char *key)
{
    uint32_t slot = book->slot_count == 0 ? 0 : *slot_of(book, key);

    return slot == 0 ? NULL : &book->rows[slot - 1];
}

static enum rc grow(struct book *book)
{
    size_t room = book->room == 0 ? 256 : book->room * 2;
    struct row *rows = realloc(book->rows, room * sizeof *rows);
    uint32_t *slots;

    if (rows == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    book->rows = rows;
    slots = calloc(2 * room, sizeof *slots);
    if (slots == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    free(book->slots);
    book->slots = slots;
    book->slot_count = 2 * room;
    book->room = room;
    for (size_t i = 0; i < book->count; i++) {
        *slot_of(book, book->rows[i].key) = (uint32_t)(i + 1);
    }
    return RC_OK;
}

static enum rc add(struct book *book, const char *key, const char *value)
{
    struct row row;

    if (book->count == BOOK_ROWS_MAX) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (book->count == book->room) {
        TRY(grow(book));
    }
    row = (struct row){strdup(key), strdup(value)};
    if (row.key == NULL || row.value == NULL) {
        free(row.key);
        free(row.value);
        return RC_RESOURCE_EXHAUSTED;
    }
    book->rows[book->count] = row;
    *slot_of(book, key) = (uint32_t)(book->count + 1);
    book->count++;
    return RC_OK;
}

static enum rc set(struct book *book, const char *key, const char *value)
{
    struct row *row = row_of(book, key);
    char *copy;

    if (row == NULL) {
        return add(book, key, value);
    }
    copy = strdup(value);
    if (copy == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    free(row->value);
    row->value = copy;
    book->stale++;
    return RC_OK;
}

/* ---- the file ---- */

static bool is_text(const char *text, size_t max)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f) {
            return false;
        }
    }
    return length > 0 && length <= max;
}

static enum rc take_line(struct book *book, char *line)
{
    char *tab = strchr(line, '\t');

    if (tab == NULL) {
        return RC_DATA_LOSS;
    }
    *tab = '\0';
    return is_text(line, BOOK_KEY_MAX) && is_text(tab + 1, BOOK_VALUE_MAX)
               ? set(book, line, tab + 1)
               : RC_DATA_LOSS;
}

/* Whole lines; what a crash left after the last one is cut away. */
static enum rc load(struct book *book)
{
    FILE *file = fopen(book->path, "re");
    char line[LINE_SIZE];
    long good = 0;
    size_t number = 0;
    enum rc rc = RC_OK;

    if (file == NULL) {
        return failed(RC_UNAVAILABLE, "book.open", "path=%s cause=%s", book->path, strerror(errno));
    }
    while (rc == RC_OK && fgets(line, sizeof line, file) != NULL) {
        size_t length = strlen(line);

        number++;
        if (length + 1 == sizeof line && line[length - 1] != '\n') {
            rc = RC_DATA_LOSS;
        } else if (length == 0 || line[length - 1] != '\n') {
            break;
        } else {
            line[length - 1] = '\0';
            rc = take_line(book, line);
            good = ftell(file);
        }
    }
    fclose(file);
    if (rc != RC_OK) {
        return failed(rc, "book.damaged", "path=%s line=%zu", book->path, number);
    }
    return ftruncate(book->file, good) == 0
               ? RC_OK
               : failed(RC_UNAVAILABLE, "book.open", "path=%s cause=%s", book->path,
                        strerror(errno));
}

/* All of it durable, or nothing of it there: half a line would spoil the next one. */
static enum rc append(int file, const uint8_t *data, size_t size)
{
    off_t before = lseek(file, 0, SEEK_END);

    while (size > 0) {
        ssize_t n = write(file, data, size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        data += n;
        size -= (size_t)n;
    }
    if (size == 0 && fdatasync(file) == 0) {
        return RC_OK;
    }
    if (before < 0 || ftruncate(file, before) != 0) {
        log_fatal("book.torn", "cause=%s", strerror(errno)); /* found when it is opened again */
    }
    return RC_UNAVAILABLE;
}

static enum rc open_file(struct book *book)
{
    book->file = open(book->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    return book->file >= 0 ? RC_OK
                           : failed(RC_UNAVAILABLE, "book.open", "path=%s cause=%s", book->path,
                                    strerror(errno));
}

/* Only what counts, under another name, then in its place. */
static enum rc rewrite(struct book *book)
{
    OWN(buffer) lines = {0};
    char path[PATH_SIZE + 8];
    int file;
    enum rc rc;

    for (size_t i = 0; i < book->count; i++) {
        buffer_print(&lines, "%s\t%s\n", book->rows[i].key, book->rows[i].value);
    }
    snprintf(path, sizeof path, "%s.new", book->path);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 || lines.is_failed) {
        return failed(RC_UNAVAILABLE, "book.rewrite", "path=%s cause=%s", path, strerror(errno));
    }
    rc = append(file, lines.data, lines.size);
    close(file);
    if (rc != RC_OK || rename(path, book->path) != 0) {
        return failed(RC_UNAVAILABLE, "book.rewrite", "path=%s cause=%s", path, strerror(errno));
    }
    close(book->file);
    book->stale = 0;
    return open_file(book);
}

enum rc book_open(const char *folder, const char *name, struct book **book)
{
    OWN_PTR(book) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "book.open", "cause=memory");
    }
    pthread_mutex_init(&made->lock, NULL);
    made->file = -1;
    snprintf(made->path, sizeof made->path, "%s/%s.book", folder, name);
    TRY(open_file(made));
    TRY(load(made));
    if (made->stale > STALE_LEAST && made->stale > made->count) {
        TRY(rewrite(made));
    }
    *book = MOVE(made);
    return RC_OK;
}

void book_free(struct book *book)
{
    if (book == NULL) {
        return;
    }
    if (book->file >= 0) {
        close(book->file);
    }
    for (size_t i = 0; i < book->count; i++) {
        free(book->rows[i].key);
        free(book->rows[i].value);
    }
    free(book->rows);
    free(book->slots);
    pthread_mutex_destroy(&book->lock);
    free(book);
}

/* ---- under the lock ---- */

static enum rc put(struct book *book, const char *key, const char *value)
{
    const struct row *row = row_of(book, key);
    OWN(buffer) line = {0};

    if (row != NULL && strcmp(row->value, value) == 0) {
        return RC_OK;
    }
    buffer_print(&line, "%s\t%s\n", key, value);
    if (line.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (append(book->file, line.data, line.size) != RC_OK) {
        return failed(RC_UNAVAILABLE, "book.write", "path=%s cause=%s", book->path,
                      strerror(errno));
    }
    return set(book, key, value);
}

enum rc book_put(struct book *book, const char *key, const char *value)
{
    enum rc rc;

    if (!is_text(key, BOOK_KEY_MAX) || !is_text(value, BOOK_VALUE_MAX)) {
        return RC_INVALID_ARGUMENT;
    }
    pthread_mutex_lock(&book->lock);
    rc = put(book, key, value);
    pthread_mutex_unlock(&book->lock);
    return rc;
}

enum rc book_find(struct book *book, const char *key, char value[BOOK_VALUE_MAX + 1])
{
    const struct row *row;

    pthread_mutex_lock(&book->lock);
    row = row_of(book, key);
    if (row != NULL) {
        snprintf(value, BOOK_VALUE_MAX + 1, "%s", row->value);
    }
    pthread_mutex_unlock(&book->lock);
    return row != NULL ? RC_OK : RC_NOT_FOUND;
}

size_t book_count(struct book *book)
{
    size_t count;

    pthread_mutex_lock(&book->lock);
    count = book->count;
    pthread_mutex_unlock(&book->lock);
    return count;
}

void book_each(struct book *book, bool (*each)(void *context, const char *key, const char *value),
               void *context)
{
    pthread_mutex_lock(&book->lock);
    for (size_t i = 0; i < book->count && each(context, book->rows[i].key, book->rows[i].value);
         i++) {
    }
    pthread_mutex_unlock(&book->lock);
}
