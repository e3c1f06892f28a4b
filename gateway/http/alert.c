#include "http/alert.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "crypto/tlsconf.h"

#define BODY_MAX 2048

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"smtp://127.0.0.1", "smtp://[::1]", "smtp://localhost"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t size = strlen(hosts[i]);

        if (begins(url, hosts[i]) && (url[size] == '\0' || url[size] == ':')) {
            return true;
        }
    }
    return false;
}

/* ---- settings ---- */

static enum rc wrong(struct fault *fault, const char *setting, const char *expected)
{
    return refuse(fault, RC_INVALID_ARGUMENT, "alert.settings", setting, "%s", expected);
}

static enum rc check_file(const char *path, const char *setting, struct fault *fault)
{
    struct stat about;

    if (path[0] == '\0') {
        return RC_OK;
    }
    if (access(path, R_OK) != 0 || stat(path, &about) != 0 || !S_ISREG(about.st_mode)) {
        return wrong(fault, setting, "no se puede leer el archivo");
    }
    return (about.st_mode & (S_IRWXG | S_IRWXO)) == 0
               ? RC_OK
               : wrong(fault, setting, "otros pueden leer el archivo: chmod 600");
}

enum rc alert_check(const struct alert_config *config, struct fault *fault)
{
    bool has_mail = config->smtp_url[0] != '\0';

    if (has_mail &&
        ((!begins(config->smtp_url, "smtp://") && !begins(config->smtp_url, "smtps://")) ||
         strpbrk(strchr(config->smtp_url, ':') + 3, "/?#@ ") != NULL)) {
        return wrong(fault, "duty_smtp",
                     "se espera smtps://servidor:465, o smtp://servidor:587 con STARTTLS");
    }
    if (has_mail && (strchr(config->smtp_from, '@') == NULL ||
                     strpbrk(config->smtp_from, " <>\"\r\n") != NULL)) {
        return wrong(fault, "duty_smtp_from", "se espera una dirección, sola");
    }
    if ((config->smtp_user[0] == '\0') != (config->smtp_password[0] == '\0')) {
        return wrong(fault, "duty_smtp_password", "usuario y contraseña van juntos, o ninguno");
    }
    if ((config->certificate[0] == '\0') != (config->key[0] == '\0')) {
        return wrong(fault, "duty_webhook_key", "certificado y llave van juntos, o ninguno");
    }
    TRY(check_file(config->smtp_password, "duty_smtp_password", fault));
    TRY(check_file(config->secret, "duty_webhook_secret", fault));
    return check_file(config->key, "duty_webhook_key", fault);
}

/* A file's one line. */
static enum rc read_secret(const char *path, char out[ALERT_SECRET_MAX], struct fault *fault)
{
    FILE *file = fopen(path, "re");
    size_t size = 0;

    out[0] = '\0';
    if (file != NULL) {
        setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays behind */
        size = fread(out, 1, ALERT_SECRET_MAX - 1, file);
        fclose(file);
    }
    out[size] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return out[0] != '\0' ? RC_OK
                          : refuse(fault, RC_FAILED_PRECONDITION, "alert.secret", "",
                                   "El archivo del secreto falta o está vacío.");
}

/* ---- libcurl ---- */

static CURLcode allow_tls12(CURL *curl, void *context, void *user)
{
    (void)curl;
    (void)user;
    tlsconf_allow_tls12(context);
    return CURLE_OK;
}

static size_t swallow(char *data, size_t size, size_t count, void *user)
{
    size_t *left = user;

    (void)data;
    if (size * count > *left) {
        return 0;
    }
    *left -= size * count;
    return size * count;
}

