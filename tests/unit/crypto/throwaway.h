/*
 * throwaway - for tests of this layer: P-256 and Ed25519 keys, certificates, files, made on the
 * spot.
 */
#ifndef TESTS_CRYPTO_THROWAWAY_H
#define TESTS_CRYPTO_THROWAWAY_H

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"

#define UNUSED __attribute__((unused))
#define THROWAWAY_PATH 128

struct throwaway {
    EVP_PKEY *key;
    X509 *x509;
};

/* What differs between the certificates of a test; times are seconds from now. */
struct throwaway_plan {
    const char *name;
    const char *san; /* as in openssl.cnf; NULL: none */
    bool is_ca;
    long not_before;
    long not_after;
    const struct throwaway *issuer; /* NULL: signs itself */
};

UNUSED static void throwaway_release(struct throwaway *made)
{
    EVP_PKEY_free(made->key);
    X509_free(made->x509);
}

static void throwaway_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

UNUSED static struct throwaway throwaway_make(struct throwaway_plan plan)
{
    static long serial = 1000;
    struct throwaway made = {.key = EVP_EC_gen("P-256"), .x509 = X509_new()};
    const struct throwaway *issuer = plan.issuer != NULL ? plan.issuer : &made;
    X509_NAME *name = X509_get_subject_name(made.x509);

    assert_non_null(made.key);
    X509_set_version(made.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.x509), plan.not_before);
    X509_gmtime_adj(X509_getm_notAfter(made.x509), plan.not_after);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)plan.name, -1, -1,
                               0);
    X509_set_issuer_name(made.x509, X509_get_subject_name(issuer->x509));
    X509_set_pubkey(made.x509, made.key);
    throwaway_extension(made.x509, NID_basic_constraints,
                        plan.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (plan.san != NULL) {
        throwaway_extension(made.x509, NID_subject_alt_name, plan.san);
    }
    assert_true(X509_sign(made.x509, issuer->key, EVP_sha256()) > 0);
    return made;
}

/* A certificate in force now with one URI. */
UNUSED static struct throwaway throwaway_holder(const char *uri, const struct throwaway *issuer)
{
    char san[300];

    snprintf(san, sizeof san, "URI:%s", uri);
    return throwaway_make((struct throwaway_plan){
        .name = "holder", .san = san, .not_before = -60, .not_after = 3600, .issuer = issuer});
}

UNUSED static struct throwaway throwaway_ca(const char *name)
{
    return throwaway_make((struct throwaway_plan){
        .name = name, .is_ca = true, .not_before = -3600, .not_after = 86400});
}

UNUSED static void throwaway_pem(const struct throwaway *made, struct buffer *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long size;

    assert_int_equal(PEM_write_bio_X509(bio, made->x509), 1);
    size = BIO_get_mem_data(bio, &data);
    buffer_put(pem, data, (size_t)size);
    BIO_free(bio);
}

/* A private key's file with this mode; the caller unlinks path. */
UNUSED static void throwaway_key_file(EVP_PKEY *key, mode_t mode, char path[THROWAWAY_PATH])
{
    FILE *file;
    int fd;

    snprintf(path, THROWAWAY_PATH, "/tmp/enlace-key-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    file = fdopen(fd, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

UNUSED static void throwaway_file(struct bytes content, mode_t mode, char path[THROWAWAY_PATH])
{
    int fd;

    snprintf(path, THROWAWAY_PATH, "/tmp/enlace-file-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.data, content.size), (ssize_t)content.size);
    close(fd);
    assert_int_equal(chmod(path, mode), 0);
}

#endif
