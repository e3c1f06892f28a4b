#include "crypto/native.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 16384

int native_no_passphrase(char *out, int size, int is_writing, void *unused)
{
    (void)out;
    (void)size;
    (void)is_writing;
    (void)unused;
    return -1;
}

const char *native_error(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return reason != NULL ? reason : "unknown";
}

bool native_key_is(const EVP_PKEY *key, enum native_key kind)
{
    char group[32] = "";

    if (kind == NATIVE_ANY) {
        return true;
    }
    if (kind == NATIVE_ED25519) {
        return EVP_PKEY_is_a(key, "ED25519") == 1;
    }
    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static enum rc refuse_file(struct fault *fault, enum rc rc, const char *reason, const char *path,
                           const char *cause, const char *remedy)
{
    (void)failed(rc, reason, "path=%s cause=\"%s\" remedy=\"%s\"", path, cause, remedy);
    return refuse(fault, rc, reason, "", "%s: %s", path, remedy);
}

/* Reads at most capacity bytes; -1 with errno. */
static ssize_t read_all(int fd, uint8_t *out, size_t capacity)
{
    size_t used = 0;

    while (used < capacity) {
        ssize_t n = read(fd, out + used, capacity - used);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        used += (size_t)n;
    }
    return (ssize_t)used;
}

/* The checks are made on the open descriptor: the name may be another file by the time it is read.
 */
static enum rc key_file_read(const char *path, uint8_t *out, size_t *size, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat facts;
    ssize_t n;

    if (fd < 0) {
        return refuse_file(fault, RC_NOT_FOUND, "key.unreadable", path, strerror(errno),
                           "compruebe la ruta y que la cuenta del servicio sea su propietaria");
    }
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(fd);
        return refuse_file(fault, RC_INVALID_ARGUMENT, "key.no_file", path, "no regular file",
                           "indique un archivo PEM");
    }
    if ((facts.st_mode & 077) != 0) {
        close(fd);
        return refuse_file(fault, RC_PERMISSION_DENIED, "key.exposed", path,
                           "group or others have access", "ejecute: chmod 600 en ese archivo");
    }
    n = read_all(fd, out, KEY_FILE_MAX);
    close(fd);
    if (n < 0 || n == KEY_FILE_MAX) {
        return refuse_file(fault, RC_INVALID_ARGUMENT, "key.unreadable", path,
                           n < 0 ? strerror(errno) : "too large", "indique un archivo PEM");
    }
    *size = (size_t)n;
    return RC_OK;
}

static EVP_PKEY *key_parse(const uint8_t *pem, size_t size)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    EVP_PKEY *key = NULL;

    if (bio != NULL) {
        key = PEM_read_bio_PrivateKey(bio, NULL, native_no_passphrase, NULL);
        BIO_free(bio);
    }
    return key;
}

enum rc native_key_load(const char *path, enum native_key kind, EVP_PKEY **key, struct fault *fault)
{
    uint8_t pem[KEY_FILE_MAX];
    size_t size = 0;
    EVP_PKEY *parsed;

    TRY(key_file_read(path, pem, &size, fault));
    parsed = key_parse(pem, size);
    OPENSSL_cleanse(pem, sizeof pem);
    if (parsed == NULL) {
        return refuse_file(fault, RC_INVALID_ARGUMENT, "key.malformed", path, native_error(),
                           "indique una llave privada PEM sin contraseña");
    }
    if (!native_key_is(parsed, kind)) {
        EVP_PKEY_free(parsed);
        return refuse_file(fault, RC_INVALID_ARGUMENT, "key.kind", path, "another kind of key",
                           kind == NATIVE_ED25519
                               ? "genere una con: openssl genpkey -algorithm ed25519"
                               : "genere una con: openssl genpkey -algorithm EC -pkeyopt "
                                 "ec_paramgen_curve:P-256");
    }
    *key = parsed;
    return RC_OK;
}

enum rc native_file_read(const char *path, size_t max, struct buffer *buffer)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t part[4096];
    ssize_t n;

    if (fd < 0) {
        return failed(RC_NOT_FOUND, "file.open", "path=%s cause=\"%s\"", path, strerror(errno));
    }
    do {
        n = read_all(fd, part, sizeof part);
        buffer_put(buffer, part, n > 0 ? (size_t)n : 0);
    } while (n > 0 && buffer->size <= max && !buffer->is_failed);
    close(fd);
    if (n < 0) {
        return failed(RC_UNAVAILABLE, "file.read", "path=%s cause=\"%s\"", path, strerror(errno));
    }
    if (buffer->size > max || buffer->is_failed) {
        return failed(RC_OUT_OF_RANGE, "file.read", "path=%s max=%zu", path, max);
    }
    return RC_OK;
}