static CURL *handle_new(const struct alert_config *config, size_t *answer_left)
{
    CURL *curl = curl_global_init(CURL_GLOBAL_NOTHING) == 0 ? curl_easy_init() : NULL;

    if (curl == NULL) {
        return NULL;
    }
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ALERT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)ALERT_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, allow_tls12);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer_left);
    if (config->ca[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    return curl;
}

static enum rc tell(CURLcode code, struct fault *fault)
{
    switch (code) {
    case CURLE_OK:
        return RC_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return refuse(fault, RC_DEADLINE_EXCEEDED, "alert.timeout", "", "No contestó a tiempo.");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
        return refuse(fault, RC_PERMISSION_DENIED, "alert.tls", "",
                      "Sin TLS verificado no se envía nada.");
    case CURLE_LOGIN_DENIED:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return refuse(fault, RC_UNAVAILABLE, "alert.refused", "", "El servidor no lo aceptó.");
    default:
        return refuse(fault, RC_UNAVAILABLE, "alert.unreachable", "", "No hay comunicación.");
    }
}

/* ---- mail ---- */

static size_t read_body(char *into, size_t size, size_t count, void *user)
{
    struct bytes *rest = user;
    size_t n = size * count < rest->size ? size * count : rest->size;

    if (n > 0) {
        memcpy(into, rest->data, n);
    }
    rest->data += n;
    rest->size -= n;
    return n;
}

/* RFC 5322; the text is both subject and body, in a header of RFC 2047. */
static void write_mail(const struct alert_config *config, const char *to, const char *text,
                       char out[BODY_MAX])
{
    char subject[4 * ((ALERT_TEXT_MAX + 2) / 3) + 1];
    uint8_t random[16];
    char id[2 * sizeof random + 1];
    char date[64];
    time_t now = (time_t)(clock_now_ms() / 1000);
    struct tm parts;

    random_fill(random, sizeof random);
    hex_encode(random, sizeof random, id);
    gmtime_r(&now, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &parts);
    (void)base64_encode((const uint8_t *)text, strlen(text), subject);
    snprintf(out, BODY_MAX,
             "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nMessage-ID: <%s@guardia.invalid>\r\n"
             "Subject: =?UTF-8?B?%s?=\r\nMIME-Version: 1.0\r\n"
             "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
             "Auto-Submitted: auto-generated\r\n\r\n%s\r\n",
             date, config->smtp_from, to, id, subject, text);
}

static enum rc set_login(CURL *curl, const struct alert_config *config, struct fault *fault)
{
    char secret[ALERT_SECRET_MAX];
    enum rc rc;

    if (config->smtp_user[0] == '\0') {
        return RC_OK;
    }
    rc = read_secret(config->smtp_user, secret, fault);
    if (rc == RC_OK) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, secret);
        rc = read_secret(config->smtp_password, secret, fault);
    }
    if (rc == RC_OK) {
        curl_easy_setopt(curl, CURLOPT_PASSWORD, secret);
    }
    explicit_bzero(secret, sizeof secret);
    return rc;
}

enum rc alert_by_mail(const struct alert_config *config, const char *to, const char *text,
                      struct fault *fault)
{
    char body[BODY_MAX];
    char from[256];
    char recipient[256];
    struct bytes rest;
    struct curl_slist *recipients = NULL;
    size_t answer_left = 1 << 16;
    CURL *curl;
    enum rc rc;

    if (config->smtp_url[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "alert.no_channel", "",
                      "El nodo no tiene duty_smtp.");
    }
    curl = handle_new(config, &answer_left);
    snprintf(recipient, sizeof recipient, "<%s>", to);
    recipients = curl_slist_append(NULL, recipient);
    if (curl == NULL || recipients == NULL) {
        curl_slist_free_all(recipients);
        curl_easy_cleanup(curl);
        return RC_RESOURCE_EXHAUSTED;
    }
    write_mail(config, to, text, body);
    rest = bytes_text(body);
    snprintf(from, sizeof from, "<%s>", config->smtp_from);
    curl_easy_setopt(curl, CURLOPT_URL, config->smtp_url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     is_loopback(config->smtp_url) ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    rc = set_login(curl, config, fault);
    rc = rc == RC_OK ? tell(curl_easy_perform(curl), fault) : rc;
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return rc;
}

/* ---- webhook ---- */

/* The texts are ours: no character that JSON would have to escape. */
static bool sign(const struct alert_config *config, const char *body, struct curl_slist **headers,
                 struct fault *fault)
{
    char secret[ALERT_SECRET_MAX];
    uint8_t mac[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    char instant[32];
    char line[128];
    struct bytes parts[2] = {{0}, bytes_text(body)};

    if (config->secret[0] == '\0') {
        return true;
    }
    if (read_secret(config->secret, secret, fault) != RC_OK) {
        return false;
    }
    snprintf(instant, sizeof instant, "%lld.", (long long)(clock_now_ms() / 1000));
    parts[0] = bytes_text(instant);
    hmac_of(bytes_text(secret), parts, 2, mac);
    explicit_bzero(secret, sizeof secret);
    instant[strlen(instant) - 1] = '\0';
    hex_encode(mac, sizeof mac, hex);
    snprintf(line, sizeof line, "Enlace-Instante: %s", instant);
    *headers = curl_slist_append(*headers, line);
    snprintf(line, sizeof line, "Enlace-Firma: sha256=%s", hex);
    *headers = curl_slist_append(*headers, line);
    return true;
}

static enum rc post(CURL *curl, struct fault *fault)
{
    long status = 0;

    TRY(tell(curl_easy_perform(curl), fault));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300
               ? RC_OK
               : refuse(fault, RC_UNAVAILABLE, "alert.refused", "", "Contestó %ld.", status);
}

enum rc alert_by_webhook(const struct alert_config *config, const char *url, const char *text,
                         struct fault *fault)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    size_t answer_left = 1 << 16;
    CURL *curl = handle_new(config, &answer_left);
    char body[BODY_MAX];
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    snprintf(body, sizeof body, "{\"aviso\":\"%s\"}", text);
    if (curl != NULL && headers != NULL) {
        rc = sign(config, body, &headers, fault) ? RC_OK : RC_FAILED_PRECONDITION;
    }
    if (rc == RC_OK) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        if (config->certificate[0] != '\0') {
            curl_easy_setopt(curl, CURLOPT_SSLCERT, config->certificate);
            curl_easy_setopt(curl, CURLOPT_SSLKEY, config->key);
        }
        rc = post(curl, fault);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return rc;
}
