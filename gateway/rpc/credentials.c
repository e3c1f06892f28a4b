#include "rpc/credentials.h"

#include <errno.h>
#include <grpc/support/alloc.h>
#include <grpc/support/string_util.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

#define FILE_MAX ((size_t)1 << 20)
#define PATH_SIZE 512

struct pem {
    char path[PATH_SIZE]; /* empty: none */
    char *text;
    size_t size;
    struct stat seen;
};

struct credentials {
    struct pem certificate;
    struct pem key;
    struct pem ca;
    pthread_mutex_t lock;
    bool is_fetched; /* gRPC has had the first set */
};

static void text_free(char *text, size_t size)
{
    if (text != NULL) {
        explicit_bzero(text, size);
        free(text);
    }
}

static bool pem_is_stale(const struct pem *pem)
{
    struct stat now;

    return pem->path[0] != '\0' && stat(pem->path, &now) == 0 &&
           (now.st_ino != pem->seen.st_ino || now.st_size != pem->seen.st_size ||
            now.st_mtim.tv_sec != pem->seen.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != pem->seen.st_mtim.tv_nsec);
}

static enum rc read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "rbe");
    size_t got;

    if (file == NULL) {
        return RC_UNAVAILABLE;
    }
    setvbuf(file, NULL, _IONBF, 0); /* no second copy of a key in a buffer that nobody wipes */
    got = fread(text, 1, size, file);
    fclose(file);
    text[got] = '\0';
    return got == size ? RC_OK : RC_UNAVAILABLE;
}

static enum rc pem_read(struct pem *pem)
{
    struct stat seen;
    char *text;

    if (pem->path[0] == '\0') {
        return RC_OK;
    }
    if (stat(pem->path, &seen) != 0) {
        return failed(RC_FAILED_PRECONDITION, "cert.read", "path=%s cause=\"%s\"", pem->path,
                      strerror(errno));
    }
    if (seen.st_size <= 0 || (size_t)seen.st_size > FILE_MAX) {
        return failed(RC_FAILED_PRECONDITION, "cert.read", "path=%s cause=size", pem->path);
    }
    text = calloc(1, (size_t)seen.st_size + 1);
    if (text == NULL || read_file(pem->path, text, (size_t)seen.st_size) != RC_OK) {
        text_free(text, (size_t)seen.st_size);
        return failed(RC_FAILED_PRECONDITION, "cert.read", "path=%s cause=unreadable", pem->path);
    }
    text_free(pem->text, pem->size);
    pem->text = text;
    pem->size = (size_t)seen.st_size;
    pem->seen = seen;
    return RC_OK;
}

static enum rc pem_init(struct pem *pem, const char *path)
{
    if (path != NULL && strlen(path) >= sizeof pem->path) {
        return failed(RC_INVALID_ARGUMENT, "cert.path", "path=%s cause=length", path);
    }
    snprintf(pem->path, sizeof pem->path, "%s", path != NULL ? path : "");
    return pem_read(pem);
}

enum rc credentials_new(const char *certificate_file, const char *key_file, const char *ca_file,
                        struct credentials **out)
{
    OWN_PTR(credentials) set = calloc(1, sizeof *set);

    if (set == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "cert.read", "cause=memory");
    }
    pthread_mutex_init(&set->lock, NULL);
    TRY(pem_init(&set->certificate, certificate_file));
    TRY(pem_init(&set->key, key_file));
    TRY(pem_init(&set->ca, ca_file));
    *out = MOVE(set);
    return RC_OK;
}

void credentials_free(struct credentials *set)
{
    if (set != NULL) {
        text_free(set->certificate.text, set->certificate.size);
        text_free(set->key.text, set->key.size);
        text_free(set->ca.text, set->ca.size);
        pthread_mutex_destroy(&set->lock);
        free(set);
    }
}

bool credentials_are_stale(const struct credentials *set)
{
    return pem_is_stale(&set->certificate) || pem_is_stale(&set->key) || pem_is_stale(&set->ca);
}

enum rc credentials_read(struct credentials *set)
{
    TRY(pem_read(&set->certificate));
    TRY(pem_read(&set->key));
    return pem_read(&set->ca);
}

