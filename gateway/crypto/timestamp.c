#include "crypto/timestamp.h"

#include <openssl/ts.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "crypto/native.h"

static inline void request_release(TS_REQ **request)
{
    TS_REQ_free(*request);
}

static inline void answer_release(TS_RESP **answer)
{
    TS_RESP_free(*answer);
}

static inline void verifier_release(TS_VERIFY_CTX **verifier)
{
    TS_VERIFY_CTX_free(*verifier);
}

static bool set_imprint(TS_REQ *request, struct bytes content)
{
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    uint8_t digest[DIGEST_SIZE];
    bool is_set;

    digest_of(&content, 1, digest);
    is_set = imprint != NULL && algorithm != NULL &&
             X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
             TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
             TS_MSG_IMPRINT_set_msg(imprint, digest, DIGEST_SIZE) == 1 &&
             TS_REQ_set_msg_imprint(request, imprint) == 1;
    X509_ALGOR_free(algorithm);
    TS_MSG_IMPRINT_free(imprint);
    return is_set;
}

static bool set_nonce(TS_REQ *request)
{
    ASN1_INTEGER *nonce = ASN1_INTEGER_new();
    uint64_t value = 0;
    bool is_set;

    random_fill(&value, sizeof value);
    is_set = nonce != NULL && ASN1_INTEGER_set_uint64(nonce, value >> 1) == 1 &&
             TS_REQ_set_nonce(request, nonce) == 1;
    ASN1_INTEGER_free(nonce);
    return is_set;
}

enum rc timestamp_request(struct bytes content, struct buffer *request)
{
    __attribute__((cleanup(request_release))) TS_REQ *made = TS_REQ_new();
    unsigned char *der = NULL;
    int size;

    if (made == NULL || TS_REQ_set_version(made, 1) != 1 || !set_imprint(made, content) ||
        !set_nonce(made) || TS_REQ_set_cert_req(made, 1) != 1) {
        return RC_RESOURCE_EXHAUSTED;
    }
    size = i2d_TS_REQ(made, &der);
    if (size <= 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    buffer_put(request, der, (size_t)size);
    OPENSSL_free(der);
    return request->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* Takes everything over into the context. NULL: out of memory, or no such file. */
static TS_VERIFY_CTX *verifier_of(const char *ca, struct bytes content)
{
    TS_VERIFY_CTX *verifier = TS_VERIFY_CTX_new();
    X509_STORE *store = X509_STORE_new();
    unsigned char *imprint = OPENSSL_malloc(DIGEST_SIZE);

    if (verifier == NULL || store == NULL || imprint == NULL ||
        X509_STORE_load_file(store, ca) != 1) {
        TS_VERIFY_CTX_free(verifier);
        X509_STORE_free(store);
        OPENSSL_free(imprint);
        return NULL;
    }
    digest_of(&content, 1, imprint);
    TS_VERIFY_CTX_set_flags(verifier, TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_IMPRINT);
    TS_VERIFY_CTX_set_store(verifier, store);
    TS_VERIFY_CTX_set_imprint(verifier, imprint, DIGEST_SIZE);
    return verifier;
}

static int64_t time_of(TS_RESP *answer)
{
    const ASN1_GENERALIZEDTIME *time = TS_TST_INFO_get_time(TS_RESP_get_tst_info(answer));
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0;
    int seconds = 0;

    if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, time) != 1) {
        days = seconds = 0;
    }
    ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + seconds;
}

enum rc timestamp_verify(const char *ca, struct bytes content, struct bytes answer, int64_t *time_s,
                         struct fault *fault)
{
    const unsigned char *at = answer.data;
    __attribute__((cleanup(verifier_release))) TS_VERIFY_CTX *verifier = NULL;
    __attribute__((cleanup(answer_release))) TS_RESP *read = NULL;

    if (answer.size > TIMESTAMP_MAX || (read = d2i_TS_RESP(NULL, &at, (long)answer.size)) == NULL ||
        at != answer.data + answer.size) {
        (void)native_error();
        return refuse(fault, RC_INVALID_ARGUMENT, "stamp.malformed", "",
                      "No es la respuesta de una autoridad de sellos de tiempo (RFC 3161).");
    }
    verifier = verifier_of(ca, content);
    if (verifier == NULL) {
        (void)native_error();
        return refuse(fault, RC_INVALID_ARGUMENT, "stamp.ca", ca,
                      "No se pueden leer los certificados de la autoridad de sellos.");
    }
    if (TS_RESP_verify_response(verifier, read) != 1) {
        (void)native_error();
        return refuse(fault, RC_UNAUTHENTICATED, "stamp.invalid", "",
                      "El sello de tiempo no es de este sello, o no es de esa autoridad.");
    }
    *time_s = time_of(read);
    return RC_OK;
}
