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
 * The signature goes last both ways, as in a folder. A line that breaks repeats a file; that is the
 * same file.
 */
#define URL_MAX 1024
#define COMMAND_MAX (2 * URL_MAX + 16)
#define REMOTE_MAX (CONF_TEXT_SIZE + DROPFOLDER_NAME_MAX + 32)
#define LISTING_MAX ((size_t)1 << 20)
#define CALL_MS 60000L
#define EVERY_MS 5000
#define PAUSE_MAX_MS 300000

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

    snprintf(url, sizeof url, "sftp://%s/%s/%s", settings->sftp,
             folder[0] == '/' ? folder + 1 : folder, name);
    curl_easy_reset(sftp->curl);
    curl_easy_setopt(sftp->curl, CURLOPT_URL, url);
    curl_easy_setopt(sftp->curl, CURLOPT_PROTOCOLS_STR, "sftp");
    curl_easy_setopt(sftp->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(sftp->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(sftp->curl, CURLOPT_TIMEOUT_MS, CALL_MS);
    curl_easy_setopt(sftp->curl, CURLOPT_USERNAME, settings->sftp_user);
    curl_easy_setopt(sftp->curl, CURLOPT_SSH_AUTH_TYPES, (long)CURLSSH_AUTH_PUBLICKEY);
    curl_easy_setopt(sftp->curl, CURLOPT_SSH_PRIVATE_KEYFILE, settings->sftp_key);
    curl_easy_setopt(sftp->curl, CURLOPT_SSH_KNOWNHOSTS, settings->sftp_known_hosts);
}

static enum rc perform(struct lote_sftp *sftp, const char *step)
{
    CURLcode code = curl_easy_perform(sftp->curl);

    if (code != CURLE_OK) {
        log_warn("sftp.failed", "step=%s cause=\"%s\"", step, curl_easy_strerror(code));
        return RC_UNAVAILABLE;
    }
    return RC_OK;
}

static enum rc rename_after(struct lote_sftp *sftp, struct curl_slist **commands, const char *from,
                            const char *to)
{
    char command[COMMAND_MAX];
    struct curl_slist *longer;

    snprintf(command, sizeof command, "rename \"%s\" \"%s\"", from, to);
    longer = curl_slist_append(*commands, command);
    if (longer == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *commands = longer;
    curl_easy_setopt(sftp->curl, CURLOPT_POSTQUOTE, *commands);
    return RC_OK;
}

/* ---- out ---- */

static enum rc send_file(struct lote_sftp *sftp, const char *name)
{
    const char *folder = sftp->settings->sftp_outgoing;
    OWN(buffer) bytes = {0};
    struct curl_slist *commands = NULL;
    struct upload upload;
    char part[DROPFOLDER_NAME_MAX + 8];
    char from[REMOTE_MAX];
    char to[REMOTE_MAX];
    enum rc rc;

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
    rc = rename_after(sftp, &commands, from, to);
    if (rc == RC_OK) {
        rc = perform(sftp, "upload");
    }
    curl_slist_free_all(commands);
    return rc == RC_OK ? dropfolder_take(sftp->outgoing, name) : rc;
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

static enum rc fetch(struct lote_sftp *sftp, const char *name)
{
    const char *folder = sftp->settings->sftp_incoming;
    OWN(buffer) bytes = {0};
    struct download download = {&bytes, CSV_BYTES_MAX};
    struct curl_slist *commands = NULL;
    char from[REMOTE_MAX];
    char to[REMOTE_MAX];
    enum rc rc;

    prepare(sftp, folder, name);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEDATA, &download);
    TRY(perform(sftp, "download"));
    TRY(dropfolder_write(sftp->incoming, name, buffer_bytes(&bytes)));
    /* Ours is durable: theirs may go. */
    snprintf(from, sizeof from, "%s/%s", folder, name);
    snprintf(to, sizeof to, "%s/taken/%s", folder, name);
    prepare(sftp, folder, "");
    curl_easy_setopt(sftp->curl, CURLOPT_NOBODY, 1L);
    rc = rename_after(sftp, &commands, from, to);
    if (rc == RC_OK) {
        rc = perform(sftp, "put-away");
    }
    curl_slist_free_all(commands);
    return rc;
}

static bool is_batch_file(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    static const char *const ends[] = {".csv", ".json", ".p7s"};
    size_t length = strlen(name);

    for (size_t i = 0; i < 3 && length > 5 && length <= DROPFOLDER_NAME_MAX; i++) {
        if (name[0] != '.' && strspn(name, allowed) == length &&
            strcmp(name + length - strlen(ends[i]), ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum rc fetch_all(struct lote_sftp *sftp)
{
    OWN(buffer) listing = {0};
    struct download download = {&listing, LISTING_MAX};
    char *rest = NULL;

    prepare(sftp, sftp->settings->sftp_incoming, "");
    curl_easy_setopt(sftp->curl, CURLOPT_DIRLISTONLY, 1L);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(sftp->curl, CURLOPT_WRITEDATA, &download);
    TRY(perform(sftp, "list"));
    buffer_put_u8(&listing, 0);
    for (int pass = 0; pass < 2 && !listing.is_failed; pass++) {
        for (char *name = (char *)listing.data; *name != '\0'; name = rest) {
            size_t length = strcspn(name, "\n");
            char one[DROPFOLDER_NAME_MAX + 1];

            rest = name + length + (name[length] == '\n' ? 1 : 0);
            snprintf(one, sizeof one, "%.*s", (int)length, name);
            if (is_batch_file(one) && is_signature(one) == (pass == 1)) {
                TRY(fetch(sftp, one));
            }
        }
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
    return poller_new(&made->user, EVERY_MS, PAUSE_MAX_MS, &made->poller) == RC_OK
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
