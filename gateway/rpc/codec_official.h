/*
 * codec_official - requests and responses of service Official, as plain structs.
 *
 * The same rules as rpc/codec.h: reading is strict and borrows, writing appends.
 */
#ifndef RPC_CODEC_OFFICIAL_H
#define RPC_CODEC_OFFICIAL_H

#include "model/official.h"
#include "model/will.h"
#include "rpc/codec.h"

/* An OfficialAct, serialised once: what its maker does, and nobody after. */
void codec_official_act_write(const struct official_act *act, struct buffer *out);
/* A GiveActRequest; the act in it is read, too. */
MUST_CHECK enum rc codec_official_signed_read(struct bytes from, struct arena *arena,
                                              struct official_signed *act, struct fault *fault);
void codec_official_signed_write(const struct official_signed *act, struct buffer *out);

MUST_CHECK enum rc codec_official_answer_read(struct bytes from, struct arena *arena,
                                              uint8_t digest[HASH_SIZE], struct fault *fault);
void codec_official_answer_write(const uint8_t digest[HASH_SIZE], struct buffer *out);

/* At most OFFICIAL_AWAITING_MAX; `rows` has room for as many. */
MUST_CHECK enum rc codec_awaiting_read(struct bytes from, struct arena *arena,
                                       struct awaiting *rows, size_t *count, struct fault *fault);
void codec_awaiting_write(const struct awaiting *rows, size_t count, struct buffer *out);

MUST_CHECK enum rc codec_will_read(struct bytes from, struct arena *arena, struct will *will,
                                   struct fault *fault);
void codec_will_write(const struct will *will, struct buffer *out);

/* A GetAwaitingResponse: the Message as it stands there, and the same decoded. */
MUST_CHECK enum rc codec_awaiting_message_read(struct bytes from, struct arena *arena,
                                               struct message *message, struct fault *fault);
void codec_awaiting_message_write(const struct message *message, struct buffer *out);

#endif