static grpc_ssl_certificate_config_reload_status
fetch_locked(struct credentials *set, grpc_ssl_server_certificate_config **config)
{
    grpc_ssl_pem_key_cert_pair pair;

    if (set->is_fetched) {
        if (!credentials_are_stale(set)) {
            return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
        }
        if (credentials_read(set) != RC_OK) {
            return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
        }
        log_info("cert.reloaded", "path=%s", set->certificate.path);
    }
    pair.private_key = set->key.text;
    pair.cert_chain = set->certificate.text;
    *config = grpc_ssl_server_certificate_config_create(set->ca.text, &pair, 1);
    set->is_fetched = true;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

static grpc_ssl_certificate_config_reload_status fetch(void *user_data,
                                                       grpc_ssl_server_certificate_config **config)
{
    struct credentials *set = user_data;
    grpc_ssl_certificate_config_reload_status status;

    pthread_mutex_lock(&set->lock);
    status = fetch_locked(set, config);
    pthread_mutex_unlock(&set->lock);
    return status;
}

grpc_server_credentials *credentials_for_server(struct credentials *set)
{
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, fetch, set));
}

/* Freed by gRPC through `destruct`, with the last channel that uses it. */
struct identity_check {
    grpc_tls_certificate_verifier_external verifier;
    char *expected; /* NULL: any */
};

static int identity_verify(void *user_data, grpc_tls_custom_verification_check_request *request,
                           grpc_tls_on_custom_verification_check_done_cb callback,
                           void *callback_arg, grpc_status_code *status, char **details)
{
    const struct identity_check *check = user_data;
    size_t count = request->peer_info.san_names.uri_names_size;
    const char *uri = count == 1 ? request->peer_info.san_names.uri_names[0] : "";

    (void)callback;
    (void)callback_arg;
    core_take_over(user_data);
    *status = GRPC_STATUS_OK;
    if (check->expected != NULL && strcmp(check->expected, uri) != 0) {
        log_warn("peer.identity", "expected=%s found=%s uris=%zu target=%s", check->expected, uri,
                 count, request->target_name != NULL ? request->target_name : "");
        *status = GRPC_STATUS_UNAUTHENTICATED;
        *details = gpr_strdup("the server's certificate names somebody else");
    }
    core_hand_over(user_data);
    return 1;
}

static void identity_cancel(void *user_data, grpc_tls_custom_verification_check_request *request)
{
    (void)user_data;
    (void)request;
}

static void identity_destruct(void *user_data)
{
    struct identity_check *check = user_data;

    core_take_over(check);
    free(check->expected);
    free(check);
}

static grpc_tls_certificate_verifier *verifier_new(const char *identity)
{
    struct identity_check *check = calloc(1, sizeof *check);

    if (check == NULL || (identity != NULL && (check->expected = strdup(identity)) == NULL)) {
        free(check);
        return NULL;
    }
    check->verifier.user_data = check;
    check->verifier.verify = identity_verify;
    check->verifier.cancel = identity_cancel;
    check->verifier.destruct = identity_destruct;
    core_hand_over(check);
    return grpc_tls_certificate_verifier_external_create(&check->verifier);
}

grpc_channel_credentials *credentials_for_channel(const struct credentials *set,
                                                  const char *identity)
{
    grpc_tls_certificate_verifier *verifier = verifier_new(identity);
    grpc_tls_certificate_provider *provider;
    grpc_tls_credentials_options *options;
    grpc_tls_identity_pairs *pairs = NULL;

    if (verifier == NULL) {
        return NULL;
    }
    if (set->key.text != NULL) {
        pairs = grpc_tls_identity_pairs_create();
        grpc_tls_identity_pairs_add_pair(pairs, set->key.text, set->certificate.text);
    }
    provider = grpc_tls_certificate_provider_static_data_create(set->ca.text, pairs);
    options = grpc_tls_credentials_options_create();
    grpc_tls_credentials_options_set_certificate_provider(options, provider);
    grpc_tls_credentials_options_watch_root_certs(options);
    if (set->key.text != NULL) {
        grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
    }
    grpc_tls_credentials_options_set_verify_server_cert(options, 1);
    grpc_tls_credentials_options_set_check_call_host(options, 0);
    grpc_tls_credentials_options_set_certificate_verifier(options, verifier);
    grpc_tls_certificate_verifier_release(verifier);
    grpc_tls_certificate_provider_release(provider);
    return grpc_tls_credentials_create(options); /* takes the options */
}
