#include "enlaced/bounds.h"

#include <assert.h>

#include "crypto/cms.h"
#include "http/http_loop.h"
#include "model/message.h"
#include "policy/directory_file.h"
#include "policy/validate.h"
#include "relay/annexes.h"
#include "relay/audit.h"
#include "relay/budget.h"
#include "relay/cosigner.h"
#include "relay/finder.h"
#include "relay/indexer.h"
#include "relay/refusals.h"
#include "relay/submit_stream.h"
#include "rpc/codec_service.h"
#include "rpc/server.h"
#include "rpc/stream.h"
#include "store/db.h"
#include "store/leaf_clock.h"
#include "store/seen.h"
#include "store/writer.h"
#include "tlog/add_checkpoint.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

const struct bound bounds[] = {
    /* One message: refused with its reason and path. */
    {"message", MESSAGE_BYTES_MAX, "bytes", "header, compartments and signatures together"},
    {"message.header", MESSAGE_HEADER_MAX, "bytes", "serialised header"},
    {"message.compartments", MESSAGE_COMPARTMENTS_MAX, "", "in one message"},
    {"message.sealed", CMS_SEALED_MAX, "bytes", "one sealed compartment"},
    {"message.recipients", CMS_RECIPIENTS_MAX, "", "systems that one compartment is sealed to"},
    {"message.subjects", MESSAGE_SUBJECTS_MAX, "", "persons in one message"},
    {"message.items", MESSAGE_ITEMS_MAX, "", "measures in one request"},
    {"message.figures", MESSAGE_FIGURES_MAX, "", "in one aggregate"},
    {"message.clocks", MESSAGE_CLOCKS_MAX, "", "deadlines in one header"},
    {"message.signatures", MESSAGE_SIGNATURES_MAX, "", "on one message"},
    {"message.text", MESSAGE_TEXT_MAX, "bytes", "any one text field"},
    {"message.code", MESSAGE_CODE_MAX, "bytes", "any code, id or reference"},
    {"message.age", VALIDATE_ID_PAST_MS / DAY_MS, "days", "of an id that the node never saw"},
    {"attachment.count", MESSAGE_ATTACHMENTS_MAX, "", "in one message"},
    {"attachment.size", VALIDATE_ATTACHMENT_MAX, "bytes", "one attachment"},
    {"attachment.streams", ANNEX_STREAMS_MAX, "", "open at one time; more are refused"},
    {"attachment.owner", ANNEX_STREAMS_PER_OWNER, "", "of them, of one member or peer"},
    {"attachment.unfinished", ANNEX_UNFINISHED_MS / DAY_MS, "days", "then it is dropped"},
    /* One identity: RESOURCE_EXHAUSTED, or its stream waits. */
    {"identity.submit_streams", BUDGET_SUBMIT_MAX, "", "SubmitStream; more are refused"},
    {"identity.attach_streams", BUDGET_ATTACH_MAX, "", "Attach; more are refused"},
    {"identity.audit_streams", BUDGET_AUDIT_MAX, "", "ReadRecords; more are refused"},
    {"identity.peer_streams", BUDGET_PEER_MAX, "", "of one peer node; more are refused"},
    {"identity.calls", BUDGET_CALLS_MAX, "", "Submit calls under way; more are refused"},
    {"identity.memory", BUDGET_IDENTITY_BYTES, "bytes", "under way; then its streams wait"},
    {"identity.call_reserve", BUDGET_CALL_RESERVE, "bytes", "beside that, for calls alone"},
    {"identity.refusals", REFUSALS_PER_MINUTE, "a minute", "as leaves; the rest as one count"},
    {"stream.memory", BUDGET_STREAM_BYTES, "bytes", "under way on one stream; then it waits"},
    {"stream.jobs", SUBMIT_STREAM_WINDOW, "", "under way on one SubmitStream; then it waits"},
    {"stream.outgoing", STREAM_OUTGOING_MAX, "", "answers that one client has not read"},
    {"stream.outgoing_bytes", STREAM_OUTGOING_BYTES_MAX, "bytes", "of them; then nothing is read"},
    {"rpc.message", SERVER_MESSAGE_MAX, "bytes", "any request; gRPC refuses the rest"},
    /* Between nodes. */
    {"parcel", PARCEL_BYTES_MAX, "bytes", "messages and proofs together"},
    {"parcel.entries", PARCEL_ENTRIES_MAX, "", "messages in one parcel"},
    {"audit.page", AUDIT_PAGE_MAX, "", "records in one answer"},
    {"witness.body", ADD_CHECKPOINT_SIZE_MAX, "bytes", "one add-checkpoint"},
    {"witness.overtaken", SEEN_OVERTAKEN_MS / 1000, "seconds",
     "then a checkpoint is too old to cosign"},
    {"witness.answer", COSIGNER_TIMEOUT_MS / 1000, "seconds", "then a witness is away"},
    {"http.body", HTTP_BODY_MAX, "bytes", "any request over plain HTTP"},
    {"audit.look", FINDER_LOOK_MAX, "", "leaves looked at for one answer"},
    {"audit.approval", AUDIT_APPROVAL_MAX_S, "seconds", "a second official's approval is good for"},
    {"audit.waiting", AUDIT_CHORES_MAX, "", "answers being made; more are refused"},
    {"clock.behind", LEAF_CLOCK_BEHIND_S, "seconds", "the last leaf; then ordinary waits"},
    {"clock.jump", LEAF_CLOCK_JUMP_S, "seconds", "forward; then ordinary waits for agreement"},
    {"clock.agree", LEAF_CLOCK_AGREE_S, "seconds", "apart from a peer's clock that confirms ours"},
    {"index.lag", INDEXER_LAG_MAX, "", "leaves behind the log; then an alarm"},
    /* The node. */
    {"node.memory", BUDGET_NODE_BYTES, "bytes", "under way of all identities; then streams wait"},
    {"node.identities", BUDGET_SEATS_MAX, "", "with something under way; more are refused"},
    {"writer.queue_bytes", WRITER_QUEUE_BYTES_MAX, "bytes", "waiting; a quarter more for urgent"},
    {"writer.write_leaves", WRITE_LEAVES_MAX, "", "of one write"},
    {"writer.write_bytes", WRITE_BYTES_MAX, "bytes", "of one write"},
    {"store.readers", DB_READERS_MAX, "", "read transactions at one time"},
    {"directory", DIRECTORY_TEXT_MAX, "bytes", "the directory's text"},
    {"directory.members", DIRECTORY_MEMBERS_MAX, "", "rows"},
    {"directory.identities", DIRECTORY_IDENTITIES_MAX, "", "rows"},
    {"directory.routes", DIRECTORY_ROUTES_MAX, "", "rows"},
    {.name = NULL},
};

/* How they must stand to each other, or one of them is never reached or never kept. */
static_assert(PARCEL_BYTES_MAX < SERVER_MESSAGE_MAX, "a full parcel and its frame arrive");
static_assert(MESSAGE_BYTES_MAX < PARCEL_BYTES_MAX, "any message fits into a parcel");
static_assert(PARCEL_ENTRIES_MAX <= WRITE_LEAVES_MAX, "a parcel is one write");
static_assert(SERVER_MESSAGE_MAX < WRITE_BYTES_MAX, "whatever arrives is one write");
static_assert(WRITE_BYTES_MAX < WRITER_QUEUE_BYTES_MAX, "any write fits into the queue");
static_assert(BUDGET_STREAM_BYTES < BUDGET_IDENTITY_BYTES, "two streams go on side by side");
static_assert(BUDGET_IDENTITY_BYTES < BUDGET_NODE_BYTES, "one identity leaves room to others");

void bounds_print(FILE *out)
{
    for (const struct bound *bound = bounds; bound->name != NULL; bound++) {
        fprintf(out, "%-24s %12llu %-9s %s\n", bound->name, (unsigned long long)bound->most,
                bound->unit, bound->meaning);
    }
}
