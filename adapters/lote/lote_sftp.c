#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "lote/lote.h"
#include "sdk/poller.h"

/*
 * The institution's server has the same two folders. What lies in ours is copied there (NAME.part,
 * then renamed) and put into taken/; what lies in theirs is copied here and put into their taken/.
 * The signature goes last, as in a folder. A line that breaks repeats a file; that is the same
 * file.
 *
 * Of theirs only a batch whose signature is there is copied, whole, and only then put away, the
 * signature first: after any interruption either all of it is copied again, or nothing.
 */
#define URL_MAX 1024
#define COMMAND_MAX (2 * URL_MAX + 16)
#define REMOTE_MAX (CONF_TEXT_SIZE + DROPFOLDER_NAME_MAX + 32)
#define LISTING_MAX ((size_t)1 << 20)
#define CALL_MS 60000L
#define CONNECT_MS 10000L
#define PAUSE_MAX_TIMES 60
#define SIGNATURE_END ".json.p7s"

struct lote_sftp {
    struct poller_user user; /* first */
    const struct lote_settings *settings;
    struct dropfolder *outgoing;
    struct dropfolder *incoming;
    CURL *curl;
    struct poller *poller;
};

/* ---- calls ---- */

struct upload {
    struct bytes rest;
};

static size_t on_read(char *into, size_t size, size_t count, void *user)
{
    struct upload *upload = user;
    size_t n = size * count < upload->rest.size ? size * count : upload->rest.size;

    memcpy(into, upload->rest.data, n);
    upload->rest.data += n;
    upload->rest.size -= n;
    return n;
}

struct download {
    struct buffer *into;
    size_t max;
};

static size_t on_write(char *data, size_t size, size_t count, void *user)
{
    struct download *download = user;

    if (download->into->size + size * count > download->max) {
        return 0;
    }
    buffer_put(download->into, data, size * count);
    return download->into->is_failed ? 0 : size * count;
}

