/*
 * lote - batches of rows to an institution that exchanges files: styfe, dif, sibiso, injuve,
 * alc-mh, casa-refugio. What the files' threads share. Internal to the adapter.
 *
 *     lote_out.c     messages become rows, rows become signed batches
 *     lote_in.c      signed batches of the institution: states and referrals of its own
 *     lote_state.c   one row of states, applied
 *     lote_new.c     one row of referrals, opened
 *     lote_sftp.c    the same folders on the other side of an SFTP server
 *
 * Books in the spool: "sent" (message id -> "lote NAME" or "recibido REFERENCE" or "rechazado
 * ..."), "read" (SHA-256 of a manifest -> its batch), "batches" ("next" -> a number).
 *
 * A message leaves as rows of the next batch and stays in the adapter's inbox until the institution
 * answers RECIBIDA for its CLAVE: only then custody (R2) is said. Everything runs on the adapter's
 * thread but for SFTP.
 */
#ifndef LOTE_LOTE_H
#define LOTE_LOTE_H

#include "crypto/filesig.h"
#include "lote/csv.h"
#include "lote/manifest.h"
#include "sdk/book.h"
#include "sdk/dropfolder.h"
#include "sdk/program.h"

#define LOTE_PENDING_MAX 512
#define LOTE_APPLIED_MAX 16 /* batches read in one tick */
#define LOTE_ARENA_MAX ((size_t)48 << 20)

struct lote_settings {
    struct program_settings common; /* first */
    char outgoing[CONF_TEXT_SIZE];
    char incoming[CONF_TEXT_SIZE];
    char sign_certificate[CONF_TEXT_SIZE];
    char sign_key[CONF_TEXT_SIZE];
    char signers[CONF_TEXT_SIZE];
    char prefix[CONF_TEXT_SIZE];
    int64_t every_s;
    int64_t rest_ms;
    char sftp[CONF_TEXT_SIZE];
    char sftp_user[CONF_TEXT_SIZE];
    char sftp_key[CONF_TEXT_SIZE];
    char sftp_known_hosts[CONF_TEXT_SIZE];
    char sftp_outgoing[CONF_TEXT_SIZE];
    char sftp_incoming[CONF_TEXT_SIZE];
    int64_t sftp_every_ms;
};

/* A message whose rows wait for the next batch. */
struct lote_pending {
    struct lote_pending *next;
    struct id id;
    bool is_urgent;
    struct buffer rows;
    size_t row_count;
};

/* A batch that was applied in the last tick. */
struct lote_applied {
    char batch[MANIFEST_NAME_MAX + 1];
    char key[2 * DIGEST_SIZE + 1];
};

struct lote_sftp;

struct lote {
    struct adapter_user user; /* first */
    struct lote_settings settings;
    const struct program_context *context;
    struct filesigner *signer;
    struct filesigners *signers;
    struct dropfolder *outgoing;
    struct dropfolder *incoming;
    struct book *sent;
    struct book *read;
    struct book *batches;
    struct lote_pending *pending; /* in the order of arrival */
    size_t pending_count;
    int64_t pending_since_ms;
    struct lote_applied applied[LOTE_APPLIED_MAX];
    size_t applied_count;
    struct lote_sftp *sftp; /* NULL: a folder is all there is */
};

/* [entrada] of the mapping: the columns of states and of referrals. */
extern const char *const lote_words_in[];
extern const char *const lote_tables[];
extern const char *const lote_settings_words[];

/* ---- lote_out.c ---- */
MUST_CHECK enum rc lote_on_message(struct lote *lote, struct adapter *adapter,
                                   const struct message *message);
/* When it is time: a batch of what is pending. */
MUST_CHECK enum rc lote_flush(struct lote *lote, int64_t now_ms);
/* A batch of any kind, signed and put where the institution looks: CSV, JSON, signature. */
MUST_CHECK enum rc lote_put_batch(struct lote *lote, enum manifest_kind kind,
                                  const char *const *columns, size_t column_count,
                                  struct bytes rows, size_t row_count,
                                  char batch[MANIFEST_NAME_MAX + 1]);
void lote_pending_free(struct lote *lote);

/* ---- lote_in.c ---- */
/* Reads what lies there; failures are logged, refused batches told to the institution. */
void lote_read(struct lote *lote, struct adapter *adapter);

/* ---- lote_state.c, lote_new.c: one row; a fault says why it was not taken ---- */
MUST_CHECK enum rc lote_state(struct lote *lote, struct adapter *adapter, const struct csv *csv,
                              size_t row, const uint8_t evidence[DIGEST_SIZE], struct fault *fault);
MUST_CHECK enum rc lote_new(struct lote *lote, struct adapter *adapter, const struct csv *csv,
                            size_t row, struct fault *fault);

/* ---- lote_sftp.c ---- */
MUST_CHECK enum rc lote_sftp_start(struct lote *lote, struct fault *fault);
void lote_sftp_stop(struct lote_sftp *sftp);

#endif
