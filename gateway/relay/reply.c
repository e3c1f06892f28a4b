#include "relay/reply.h"

#include "base/log.h"
#include "model/directory.h"
#include "relay/submit.h"

void reply_log_accepted(const struct submit_job *job)
{
    char id[ID_TEXT_SIZE];

    if (log_wants(LOG_LEVEL_DEBUG)) {
        id_format(&job->submission->message.header.message_id, id);
        log_debug("message.accepted", "msg=%s member=%s leaf=%llu duplicate=%d", id,
                  job->sender->member, (unsigned long long)job->index, job->is_duplicate);
    }
}

void reply_log_refusal(const struct submit_job *job)
{
    char id[ID_TEXT_SIZE];

    id_format(&job->submission->message.header.message_id, id);
    log_info("message.refused", "msg=%s identity=%s reason=%s path=%s rc=%s leaf=%d", id,
             job->sender->uri, job->fault.reason, job->fault.path, rc_name(job->fault.rc),
             job->is_refusal_logged);
}
