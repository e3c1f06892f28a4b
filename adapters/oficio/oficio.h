/*
 * oficio - an institution with no system: requests become sheets of paper, answers come back as
 * signed forms. Internal to the adapter.
 *
 *     oficio_out.c    a message as a sheet, its form and its receipt in the institution's folder
 *     sheet.c         the sheet itself, set with gateway/paper
 *     sheet_words.c   the words in braces of wording
 *     wording.c       the institution's texts
 *     oficio_in.c     signed forms of the liaison officer: answers and referrals
 *     form.c          one form, read
 *
 * Books in the spool: "folios" (message id -> "FOLIO EXCHANGE INSTANT"; "next-YYYY" -> a number),
 * "sent" (message id -> "oficio" or "recibido REFERENCE" or "rechazado ..."), "read" (SHA-256 of a
 * form -> its name).
 *
 * A message waits in the adapter's inbox until the officer answers RECIBIDO in a signed form: only
 * then custody (R2) is said. Everything runs on the adapter's thread.
 */
#ifndef OFICIO_OFICIO_H
#define OFICIO_OFICIO_H

#include "crypto/filesig.h"
#include "oficio/form.h"
#include "oficio/wording.h"
#include "paper/paper.h"
#include "sdk/book.h"
#include "sdk/dropfolder.h"
#include "sdk/program.h"
#include "tlog/sheet_note.h"

#define OFICIO_ARENA_MAX ((size_t)16 << 20)
#define OFICIO_APPLIED_MAX 16 /* forms read in one tick */
#define OFICIO_NAME_MAX 96

struct oficio_settings {
    struct program_settings common; /* first */
    char wording[CONF_TEXT_SIZE];
    char outgoing[CONF_TEXT_SIZE];
    char incoming[CONF_TEXT_SIZE];
    char sign_certificate[CONF_TEXT_SIZE];
    char sign_key[CONF_TEXT_SIZE];
    char signers[CONF_TEXT_SIZE];
    char prefix[CONF_TEXT_SIZE];
    char fonts[CONF_TEXT_SIZE];
    char fonts_more[CONF_TEXT_SIZE];
    int64_t rest_ms;
};

/* A form that was applied in the last tick. */
struct oficio_applied {
    char name[DROPFOLDER_NAME_MAX + 1];
    char key[2 * DIGEST_SIZE + 1];
};

struct oficio {
    struct adapter_user user; /* first */
    struct oficio_settings settings;
    const struct program_context *context;
    struct wording *wording;
    struct paper_fonts *fonts;
    struct filesigner *signer;
    struct filesigners *signers;
    struct cert *cert; /* of the same certificate: signs the code */
    struct actkey *key;
    struct dropfolder *outgoing;
    struct dropfolder *incoming;
    struct book *folios;
    struct book *sent;
    struct book *read;
    struct oficio_applied applied[OFICIO_APPLIED_MAX];
    size_t applied_count;
};

extern const char *const oficio_words_in[];
extern const char *const oficio_tables[];
extern const char *const oficio_settings_words[];

/* One sheet to be made. */
struct sheet {
    struct paper_author author; /* first */
    struct wording_source words;
    const struct oficio *oficio;
    const struct reading *reading;
    struct arena *arena;
    const char *folio;
    int64_t at_ms;    /* the date that it bears */
    const char *type; /* "MeasureRequest", "Act dispute": of its texts */
    const char *note; /* of its code */
    struct fault *fault;
};

/* ---- sheet_words.c ---- */
/* Without a sheet: only to be asked what it knows. */
void sheet_words_init(struct wording_source *words);
const char *sheet_table(const struct sheet *sheet, const char *table, const char *ours);
/* The instant of the earliest clock; 0: none. */
int64_t sheet_due_ms(const struct header *header);
/* A section of the wording with its words filled in; "" when there is none. In the arena. */
const char *sheet_section(const struct sheet *sheet, const char *section);

/* ---- sheet.c ---- */
/* Appends the PDF. "paper.code": what the code would hold is too long. */
MUST_CHECK enum rc sheet_make(struct sheet *sheet, struct buffer *pdf, struct paper_made *made);

/* ---- oficio_out.c ---- */
MUST_CHECK enum rc oficio_on_message(struct oficio *oficio, struct adapter *adapter,
                                     const struct message *message);
/* The file's name of a folio, without an end. */
void oficio_name(const char *folio, char name[OFICIO_NAME_MAX]);

/* ---- oficio_in.c ---- */
/* Reads what lies there; failures are logged, refused forms told to the institution. */
void oficio_read(struct oficio *oficio, struct adapter *adapter);
/* A form, said; a fault tells why it was not taken. */
MUST_CHECK enum rc oficio_apply(struct oficio *oficio, struct adapter *adapter,
                                const struct form *form, const uint8_t evidence[DIGEST_SIZE],
                                struct fault *fault);

#endif