/* Everything of the last call is forgotten but the connection. */
static void prepare(struct lote_sftp *sftp, const char *folder, const char *name)
{
    const struct lote_settings *settings = sftp->settings;
    char url[URL_MAX];

    /* A folder that does not begin with / is the user's; libcurl writes that /~/. */
    snprintf(url, sizeof url, "sftp://%s%s%s/%s", settings->sftp, folder[0] == '/' ? "" : "/~/",
             folder, name);
    curl_easy_reset(sftp->curl);
    curl_easy_setopt(sftp->curl, CURLOPT_URL, url);
    curl_easy_setopt(sftp->curl, CURLOPT_PROTOCOLS_STR, "sftp");
    curl_easy_setopt(sftp->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(sftp->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(sftp->curl, CURLOPT_TIMEOUT_MS, CALL_MS);
    curl_easy_setopt(sftp->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(sftp->curl, CURLOPT_USERNAME, settings->sftp_user);
    curl_easy_setopt(sftp->curl, CURLOPT_SSH_AUTH_TYPES, (long)CURLSSH_AUTH_PUBLICKEY);
    curl_easy_setopt(sftp->curl, CURLOPT_SSH_PRIVATE_KEYFILE, settings->sftp_key);
    curl_easy_setopt(sftp->curl, CURLOPT_SSH_KNOWNHOSTS, settings->sftp_known_hosts);
}

/* RC_NOT_FOUND: that file is not there; RC_RESOURCE_EXHAUSTED: longer than a batch may be;
 * RC_FAILED_PRECONDITION: the server did not do a command. The line itself: RC_UNAVAILABLE. */
static enum rc perform(struct lote_sftp *sftp, const char *step)
{
    CURLcode code = curl_easy_perform(sftp->curl);

    if (code == CURLE_OK) {
        return RC_OK;
    }
    log_warn("sftp.failed", "step=%s cause=\"%s\"", step, curl_easy_strerror(code));
    switch (code) {
    case CURLE_REMOTE_FILE_NOT_FOUND:
        return RC_NOT_FOUND;
    case CURLE_WRITE_ERROR:
        return RC_RESOURCE_EXHAUSTED;
    case CURLE_QUOTE_ERROR:
        return RC_FAILED_PRECONDITION;
    default:
        return RC_UNAVAILABLE;
    }
}

/* Commands for the server, in order; one that begins with * may fail. */
struct commands {
    struct curl_slist *list;
    bool is_failed;
};

static void commands_release(struct commands *commands)
{
    curl_slist_free_all(commands->list);
}

static void add_command(struct commands *commands, const char *text)
{
    struct curl_slist *longer = curl_slist_append(commands->list, text);

    commands->is_failed = commands->is_failed || longer == NULL;
    commands->list = longer != NULL ? longer : commands->list;
}

static void add_rename(struct commands *commands, const char *may_fail, const char *from,
                       const char *to)
{
    char command[COMMAND_MAX];

    snprintf(command, sizeof command, "%srename \"%s\" \"%s\"", may_fail, from, to);
    add_command(commands, command);
}

/* ---- out ---- */

static enum rc send_file(struct lote_sftp *sftp, const char *name)
{
    const char *folder = sftp->settings->sftp_outgoing;
    OWN(buffer) bytes = {0};
    OWN(commands) after = {0};
    struct upload upload;
    char command[COMMAND_MAX];
    char part[DROPFOLDER_NAME_MAX + 8];
    char from[REMOTE_MAX];
    char to[REMOTE_MAX];

    TRY(dropfolder_read(sftp->outgoing, name, CSV_BYTES_MAX, &bytes));
    upload.rest = buffer_bytes(&bytes);
    snprintf(part, sizeof part, "%s.part", name);
    snprintf(from, sizeof from, "%s/%s", folder, part);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    prepare(sftp, folder, part);
    curl_easy_setopt(sftp->curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(sftp->curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(sftp->curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(sftp->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes.size);
    /* A server refuses to rename onto what is there: the same file, from a line that broke. */
    snprintf(command, sizeof command, "*rm \"%s\"", to);
    add_command(&after, command);
    add_rename(&after, "", from, to);
    if (after.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    curl_easy_setopt(sftp->curl, CURLOPT_POSTQUOTE, after.list);
    TRY(perform(sftp, "upload"));
    return dropfolder_take(sftp->outgoing, name);
}

static bool is_signature(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".p7s") == 0;
}

/* Signatures last: they complete what they sign. */
static enum rc send_all(struct lote_sftp *sftp)
{
    struct dropfolder_names names;
    enum rc rc = RC_OK;

    TRY(dropfolder_list(sftp->outgoing, &names));
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < names.count && rc == RC_OK; i++) {
            if (is_signature(names.items[i]) == (pass == 1)) {
                rc = send_file(sftp, names.items[i]);
            }
        }
    }
    dropfolder_names_release(&names);
    return rc;
}

/* ---- in ---- */

static const char *const ends[] = {".csv", ".json", SIGNATURE_END};
#define ENDS (sizeof ends / sizeof ends[0])

static enum rc fetch_file(struct lote_sftp *sftp, const char *name)
{
    OWN(buffer) bytes = {0};
    struct download download = {&bytes, CSV_BYTES_MAX};

    prepare(sftp, sftp->settings->sftp_incoming, name);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEDATA, &download);
    TRY(perform(sftp, "download"));
    return dropfolder_write(sftp->incoming, name, buffer_bytes(&bytes));
}

/* Theirs go into taken/; with something behind the name when such a batch is there already. */
static enum rc put_away(struct lote_sftp *sftp, const char *batch, const char *behind)
{
    const char *folder = sftp->settings->sftp_incoming;
    OWN(commands) commands = {0};
    char command[COMMAND_MAX];

    snprintf(command, sizeof command, "*mkdir \"%s/taken\"", folder);
    add_command(&commands, command);
    for (size_t i = ENDS; i-- > 0;) {
        char from[REMOTE_MAX];
        char to[REMOTE_MAX];

        snprintf(from, sizeof from, "%s/%s%s", folder, batch, ends[i]);
        snprintf(to, sizeof to, "%s/taken/%s%s%s", folder, batch, ends[i], behind);
        add_rename(&commands, i == ENDS - 1 ? "" : "*", from, to);
    }
    if (commands.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    prepare(sftp, folder, "");
    curl_easy_setopt(sftp->curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(sftp->curl, CURLOPT_POSTQUOTE, commands.list);
    return perform(sftp, "put-away");
}

/* A file that is missing or too long is left out: the reader refuses the batch and tells them. */
static enum rc fetch_batch(struct lote_sftp *sftp, const char *batch)
{
    char behind[32];
    enum rc rc;

    for (size_t i = 0; i < ENDS; i++) {
        char name[DROPFOLDER_NAME_MAX + 16];

        snprintf(name, sizeof name, "%s%s", batch, ends[i]);
        rc = fetch_file(sftp, name);
        if (rc != RC_OK && rc != RC_NOT_FOUND && rc != RC_RESOURCE_EXHAUSTED) {
            return rc;
        }
    }
    /* Ours are durable: theirs may go. */
    rc = put_away(sftp, batch, "");
    snprintf(behind, sizeof behind, "-%lld", (long long)clock_now_ms());
    return rc == RC_FAILED_PRECONDITION ? put_away(sftp, batch, behind) : rc;
}

/* The name of the batch that this signature completes; false: it is no such thing. */
static bool batch_of(const char *line, size_t length, char batch[MANIFEST_NAME_MAX + 1])
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    size_t end = strlen(SIGNATURE_END);

    if (length <= end || length - end > MANIFEST_NAME_MAX || line[0] == '.' ||
        strncmp(line + length - end, SIGNATURE_END, end) != 0) {
        return false;
    }
    snprintf(batch, MANIFEST_NAME_MAX + 1, "%.*s", (int)(length - end), line);
    return strspn(batch, allowed) == length - end;
}

static enum rc fetch_all(struct lote_sftp *sftp)
{
    OWN(buffer) listing = {0};
    struct download download = {&listing, LISTING_MAX};
    char batch[MANIFEST_NAME_MAX + 1];

    prepare(sftp, sftp->settings->sftp_incoming, "");
    curl_easy_setopt(sftp->curl, CURLOPT_DIRLISTONLY, 1L);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEDATA, &download);
    TRY(perform(sftp, "list"));
    buffer_put_u8(&listing, 0);
    if (listing.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (const char *line = (const char *)listing.data; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (batch_of(line, length, batch)) {
            TRY(fetch_batch(sftp, batch));
        }
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    return RC_OK;
}

static enum rc poll(struct poller_user *user)
{
    struct lote_sftp *sftp = (struct lote_sftp *)user;

    TRY(send_all(sftp));
    return fetch_all(sftp);
}

/* ---- start ---- */

static bool is_folder(const char *path)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-/";

    return path[0] != '\0' && strspn(path, allowed) == strlen(path);
}

enum rc lote_sftp_start(struct lote *lote, struct fault *fault)
{
    const struct lote_settings *settings = &lote->settings;
    struct lote_sftp *made;

    if (settings->sftp[0] == '\0') {
        return RC_OK;
    }
    if (settings->sftp_user[0] == '\0' || settings->sftp_key[0] == '\0' ||
        settings->sftp_known_hosts[0] == '\0') {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.sftp", "sftp",
                      "Con sftp hacen falta sftp_user, sftp_key y sftp_known_hosts.");
    }
    if (!is_folder(settings->sftp_outgoing) || !is_folder(settings->sftp_incoming)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.sftp", "sftp_outgoing",
                      "sftp_outgoing y sftp_incoming son carpetas del servidor: letras, cifras, "
                      "punto, guiones y diagonales.");
    }
    made = calloc(1, sizeof *made);
    if (made == NULL || (made->curl = curl_easy_init()) == NULL) {
        free(made);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
    }
    lote->sftp = made;
    made->settings = settings;
    made->user.poll = poll;
    TRY(dropfolder_open(settings->outgoing, 0, &made->outgoing, fault));
    TRY(dropfolder_open(settings->incoming, 0, &made->incoming, fault));
    return poller_new(&made->user, settings->sftp_every_ms,
                      PAUSE_MAX_TIMES * settings->sftp_every_ms, &made->poller) == RC_OK
               ? RC_OK
               : refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.thread", "",
                        "No se pudo crear un hilo.");
}

void lote_sftp_stop(struct lote_sftp *sftp)
{
    if (sftp != NULL) {
        poller_free(sftp->poller);
        curl_easy_cleanup(sftp->curl);
        dropfolder_free(sftp->outgoing);
        dropfolder_free(sftp->incoming);
        free(sftp);
    }
}
