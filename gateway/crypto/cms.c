#include "crypto/cms.h"

#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/cms_bucket.h"
#include "crypto/native.h"

#define PAD_RANDOM 32
#define PAD_HEAD (PAD_RANDOM + 4)

static const size_t buckets[] = {
    (size_t)1 << 10,  (size_t)4 << 10,   (size_t)16 << 10,
    (size_t)64 << 10, (size_t)256 << 10, (size_t)1 << 20,
};

#define BUCKET_COUNT (sizeof buckets / sizeof buckets[0])

struct sealkey {
    EVP_PKEY *key;
};

enum rc sealkey_load(const char *path, struct sealkey **key, struct fault *fault)
{
    OWN_PTR(sealkey) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "sealkey.load", "path=%s cause=memory", path);
    }
    TRY(native_key_load(path, NATIVE_P256, &made->key, fault));
    *key = MOVE(made);
    return RC_OK;
}

void sealkey_free(struct sealkey *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->key);
        free(key);
    }
}

/* The smallest bucket that holds size bytes, 0 when none does. */
static size_t bucket_for(size_t size)
{
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        if (size <= buckets[i]) {
            return buckets[i];
        }
    }
    return 0;
}

bool cms_is_bucket(size_t size)
{
    return size > 0 && bucket_for(size) == size;
}

static void pad_into(struct bytes content, uint8_t *out, size_t size)
{
    random_fill(out, PAD_RANDOM);
    put_u32(out + PAD_RANDOM, (uint32_t)content.size);
    if (content.size > 0) {
        memcpy(out + PAD_HEAD, content.data, content.size);
    }
    memset(out + PAD_HEAD + content.size, 0, size - PAD_HEAD - content.size);
}

enum rc cms_pad(struct bytes content, struct buffer *padded)
{
    size_t size;
    uint8_t *block;

    if (content.size > CMS_CONTENT_MAX) {
        return RC_OUT_OF_RANGE;
    }
    size = bucket_for(PAD_HEAD + content.size);
    block = malloc(size);
    if (block == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "cms.pad", "cause=memory");
    }
    pad_into(content, block, size);
    buffer_put(padded, block, size);
    OPENSSL_cleanse(block, size);
    free(block);
    return padded->is_failed ? failed(RC_RESOURCE_EXHAUSTED, "cms.pad", "cause=memory") : RC_OK;
}

enum rc cms_unpad(struct bytes padded, struct bytes *content)
{
    size_t length;
    uint8_t any = 0;

    if (padded.size < PAD_HEAD || !cms_is_bucket(padded.size)) {
        return RC_INVALID_ARGUMENT;
    }
    length = get_u32(padded.data + PAD_RANDOM);
    /* In the smallest bucket that fits: one content has one length on the wire. */
    if (length > padded.size - PAD_HEAD || bucket_for(PAD_HEAD + length) != padded.size) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = PAD_HEAD + length; i < padded.size; i++) {
        any |= padded.data[i];
    }
    if (any != 0) {
        return RC_INVALID_ARGUMENT;
    }
    *content = BYTES(padded.data + PAD_HEAD, length);
    return RC_OK;
}

static enum rc add_recipient(CMS_ContentInfo *cms, const struct cert *cert)
{
    X509 *x509 = cert_native(cert);
    EVP_PKEY *key = X509_get0_pubkey(x509);
    CMS_RecipientInfo *recipient;
    EVP_PKEY_CTX *context;

    if (key == NULL || !native_key_is(key, NATIVE_P256)) {
        return RC_INVALID_ARGUMENT;
    }
    recipient = CMS_add1_recipient_cert(cms, x509, CMS_KEY_PARAM);
    context = recipient != NULL ? CMS_RecipientInfo_get0_pkey_ctx(recipient) : NULL;
    /* OpenSSL's default here is SHA-1. */
    if (context == NULL || EVP_PKEY_CTX_ctrl_str(context, "ecdh_kdf_md", "sha256") != 1) {
        return failed(RC_INTERNAL, "cms.recipient", "uri=%s cause=\"%s\"", cert_uri(cert),
                      native_error());
    }
    return RC_OK;
}

static enum rc add_content(CMS_ContentInfo *cms, struct bytes padded, struct buffer *sealed)
{
    BIO *input = BIO_new_mem_buf(padded.data, (int)padded.size);
    bool is_final = input != NULL && CMS_final(cms, input, NULL, CMS_BINARY) == 1;
    unsigned char *der = NULL;
    int size = is_final ? i2d_CMS_ContentInfo(cms, &der) : -1;

    BIO_free(input);
    if (size <= 0) {
        return failed(RC_INTERNAL, "cms.seal", "cause=\"%s\"", native_error());
    }
    buffer_put(sealed, der, (size_t)size);
    OPENSSL_free(der);
    return sealed->is_failed ? failed(RC_RESOURCE_EXHAUSTED, "cms.seal", "cause=memory") : RC_OK;
}

static enum rc seal_padded(struct bytes padded, const struct cert *const *recipients, size_t count,
                           struct buffer *sealed)
{
    CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_BINARY | CMS_PARTIAL);
    enum rc rc = RC_OK;

    if (cms == NULL) {
        return failed(RC_INTERNAL, "cms.seal", "cause=\"%s\"", native_error());
    }
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        rc = add_recipient(cms, recipients[i]);
    }
    if (rc == RC_OK) {
        rc = add_content(cms, padded, sealed);
    }
    CMS_ContentInfo_free(cms);
    return rc;
}

static void wipe(struct buffer *buffer)
{
    OPENSSL_cleanse(buffer->data, buffer->size);
}

enum rc cms_seal(struct bytes content, const struct cert *const *recipients, size_t count,
                 struct buffer *sealed, uint8_t plain_digest[DIGEST_SIZE])
{
    OWN(buffer) padded = {0};
    enum rc rc;

    if (count == 0 || count > CMS_RECIPIENTS_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(cms_pad(content, &padded));
    rc = seal_padded(buffer_bytes(&padded), recipients, count, sealed);
    if (rc == RC_OK) {
        digest_of(&BYTES(padded.data, padded.size), 1, plain_digest);
    }
    wipe(&padded);
    return rc;
}

/* Reads the plaintext to its end; true when the tag was right and the size within a bucket. */
static bool read_plain(BIO *plain, uint8_t *out, size_t capacity, size_t *size)
{
    size_t used = 0;

    for (;;) {
        size_t room = capacity - used < 65536 ? capacity - used : 65536;
        int n = room > 0 ? BIO_read(plain, out + used, (int)room) : -1;

        if (n <= 0) {
            break;
        }
        used += (size_t)n;
    }
    *size = used;
    return used < capacity && BIO_get_cipher_status(plain) == 1;
}

static bool is_aes256_gcm(BIO *plain)
{
    EVP_CIPHER_CTX *context = NULL;

    return BIO_get_cipher_ctx(plain, &context) == 1 && context != NULL &&
           EVP_CIPHER_is_a(EVP_CIPHER_CTX_get0_cipher(context), "AES-256-GCM") == 1;
}

/* Compares and unpads what was decrypted; block is wiped by the caller. */
static enum rc take_content(struct bytes padded, const uint8_t plain_digest[DIGEST_SIZE],
                            struct buffer *content)
{
    uint8_t digest[DIGEST_SIZE];
    struct bytes inner;

    digest_of(&padded, 1, digest);
    if (!digest_equal(digest, plain_digest)) {
        return RC_DATA_LOSS;
    }
    TRY(cms_unpad(padded, &inner));
    buffer_put_bytes(content, inner);
    return content->is_failed ? failed(RC_RESOURCE_EXHAUSTED, "cms.open", "cause=memory") : RC_OK;
}

static enum rc decrypt(CMS_ContentInfo *cms, const uint8_t plain_digest[DIGEST_SIZE],
                       struct buffer *content)
{
    const size_t capacity = buckets[BUCKET_COUNT - 1] + 1;
    BIO *plain = CMS_dataInit(cms, NULL);
    uint8_t *block = malloc(capacity);
    size_t size = 0;
    enum rc rc = RC_DATA_LOSS;

    if (block == NULL) {
        rc = failed(RC_RESOURCE_EXHAUSTED, "cms.open", "cause=memory");
    } else if (plain != NULL && !is_aes256_gcm(plain)) {
        rc = RC_INVALID_ARGUMENT;
    } else if (plain != NULL && read_plain(plain, block, capacity, &size)) {
        rc = take_content(BYTES(block, size), plain_digest, content);
    }
    if (block != NULL) {
        OPENSSL_cleanse(block, size);
    }
    free(block);
    BIO_free_all(plain);
    return rc;
}

static bool names_cert(CMS_RecipientInfo *recipient, X509 *x509)
{
    STACK_OF(CMS_RecipientEncryptedKey) * keys;

    if (CMS_RecipientInfo_type(recipient) != CMS_RECIPINFO_AGREE) {
        return false;
    }
    keys = CMS_RecipientInfo_kari_get0_reks(recipient);
    for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++) {
        if (CMS_RecipientEncryptedKey_cert_cmp(sk_CMS_RecipientEncryptedKey_value(keys, i), x509) ==
            0) {
            return true;
        }
    }
    return false;
}

/* Unwraps the content key with our recipient line, where there is one. */
static enum rc unwrap(CMS_ContentInfo *cms, const struct cert *cert, const struct sealkey *key)
{
    STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
    X509 *x509 = cert_native(cert);
    bool is_ours = false;

    for (int i = 0; i < sk_CMS_RecipientInfo_num(recipients) && !is_ours; i++) {
        is_ours = names_cert(sk_CMS_RecipientInfo_value(recipients, i), x509);
    }
    if (!is_ours) {
        return RC_PERMISSION_DENIED;
    }
    return CMS_decrypt_set1_pkey_and_peer(cms, key->key, x509, NULL) == 1 ? RC_OK : RC_DATA_LOSS;
}

static bool is_sealed_data(CMS_ContentInfo *cms)
{
    return OBJ_obj2nid(CMS_get0_type(cms)) == NID_id_smime_ct_authEnvelopedData &&
           OBJ_obj2nid(CMS_get0_eContentType(cms)) == NID_pkcs7_data;
}

enum rc cms_open(struct bytes sealed, const struct cert *cert, const struct sealkey *key,
                 const uint8_t plain_digest[DIGEST_SIZE], struct buffer *content)
{
    const unsigned char *at = sealed.data;
    CMS_ContentInfo *cms;
    enum rc rc = RC_INVALID_ARGUMENT;

    if (sealed.size > CMS_SEALED_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    cms = d2i_CMS_ContentInfo(NULL, &at, (long)sealed.size);
    if (cms != NULL && at == sealed.data + sealed.size && is_sealed_data(cms)) {
        rc = unwrap(cms, cert, key);
        if (rc == RC_OK) {
            rc = decrypt(cms, plain_digest, content);
        }
    }
    CMS_ContentInfo_free(cms);
    (void)native_error();
    return rc;
}
